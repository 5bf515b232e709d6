import CLibev

extension Stream {
  /// Bytes that wait to be written.
  public var queued: Int { queue.count }

  /// Writes: at once what the kernel takes, the rest is copied and queued.
  /// - Returns: the bytes that are queued now; `EDDY_EAGAIN` if the queue had reached the high
  ///   mark, and then nothing was taken; `EDDY_EPIPE`, `EDDY_ECONNRESET`, `EDDY_ENOTCONN`,
  ///   `EDDY_EALREADY`, `EDDY_ENOMEM`.
  public func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    write(bytes, UnsafeRawBufferPointer(start: nil, count: 0))
  }

  /// Writes two regions one after the other, with one system call (writev(2)).
  /// - Returns: as `write(_:)`.
  public func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) -> Int {
    if let refusal = refusal { return Int(refusal) }
    var written = 0
    if queue.isEmpty {
      let result = send(head, body)
      guard result >= 0 else { return fail(Int32(result)) }
      written = result
    }
    guard written < head.count + body.count else { return queue.count }
    let headRest = head.count > written ? UnsafeRawBufferPointer(rebasing: head[written...]) : nil
    let bodyRest = UnsafeRawBufferPointer(rebasing: body[max(0, written - head.count)...])
    if let headRest, !queue.append(headRest) { return fail(code(EDDY_ENOMEM)) }
    guard queue.append(bodyRest) else { return fail(code(EDDY_ENOMEM)) }
    if queue.count > writeLowMark { owesDrain = true }
    awaitWritability()
    return queue.count
  }

  /// Why nothing can be written now, or nil.
  private var refusal: Int32? {
    if isClosing { return code(EDDY_EALREADY) }
    if state != .open { return code(EDDY_ENOTCONN) }
    if writeError != 0 { return writeError }
    if isShutdownRequested { return code(EDDY_EPIPE) }
    if queue.count >= writeHighMark { return code(EDDY_EAGAIN) }
    return nil
  }

  private func fail(_ error: Int32) -> Int {
    writeError = error
    queue.clear()
    stopAwaitingWritability()
    return Int(error)
  }

  /// The number of bytes that the kernel took, 0 if it takes none now, or an error.
  private func send(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) -> Int {
    var parts = (
      iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
      iovec(iov_base: UnsafeMutableRawPointer(mutating: body.baseAddress), iov_len: body.count)
    )
    let result = withUnsafeMutableBytes(of: &parts) { bytes in
      let vector = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: iovec.self)
      let first = head.isEmpty ? vector + 1 : vector
      return transfer(first, head.isEmpty || body.isEmpty ? 1 : 2)
    }
    if result >= 0 { return result }
    let error = clibev_errno()
    return error == EAGAIN || error == EINTR ? 0 : Int(eddy_error_from_errno(error))
  }

  /// One call to the kernel that can't raise SIGPIPE. -1 with errno.
  private func transfer(_ vector: UnsafeMutablePointer<iovec>, _ count: Int) -> Int {
    guard isSocket else { return writeToPipe(vector, count) }
    if count == 1 {
      return CLibev.send(
        fd, vector.pointee.iov_base, vector.pointee.iov_len, Int32(MSG_NOSIGNAL))
    }
    var message = msghdr()
    message.msg_iov = vector
    message.msg_iovlen = count
    return sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
  }

  /// A pipe has no MSG_NOSIGNAL: the signal is blocked for the call, and, if the call raised it,
  /// taken off the thread's pending set before it is let through again. One that was pending
  /// before is the host's, and stays.
  private func writeToPipe(_ vector: UnsafeMutablePointer<iovec>, _ count: Int) -> Int {
    var brokenPipe = sigset_t()
    sigemptyset(&brokenPipe)
    sigaddset(&brokenPipe, SIGPIPE)
    var pending = sigset_t()
    sigpending(&pending)
    let wasPending = sigismember(&pending, SIGPIPE) == 1
    var mask = sigset_t()
    pthread_sigmask(SIG_BLOCK, &brokenPipe, &mask)
    let result = writev(fd, vector, Int32(count))
    let error = clibev_errno()
    if result < 0, error == EPIPE, !wasPending {
      var noTime = timespec()
      while sigtimedwait(&brokenPipe, nil, &noTime) < 0, clibev_errno() == EINTR {}
    }
    pthread_sigmask(SIG_SETMASK, &mask, nil)
    clibev_set_errno(error)
    return result
  }

  /// The write watcher's callback: a connection is made, or the kernel takes bytes again.
  func writable() {
    if state == .connecting { return finishConnecting() }
    let result = send(queue.bytes, UnsafeRawBufferPointer(start: nil, count: 0))
    guard result >= 0 else {
      _ = fail(Int32(result))
      onDrain?(opaque, writeError, context)
      return
    }
    queue.consume(result)
    if queue.isEmpty {
      stopAwaitingWritability()
      if isShutdownRequested { finishShutdown() }
    }
    if owesDrain, queue.count <= writeLowMark {
      owesDrain = false
      onDrain?(opaque, 0, context)
    }
  }
}
