import Glibc

/// What /proc says about processes (proc(5)).
enum ProcessTable {
  /// The processes of a group that run. Those that have ended and wait to be reaped do not count:
  /// that is their parent's business, which for an orphan is the system's first process.
  static func running(inGroup group: Int32) -> [Int32] {
    entries(of: "/proc").compactMap { Int32($0) }.filter { pid in
      guard let fields = statistics(of: pid) else { return false }
      return fields.group == group && fields.state != "Z" && fields.state != "X"
    }
  }

  /// Waits for the group to be empty; a killed process takes the kernel a moment.
  static func isEmpty(group: Int32, within milliseconds: Int = 2000) -> Bool {
    for _ in 0...milliseconds / 10 {
      if running(inGroup: group).isEmpty { return true }
      usleep(10_000)
    }
    return false
  }

  /// The number of descriptors that this process has open.
  static var openDescriptors: Int { entries(of: "/proc/self/fd").count }

  /// `pid (name) state parent group …`; the name may hold anything, and ends at the last `)`.
  private static func statistics(of pid: Int32) -> (state: Substring, group: Int32)? {
    guard let file = fopen("/proc/\(pid)/stat", "r") else { return nil }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = fread(&buffer, 1, buffer.count, file)
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 2, let group = Int32(fields[2]) else { return nil }
    return (fields[0], group)
  }

  private static func entries(of path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafeBytes(of: entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names
  }
}
