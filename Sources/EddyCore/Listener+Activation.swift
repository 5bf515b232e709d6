import CLibev

// Socket activation: a service manager opens the sockets and passes them on (sd_listen_fds(3)).
extension Listener {
  /// The sockets that a service manager has passed to this process, as the environment's LISTEN_FDS
  /// and LISTEN_PID say; they are made close-on-exec. Any thread.
  /// - Returns: their descriptors; none if they are meant for another process.
  /// - Throws: `EDDY_EINVAL` if LISTEN_FDS is no number; `EDDY_EBADF` if one of them is not open.
  public static func passedDescriptors() throws(EddyError) -> Range<Int32> {
    let start = Int32(EDDY_LISTEN_FDS_START)
    guard let process = getenv("LISTEN_PID"), number(process) == getpid(),
      let text = getenv("LISTEN_FDS")
    else { return start..<start }
    guard let count = number(text), count <= Int32.max - start else {
      throw EddyError(EDDY_EINVAL)
    }
    for fd in start..<(start + count) {
      let flags = clibev_fcntl_get(fd, F_GETFD)
      guard flags >= 0, clibev_fcntl_set(fd, F_SETFD, flags | FD_CLOEXEC) == 0 else {
        throw EddyError(EDDY_EBADF)
      }
    }
    return start..<(start + count)
  }

  /// A number of decimal digits; nil for anything else.
  private static func number(_ text: UnsafePointer<CChar>) -> Int32? {
    var value: Int32 = 0
    var digit = text
    guard digit.pointee != 0 else { return nil }
    while digit.pointee != 0 {
      let character = UInt8(bitPattern: digit.pointee)
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) else { return nil }
      let (shifted, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = shifted.addingReportingOverflow(Int32(character - UInt8(ascii: "0")))
      guard !overflows, !carries else { return nil }
      value = sum
      digit += 1
    }
    return value
  }
}
