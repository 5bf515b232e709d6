import CLibev

extension Stream {
  /// Bytes that wait to be written, but for those of files.
  public var queued: Int { queue.map { $0.pointee.count } ?? 0 }

  /// Bytes of files that wait to be sent. It looks at each part that is queued.
  public var queuedOfFiles: Int { queue.map { $0.pointee.countOfFiles } ?? 0 }

  /// Writes: at once what the kernel takes, the rest is copied and queued.
  /// - Returns: the bytes that are queued now; `EDDY_EAGAIN` if the queue had reached the high
  ///   mark, and then nothing was taken; `EDDY_EPIPE`, `EDDY_ECONNRESET`, `EDDY_ENOTCONN`,
  ///   `EDDY_EALREADY`, `EDDY_ENOMEM`.
  public func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    Unmanaged.passUnretained(self).write(bytes.baseAddress, bytes.count)
  }

  /// Writes two regions one after the other, with one system call (writev(2)).
  /// - Returns: as `write(_:)`.
  public func write(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) -> Int {
    if body.isEmpty { return write(head) }
    if head.isEmpty { return write(body) }
    var parts = (iovec(head), iovec(body))
    return withUnsafeMutableBytes(of: &parts) { bytes in
      let first = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: iovec.self)
      return write(Regions(first: first, count: 2, total: head.count + body.count))
    }
  }

  /// Writes regions one after the other, with one system call (writev(2)).
  /// - Returns: as `write(_:)`; `EDDY_EINVAL` for a region without an address, or more bytes than
  ///   can be counted.
  public func write(buffers: UnsafeBufferPointer<eddy_buffer>) -> Int {
    guard let regions = Regions(buffers) else { return Int(code(EDDY_EINVAL)) }
    guard let only = regions.first, regions.count == 1 else { return write(regions) }
    return write(
      UnsafeRawBufferPointer(start: only.pointee.iov_base, count: only.pointee.iov_len))
  }

  /// Writes regions without a copy: what the kernel does not take at once is written from the
  /// caller's memory later.
  /// - Parameters:
  ///   - buffers: the regions; the memory that they name stays as it is until `done`.
  ///   - done: called once, from the loop, if the result is not negative.
  /// - Returns: as `write(buffers:)`.
  public func write(
    buffers: UnsafeBufferPointer<eddy_buffer>, context: UnsafeMutableRawPointer?,
    done: @escaping eddy_write_cb
  ) -> Int {
    guard let regions = Regions(buffers) else { return Int(code(EDDY_EINVAL)) }
    if let refusal { return Int(refusal) }
    guard let queue = makeQueue(), let segment = WriteQueue.Segment.buffers(regions) else {
      return failWithoutMemory()
    }
    segment.pointee.done = done
    segment.pointee.context = context
    var written = 0
    if queue.pointee.isEmpty {
      written = transfer(regions)
      guard written >= 0 else {
        free(segment)
        return fail(Int32(written))
      }
      _ = segment.consume(written)
    }
    return enqueue(segment, bytes: regions.total - written)
  }

  /// Queues a part of a file, which the kernel sends by itself (sendfile(2)).
  /// - Parameters:
  ///   - fd: a regular file, which stays open until `done`. Its file offset is neither used nor
  ///     moved.
  ///   - done: called once, from the loop, if the result is not negative.
  /// - Returns: as `write(_:)`; `EDDY_EBADF`, `EDDY_EINVAL` for what sendfile(2) can't read.
  public func sendFile(
    _ fd: Int32, from offset: UInt64, count: UInt64, context: UnsafeMutableRawPointer?,
    done: @escaping eddy_write_cb
  ) -> Int {
    if let refusal { return Int(refusal) }
    let (end, overflows) = offset.addingReportingOverflow(count)
    guard !overflows, end <= UInt64(Int.max) else { return Int(code(EDDY_EINVAL)) }
    var status = stat()
    let flags = clibev_fcntl_get(fd, F_GETFL)
    guard flags >= 0, fstat(fd, &status) == 0, flags & O_ACCMODE != O_WRONLY else {
      return Int(code(EDDY_EBADF))
    }
    guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) else {
      return Int(code(EDDY_EINVAL))
    }
    guard let queue = makeQueue(),
      let segment = WriteQueue.Segment.file(fd, from: Int(offset), to: Int(end))
    else { return failWithoutMemory() }
    segment.pointee.done = done
    segment.pointee.context = context
    guard queue.pointee.isEmpty else { return enqueue(segment, bytes: 0) }
    switch sendFile(segment) {
    case .taken, .full: return enqueue(segment, bytes: 0)
    case .tooShort: return complete(segment, code(EDDY_EOF))
    case .unreadable(let error):
      // What has gone before can't be taken back, so that it is no refusal.
      guard segment.pointee.start == Int(offset) else { return complete(segment, error) }
      free(segment)
      freeQueueIfDone()
      return Int(error)
    case .failed(let error):
      free(segment)
      return fail(error)
    }
  }
}

