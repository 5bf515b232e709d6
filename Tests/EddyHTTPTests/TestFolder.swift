import FoundationEssentials
import Glibc

/// A folder of a test's own, which goes with it.
final class TestFolder: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/eddy-files.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw RawClient.Failure(reason: "mkdtemp: \(String(cString: strerror(errno)))")
    }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func write(_ name: String, _ text: String) throws {
    try write(name, Array(text.utf8))
  }

  func write(_ name: String, _ content: [UInt8]) throws {
    guard let file = fopen("\(path)/\(name)", "we") else {
      throw RawClient.Failure(reason: "\(name): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    guard fwrite(content, 1, content.count, file) == content.count else {
      throw RawClient.Failure(reason: "\(name) could not be written")
    }
  }

  func makeFolder(_ name: String) {
    mkdir("\(path)/\(name)", 0o755)
  }

  func link(_ name: String, to target: String) {
    symlink(target, "\(path)/\(name)")
  }

  /// Sets when a file was last modified, in seconds since 1970.
  func touch(_ name: String, _ seconds: Int, nanoseconds: Int = 0) {
    let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
    _ = withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { times in
      times.initialize(repeating: time)
      return utimensat(AT_FDCWD, "\(path)/\(name)", times.baseAddress, 0)
    }
  }
}
