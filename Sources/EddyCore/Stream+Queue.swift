import CLibev

// What waits to be written goes to the kernel as it takes it, and what has ended is told.
extension Stream {
  /// Vectors that one call takes of the queue: at 64 KiB each more than a socket's buffer holds.
  private static let gatheredVectors = 64
  /// Calls to the kernel that one event may cause while each is taken whole, so that a queue of many
  /// parts goes out at once, yet can't hold up the others.
  private static let flushRounds = 8

  /// The queue, made if there is none; nil without memory.
  func makeQueue() -> UnsafeMutablePointer<WriteQueue>? {
    if let queue { return queue }
    guard loop.timers.reserve() else { return nil }
    guard let memory = malloc(MemoryLayout<WriteQueue>.size) else {
      loop.timers.giveUpReservation()
      return nil
    }
    let new = memory.bindMemory(to: WriteQueue.self, capacity: 1)
    new.initialize(
      to: WriteQueue(
        timer: TimerNode(owner: UnsafeMutableRawPointer(opaque)) { stream in
          Unmanaged<Stream>.fromOpaque(stream)._withUnsafeGuaranteedRef { $0.tellEnded() }
        }))
    queue = new
    return new
  }

  /// Frees a queue in which nothing waits.
  func freeQueueIfDone() {
    guard let queue, queue.pointee.isEmpty, !queue.pointee.hasEnded else { return }
    free(queue)
  }

  private func free(_ queue: UnsafeMutablePointer<WriteQueue>) {
    loop.stop(&queue.pointee.timer)
    loop.timers.giveUpReservation()
    CLibev.free(queue)
    self.queue = nil
  }

  /// Writing has become impossible. Only what has been queued before is told of it by `done`.
  /// - Returns: the error.
  func fail(_ error: Int32) -> Int {
    writeError = error
    detour.insert(.refused)
    detour.remove(.queued)
    stopAwaitingWritability()
    if let queue {
      queue.pointee.drop(error)
      freeQueueIfDone()
    }
    return Int(error)
  }

  /// A connection is made, or the kernel takes bytes again.
  func writable() {
    if state == .connecting { return finishConnecting() }
    for _ in 0..<Self.flushRounds {
      guard let queue, let segment = queue.pointee.first else { break }
      let isFile = segment.pointee.source == .file
      guard isFile ? flushFile(queue, segment) : flushMemory(queue) else { break }
    }
    if queue?.pointee.isEmpty ?? true, writeError == 0 { queueIsWritten() }
    if queue?.pointee.hasEnded ?? false {
      tellEnded()
      guard !isClosing else { return }
    }
    if writeError != 0 {
      tellDrain(writeError)
    } else if owesDrain, queued <= writeLowMark {
      owesDrain = false
      tellDrain(0)
    }
  }

  /// True if the kernel took all that it was offered.
  private func flushMemory(_ queue: UnsafeMutablePointer<WriteQueue>) -> Bool {
    withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.gatheredVectors) { list in
      let count = queue.pointee.gather(into: list)
      var total = 0
      for index in 0..<count { total += list[index].iov_len }
      let written = transfer(Regions(first: list.baseAddress, count: count, total: total))
      guard written >= 0 else {
        _ = fail(Int32(written))
        return false
      }
      queue.pointee.consume(written)
      return written == total
    }
  }

  /// True if the next part may follow.
  private func flushFile(
    _ queue: UnsafeMutablePointer<WriteQueue>, _ segment: WriteQueue.Segment
  ) -> Bool {
    switch sendFile(segment) {
    case .full: return false
    case .taken: queue.pointee.endFinished()
    case .tooShort: queue.pointee.endFirst(code(EDDY_EOF))
    case .unreadable(let error): queue.pointee.endFirst(error)
    case .failed(let error):
      _ = fail(error)
      return false
    }
    queue.pointee.endFinished()
    return true
  }

  private func queueIsWritten() {
    detour.remove(.queued)
    stopAwaitingWritability()
    freeQueueIfDone()
    if isShutdownRequested { finishShutdown() }
  }

  private func tellDrain(_ status: Int32) {
    guard let onDrain else { return }
    loop.dispatch(.write, onDrain, context) { onDrain(opaque, status, context) }
  }
}

// MARK: - Telling what has ended

extension Stream {
  /// Has the loop tell, in its next turn, what has ended inside a call of the program.
  func startTelling() {
    guard let queue, !queue.pointee.timer.isActive else { return }
    loop.start(&queue.pointee.timer, at: loop.now)
  }

  /// Calls the `done` callbacks that are due. Those that they cause wait for the next turn, or, if
  /// they close the stream, for its close callback.
  private func tellEnded() {
    guard let queue else { return }
    let ended = queue.pointee.takeEnded()
    loop.stop(&queue.pointee.timer)
    tell(ended)
    guard !isClosing, let queue = self.queue else { return }
    if queue.pointee.hasEnded { startTelling() } else { freeQueueIfDone() }
  }

  private func tell(_ ended: WriteQueue.Segment?) {
    var next = ended
    while let segment = next {
      next = segment.pointee.next
      let (done, context, status) = (
        segment.pointee.done.unsafelyUnwrapped, segment.pointee.context, segment.pointee.status
      )
      CLibev.free(segment)
      loop.dispatch(.write, done, context) { done(status, context) }
    }
  }

  /// The stream closes: what is queued will not be written, which `endQueue` tells.
  func abandonQueue() {
    guard let queue else { return }
    queue.pointee.drop(code(EDDY_ECANCELED))
    freeQueueIfDone()
    guard self.queue != nil else { return }
    loop.stop(&queue.pointee.timer)
  }

  /// Just before the close callback: what has not been told of the writes is told.
  func endQueue() {
    guard let queue else { return }
    tell(queue.pointee.takeEnded())
    free(queue)
    self.queue = nil
  }
}