// MARK: - Ways to the kernel

extension Stream {
  @inline(never)
  func writeCarefully(_ data: UnsafeRawPointer?, _ count: Int) -> Int {
    guard count > 0 ? data != nil : count == 0 else { return Int(code(EDDY_EINVAL)) }
    return withRegion(data, count) { write($0) }
  }

  /// The kernel took less than all, or nothing.
  @inline(never)
  func writeRest(_ data: UnsafeRawPointer?, _ count: Int, _ sent: Int) -> Int {
    let written = sent >= 0 ? sent : Self.errorOfTransfer()
    guard written >= 0 else { return fail(Int32(written)) }
    return withRegion(data, count) { enqueue($0, without: written) }
  }

  @inline(__always)
  private func withRegion(
    _ data: UnsafeRawPointer?, _ count: Int, _ body: (Regions) -> Int
  ) -> Int {
    var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: data), iov_len: count)
    return withUnsafeMutablePointer(to: &vector) {
      body(Regions(first: $0, count: 1, total: count))
    }
  }

  private func write(_ regions: Regions) -> Int {
    if let refusal { return Int(refusal) }
    guard !detour.contains(.queued) else { return enqueue(regions, without: 0) }
    let written = transfer(regions)
    guard written >= 0 else { return fail(Int32(written)) }
    return enqueue(regions, without: written)
  }

  /// Copies what the kernel did not take.
  private func enqueue(_ regions: Regions, without written: Int) -> Int {
    guard written < regions.total else { return queued }
    guard let queue = makeQueue(), queue.pointee.copy(regions, without: written) else {
      // A part of a message can't be taken back: after it, no other may follow.
      return written > 0 ? fail(code(EDDY_ENOMEM)) : failWithoutMemory()
    }
    return awaitQueue(queue)
  }

  /// Puts a segment at the end, or has its `done` told if the kernel has all of it.
  private func enqueue(_ segment: WriteQueue.Segment, bytes: Int) -> Int {
    let queue = queue.unsafelyUnwrapped
    guard queue.pointee.isEmpty, segment.pointee.isFinished else {
      queue.pointee.append(segment, bytes: bytes)
      return awaitQueue(queue)
    }
    return complete(segment, 0)
  }

  /// Has the `done` of a segment told that never was in the queue.
  private func complete(_ segment: WriteQueue.Segment, _ status: Int32) -> Int {
    queue.unsafelyUnwrapped.pointee.end(segment, status)
    startTelling()
    return 0
  }

  private func awaitQueue(_ queue: UnsafeMutablePointer<WriteQueue>) -> Int {
    detour.insert(.queued)
    if queue.pointee.count > writeLowMark { owesDrain = true }
    awaitWritability()
    return queue.pointee.count
  }

  /// Why nothing can be written now, or nil.
  private var refusal: Int32? {
    if isClosing { return code(EDDY_EALREADY) }
    if state != .open { return code(EDDY_ENOTCONN) }
    if writeError != 0 { return writeError }
    if isShutdownRequested { return code(EDDY_EPIPE) }
    if queued >= writeHighMark { return code(EDDY_EAGAIN) }
    return nil
  }

  /// Nothing was taken, and the stream is as it was.
  private func failWithoutMemory() -> Int {
    freeQueueIfDone()
    return Int(code(EDDY_ENOMEM))
  }
}

extension Regions {
  /// The same regions: an eddy_buffer is laid out as an iovec. Nil for one that has no address, or if
  /// there are more bytes than can be counted.
  fileprivate init?(_ buffers: UnsafeBufferPointer<eddy_buffer>) {
    var total = 0
    for buffer in buffers {
      let (sum, overflows) = total.addingReportingOverflow(buffer.length)
      guard buffer.data != nil || buffer.length == 0, buffer.length >= 0, !overflows else {
        return nil
      }
      total = sum
    }
    self.init(
      first: UnsafeMutableRawPointer(mutating: buffers.baseAddress)?
        .assumingMemoryBound(to: iovec.self), count: buffers.count, total: total)
  }
}

extension iovec {
  fileprivate init(_ bytes: UnsafeRawBufferPointer) {
    self.init(
      iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
  }
}
