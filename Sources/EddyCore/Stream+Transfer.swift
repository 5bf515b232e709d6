import CLibev

/// What became of a part of a file.
enum FileTransfer {
  /// The kernel has all of it.
  case taken
  /// The kernel takes no more now.
  case full
  /// The file ended before the part did.
  case tooShort
  /// The file can't be read. The stream is as it was.
  case unreadable(Int32)
  /// Nothing can be written any more.
  case failed(Int32)
}

// The system calls that write. None of them can raise SIGPIPE.
extension Stream {
  /// What writev(2) and sendmsg(2) take at most (UIO_MAXIOV, <limits.h>).
  private static let maximumVectors = 1024
  /// What one call reads of a file: as long as it takes the disk, it holds the loop up.
  private static let maximumFilePart = 2 << 20

  /// Writes regions in order.
  /// - Returns: the number of bytes that the kernel took, 0 if it takes none now, or an error.
  func transfer(_ regions: Regions) -> Int {
    var taken = 0
    var index = 0
    while index < regions.count {
      let count = min(regions.count - index, Self.maximumVectors)
      let vectors = regions.first.unsafelyUnwrapped + index
      var offered = 0
      for place in 0..<count { offered += vectors[place].iov_len }
      let result = transfer(vectors, count)
      if result < 0 {
        // What was taken before the error is lost with the connection, so the error is what counts.
        let error = Self.errorOfTransfer()
        guard error == 0 else { return error }
        break
      }
      taken += result
      guard result == offered else { break }
      index += count
    }
    if taken > 0, detour.contains(.timed) { noteTraffic() }
    return taken
  }

  /// 0 if the kernel only takes nothing now, or the error.
  static func errorOfTransfer() -> Int {
    let error = clibev_errno()
    return error == EAGAIN || error == EINTR ? 0 : Int(eddy_error_from_errno(error))
  }

  /// One call to the kernel. -1 with errno.
  private func transfer(_ vectors: UnsafeMutablePointer<iovec>, _ count: Int) -> Int {
    if detour.contains(.pipe) {
      // A pipe stays locked for the whole of it: it breaks before the first byte or not at all.
      return withoutBrokenPipe(whole: 0) { writev(fd, vectors, Int32(count)) }
    }
    if count == 1 {
      return send(fd, vectors.pointee.iov_base, vectors.pointee.iov_len, Int32(MSG_NOSIGNAL))
    }
    var message = msghdr()
    message.msg_iov = vectors
    message.msg_iovlen = count
    return sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
  }

  /// Sends what is left of a part of a file, or as much of it as one call may.
  func sendFile(_ segment: WriteQueue.Segment) -> FileTransfer {
    while segment.pointee.start < segment.pointee.end {
      let count = min(segment.pointee.end - segment.pointee.start, Self.maximumFilePart)
      var offset = off_t(segment.pointee.start)
      let result = withoutBrokenPipe(whole: count) {
        sendfile(fd, segment.pointee.fd, &offset, count)
      }
      if result < 0 { return Self.failureOfFile() }
      if result == 0 { return .tooShort }
      segment.pointee.start += result
      if detour.contains(.timed) { noteTraffic() }
      if count == Self.maximumFilePart { break }
    }
    return segment.pointee.isFinished ? .taken : .full
  }

  private static func failureOfFile() -> FileTransfer {
    let error = clibev_errno()
    switch error {
    case EAGAIN, EINTR: return .full
    case EPIPE, ECONNRESET, ECONNABORTED, ENOTCONN, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN:
      return .failed(eddy_error_from_errno(error))
    default: return .unreadable(eddy_error_from_errno(error))
    }
  }

  /// Makes a call that has no MSG_NOSIGNAL: the signal is blocked meanwhile, and, if the call raised
  /// it, taken off the thread's pending set before it is let through again. One that was pending
  /// before is the host's, and stays: that can only be where the host blocks the signal itself.
  ///
  /// Success does not mean that it was not raised: sendfile(2) writes a file in portions, and when the
  /// peer goes between two of them it tells how much it wrote, not EPIPE, but has raised the signal.
  /// - Parameter whole: what the call gives if it does all that it is asked for.
  private func withoutBrokenPipe(whole: Int, _ body: () -> Int) -> Int {
    var brokenPipe = sigset_t()
    sigemptyset(&brokenPipe)
    sigaddset(&brokenPipe, SIGPIPE)
    var mask = sigset_t()
    pthread_sigmask(SIG_BLOCK, &brokenPipe, &mask)
    let isHosts = sigismember(&mask, SIGPIPE) == 1 && Self.isPending(SIGPIPE)
    let result = body()
    let error = clibev_errno()
    if result < 0 ? error == EPIPE : result < whole, !isHosts {
      var noTime = timespec()
      while sigtimedwait(&brokenPipe, nil, &noTime) < 0, clibev_errno() == EINTR {}
    }
    pthread_sigmask(SIG_SETMASK, &mask, nil)
    clibev_set_errno(error)
    return result
  }

  private static func isPending(_ signal: Int32) -> Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return sigismember(&pending, signal) == 1
  }
}
