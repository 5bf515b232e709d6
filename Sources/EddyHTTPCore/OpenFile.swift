import CLibev

/// A regular file that is open for reading, and is closed when nobody holds it any more.
public final class OpenFile: Sendable {
  /// Lent: the object's until it goes.
  public let fd: Int32

  /// - Parameter fd: an open descriptor, which is the object's from here on.
  public init(adopting fd: Int32) { self.fd = fd }

  deinit { _ = close(fd) }
}
