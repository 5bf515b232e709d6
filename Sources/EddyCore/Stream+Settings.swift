import CLibev

// What a stream may be asked and told about its socket.
extension Stream {
  /// Has the kernel probe a silent TCP peer.
  /// - Parameter silence: nanoseconds before the first probe, rounded up to seconds, at most
  ///   `KeepAlive.maximum`; 0 ends it.
  /// - Returns: 0; `EDDY_ENOTSUP` if it is no TCP connection; `EDDY_EINVAL`; `EDDY_EALREADY` when
  ///   closing.
  public func setKeepAlive(_ silence: UInt64) -> Int32 {
    guard !isClosing else { return code(EDDY_EALREADY) }
    guard silence <= KeepAlive.maximum else { return code(EDDY_EINVAL) }
    return KeepAlive(silence: silence).apply(to: fd) ? 0 : code(EDDY_ENOTSUP)
  }

  /// The peer's address as text with a final zero.
  /// - Returns: its length; `EDDY_ENOTCONN`; `EDDY_EINVAL` if the buffer is too small.
  public func peer(into buffer: UnsafeMutableBufferPointer<CChar>) -> Int32 {
    var address = Address()
    guard address.fill({ getpeername(fd, $0, $1) }) == 0 else { return code(EDDY_ENOTCONN) }
    return address.write(to: buffer)
  }

  /// The address of this side as text with a final zero.
  /// - Returns: its length; `EDDY_ENOTCONN`; `EDDY_EINVAL` if the buffer is too small.
  public func local(into buffer: UnsafeMutableBufferPointer<CChar>) -> Int32 {
    var address = Address()
    guard state == .open, address.fill({ getsockname(fd, $0, $1) }) == 0 else {
      return code(EDDY_ENOTCONN)
    }
    return address.write(to: buffer)
  }
}
