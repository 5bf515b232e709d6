import Glibc

/// The descriptor that lines are written to. Used by the writer's thread alone.
final class AccessLogFile {
  private let path: String?
  private var fd: Int32

  /// For messages.
  var name: String { path ?? "-" }

  init(_ destination: AccessLog.Destination) throws(AccessLog.OpenFailure) {
    switch destination {
    case .standardOutput:
      path = nil
      fd = STDOUT_FILENO
    case .file(let path):
      self.path = path
      fd = Self.open(path)
      guard fd >= 0 else { throw AccessLog.OpenFailure(path: path, code: errno) }
    }
  }

  deinit {
    if path != nil, fd >= 0 { Glibc.close(fd) }
  }

  /// Clients' addresses are nobody else's business: for the owner, and a group that reads logs.
  private static let mode: mode_t = 0o640

  private static func open(_ path: String) -> Int32 {
    // Non-blocking for a FIFO, whose open would wait for a reader.
    Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode)
  }

  /// Opens the path anew. If it can't, the old file stays.
  ///
  /// - Returns: whether it is another file now; an errno.
  func reopen() -> (isOther: Bool, error: Int32) {
    guard let path else { return (false, 0) }
    let new = Self.open(path)
    guard new >= 0 else { return (false, errno) }
    let isOther = Self.identity(new) != Self.identity(fd)
    Glibc.close(fd)
    fd = new
    return (isOther, 0)
  }

  /// The file has no name any more: what is written to it is lost.
  var isDeleted: Bool {
    var status = stat()
    return path != nil && fstat(fd, &status) == 0 && status.st_nlink == 0
  }

  private struct Identity: Equatable {
    let device: dev_t
    let inode: ino_t
  }

  private static func identity(_ fd: Int32) -> Identity? {
    var status = stat()
    guard fstat(fd, &status) == 0 else { return nil }
    return Identity(device: status.st_dev, inode: status.st_ino)
  }

  /// Writes as much as it can.
  ///
  /// - Returns: how many bytes; an errno if that is not all.
  func write(_ bytes: UnsafeRawBufferPointer) -> (count: Int, error: Int32) {
    var written = 0
    var hasWaited = false
    while written < bytes.count {
      let count = Glibc.write(
        fd, bytes.baseAddress.unsafelyUnwrapped + written, bytes.count - written)
      if count >= 0 {
        written += count
        hasWaited = false
        continue
      }
      let error = errno
      if error == EINTR { continue }
      guard error == EAGAIN, !hasWaited else { return (written, error) }
      hasWaited = true
      var poll = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
      _ = Glibc.poll(&poll, 1, Self.patience)
    }
    return (written, 0)
  }

  /// Milliseconds to wait for the reader of a pipe before it counts as a failure.
  private static let patience: Int32 = 200
}

/// What an errno of the log means for an operator.
enum AccessLogAdvice {
  static func text(_ code: Int32) -> String {
    let advice =
      switch code {
      case ENOSPC, EDQUOT: "; make room there"
      case ENOENT, ENOTDIR: "; make its directory, or name a path in one that exists"
      case EACCES, EPERM, EROFS: "; let this process's user write there, or name another path"
      case EISDIR: "; name a file in it"
      case ENXIO: "; nobody reads this pipe: start its reader first"
      case EAGAIN: "; whoever reads it is too slow"
      case EPIPE: "; whoever read it is gone: start it again"
      default: ""
      }
    return String(cString: strerror(code)) + advice
  }
}
