import CLibev
import EddyCore

/// A folder whose regular files may be opened, and nothing that lies outside of it.
///
/// The folder is opened once, so it is the one that had the path then. The kernel itself sees to it
/// that no path leads out, by symbolic links neither (openat2(2), RESOLVE_BENEATH); links that stay
/// below are followed.
public final class Folder: Sendable {
  /// What was found at a path.
  public enum Found {
    case file(OpenFile, FileStatus)
    case folder
    /// Nothing, or nothing that is a file or folder, or something outside.
    case absent
    /// It may not be read.
    case forbidden
    /// The process or the system has no descriptors or memory left.
    case exhausted
    /// The system's error, a code of `eddy/error.h`.
    case failed(EddyError)
  }

  /// RESOLVE_BENEATH makes the kernel give up, for the program to try again, when something is
  /// renamed while it walks over a link's `..` (openat2(2), EAGAIN).
  private static var attempts: Int { 8 }

  private let fd: Int32

  private init(adopting fd: Int32) { self.fd = fd }

  deinit { _ = close(fd) }

  /// - Throws: the system's error; `EDDY_ENOTSUP` if the kernel has no openat2(2), which came with
  ///   Linux 5.6.
  public convenience init(path: UnsafePointer<CChar>) throws(EddyError) {
    self.init(adopting: try Self.open(path))
  }

  private static func open(_ path: UnsafePointer<CChar>) throws(EddyError) -> Int32 {
    let fd = clibev_open(path, Int32(CLIBEV_O_PATH) | O_DIRECTORY | O_CLOEXEC)
    guard fd >= 0 else { throw Self.error(clibev_errno()) }
    let probe = clibev_open_beneath(fd, ".", Int32(CLIBEV_O_PATH) | O_CLOEXEC)
    guard probe >= 0 else {
      let error = clibev_errno()
      _ = close(fd)
      throw error == ENOSYS ? EddyError(code: Int32(EDDY_ENOTSUP)) : Self.error(error)
    }
    _ = close(probe)
    return fd
  }

  /// Opens a file for reading. It blocks while the file system does.
  ///
  /// - Parameters:
  ///   - path: below the folder; no NUL in it. The folder itself if it is empty.
  ///   - suffix: follows the path.
  public func open(_ path: [UInt8], suffix: StaticString = "") -> Found {
    // Without O_NONBLOCK a pipe without a writer would hold the loop up.
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    let fd = withUnsafeTemporaryAllocation(
      of: CChar.self, capacity: path.count + suffix.utf8CodeUnitCount + 2
    ) { text in
      var end = 0
      for byte in path {
        text[end] = CChar(bitPattern: byte)
        end += 1
      }
      for index in 0..<suffix.utf8CodeUnitCount {
        text[end] = CChar(bitPattern: suffix.utf8Start[index])
        end += 1
      }
      if end == 0 {
        text[0] = CChar(bitPattern: ASCII.dot)
        end = 1
      }
      text[end] = 0
      var fd: Int32 = -1
      for _ in 0..<Self.attempts {
        fd = clibev_open_beneath(self.fd, text.baseAddress.unsafelyUnwrapped, flags)
        if fd >= 0 || clibev_errno() != EAGAIN && clibev_errno() != EINTR { break }
      }
      return fd
    }
    guard fd >= 0 else { return Self.failure(clibev_errno()) }
    return Self.look(at: OpenFile(adopting: fd))
  }

  private static func look(at file: OpenFile) -> Found {
    var status = stat()
    guard fstat(file.fd, &status) == 0 else { return failure(clibev_errno()) }
    switch status.st_mode & mode_t(S_IFMT) {
    case mode_t(S_IFREG):
      return .file(
        file,
        FileStatus(
          size: Int64(status.st_size), modified: Int64(status.st_mtim.tv_sec),
          nanoseconds: Int64(status.st_mtim.tv_nsec)))
    case mode_t(S_IFDIR):
      return .folder
    default:
      return .absent
    }
  }

  private static func error(_ error: Int32) -> EddyError {
    EddyError(code: eddy_error_from_errno(error))
  }

  private static func failure(_ error: Int32) -> Found {
    switch error {
    // ENXIO and ENODEV: a socket, a pipe or a device that nobody serves.
    case ENOENT, ENOTDIR, EXDEV, ELOOP, ENAMETOOLONG, EINVAL, ENXIO, ENODEV: .absent
    case EACCES, EPERM: .forbidden
    case EMFILE, ENFILE, ENOMEM: .exhausted
    default: .failed(Self.error(error))
    }
  }
}

/// What a representation is told apart by.
public struct FileStatus: Equatable, Sendable {
  /// Bytes.
  public let size: Int64
  /// When it was last modified: seconds since 1970, and nanoseconds of the next.
  public let modified: Int64
  public let nanoseconds: Int64

  /// A strong entity tag (RFC 9110 §8.8.1), with its quotes. A file that is replaced gets another;
  /// so does one that is written in place, unless it keeps its size within one tick of the file
  /// system's clock (some milliseconds).
  ///
  /// - Parameter coding: of the content, whose tag has to differ from that of the same content
  ///   without it; no coding if it is empty.
  public func entityTag(coding: StaticString = "") -> [UInt8] {
    let text = OutputBuffer(capacity: 80)
    text.append("\"")
    text.reserve(60)
    text.appendUnchecked(hexadecimal: Int(size))
    text.append("-")
    text.reserve(40)
    // Times before 1970 have a pattern of bits, too, and that is all that is asked of them.
    text.appendUnchecked(hexadecimal: Int(modified & .max))
    text.append(".")
    text.reserve(20)
    text.appendUnchecked(hexadecimal: Int(nanoseconds))
    if coding.utf8CodeUnitCount > 0 {
      text.append("-")
      text.append(coding)
    }
    text.append("\"")
    return Array(text.bytes)
  }
}
