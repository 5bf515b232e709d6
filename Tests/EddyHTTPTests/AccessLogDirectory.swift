import EddyHTTP
import FoundationEssentials
import Glibc
import Logging

/// A directory of a test's own, with an access log in it.
final class AccessLogDirectory: Sendable {
  let path: String
  /// What the access log reports.
  let reports = Log()
  var file: String { "\(path)/access.log" }

  init() {
    var template = Array("/tmp/eddy-access.XXXXXX".utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func open(
    _ format: AccessLog.Format = .combined, capacity: Int = AccessLog.defaultCapacity
  ) throws -> AccessLog {
    let reports = reports
    return try AccessLog(
      .file(file), format: format, capacity: capacity,
      logger: Logger(label: "test") { _ in LogRecorder(log: reports) })
  }

  func lines(of name: String = "access.log") -> [String] {
    // FileManager leaks memory for a file that is empty.
    let fd = Glibc.open("\(path)/\(name)", O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { return [] }
    defer { close(fd) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(fd, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Waits for `condition`, at most 10 s.
  func eventually(_ condition: @Sendable () -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
      if condition() { return true }
      try await Task.sleep(for: .milliseconds(10))
    }
    return condition()
  }
}
