import Glibc

/// The process groups of the commands that run: each command leads one.
enum ChildGroups {
  /// Kills them all, for an end that leaves no time to ask them to stop.
  static func kill() {
    guard let tasks = opendir("/proc/self/task") else { return }
    defer { closedir(tasks) }
    while let entry = readdir(tasks) {
      let thread = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      // The children that this thread has started: process ids, a space after each (proc(5)).
      for child in contents(of: "/proc/self/task/\(thread)/children").split(separator: " ") {
        guard let child = pid_t(child), getpgid(child) == child else { continue }
        Glibc.kill(-child, SIGKILL)
      }
    }
  }

  private static func contents(of path: String) -> String {
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var text: [UInt8] = []
    var byte = getc(file)
    while byte != EOF {
      text.append(UInt8(byte))
      byte = getc(file)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
