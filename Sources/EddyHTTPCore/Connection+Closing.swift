import CLibev
import EddyCore

/// Ends, of either side.
extension Connection {
  /// The read callback's last words: the client has ended its side, or is gone.
  func readEnded(_ status: Int) {
    guard phase != .closed else { return }
    isHalfClosed = true
    guard status == EDDY_EOF else { return tearDown() }
    switch phase {
    case .lingering:
      closeWhenWritten()
    case .waiting:
      if cancelsOnHalfClose { tearDown() }
    case .body:
      if answer == .finished { closeWhenWritten() } else { tearDown() }
    case .head:
      // What was kept may hold whole requests that are about to be taken up.
      if input.isEmpty || !isStalled && !isScheduled { closeWhenWritten() }
    case .closed:
      break
    }
  }

  /// The drain callback: all that was queued is with the kernel, or is lost.
  func drained(_ status: Int32) {
    guard phase != .closed else { return }
    guard status == 0 else { return tearDown() }
    queuedAtMost = 0
    guard filesInFlight == 0 else { return }
    removeWriteDeadline()
    if phase == .lingering {
      if isHalfClosed || droppedBytes > engine.limits.drain {
        close()
      } else {
        engine.lingerDeadlines.append(phaseNode)
      }
      return
    }
    if owesWritable, isAnswerOwed {
      owesWritable = false
      engine.handler.writable(exchange)
    }
    guard phase == .head else { return }
    consumeInput()
    settle()
  }

  /// Writes what is collected, ends this side, and waits for the client's end, for a while.
  func linger() {
    guard phase != .closed, phase != .lingering else { return }
    phase = .lingering
    answer = .none
    droppedBytes = 0
    _ = input.take()
    if engine.isOutput(of: self) { engine.flushOutput() }
    if isLost || isHalfClosed { return closeWhenWritten() }
    DeadlineList.remove(phaseNode)
    _ = stream.shutdown()
    if isReadingPaused {
      isReadingPaused = false
      _ = stream.readStart()
    }
    if !hasUnwritten { engine.lingerDeadlines.append(phaseNode) }
  }

  /// Counts what comes after the last answer.
  func drop(_ count: Int) {
    droppedBytes += count
    guard droppedBytes > engine.limits.drain else { return }
    if !hasUnwritten { return close() }
    // Closed once the answer is written.
    isReadingPaused = true
    stream.readStop()
  }

  /// Closes as soon as nothing waits to be written: the client doesn't send any more.
  func closeWhenWritten() {
    guard phase != .closed else { return }
    if isLost || !hasUnwritten { return close() }
    phase = .lingering
    answer = .none
    DeadlineList.remove(phaseNode)
  }

  /// Notes that the client is gone, inside a call of the handler, who is told later in the turn.
  func lose() {
    guard !isLost else { return }
    isLost = true
    engine.schedule(self)
  }

  /// Closes, and tells the handler if it owes an answer.
  func tearDown(reset: Bool = false) {
    guard phase != .closed else { return }
    let isOwed = answer == .awaited || answer == .streaming
    answer = .none
    close(reset: reset)
    if isOwed { engine.handler.abandoned(exchange) }
  }

  /// Closes. The last act: the table lets go of the connection.
  func close(reset: Bool = false) {
    guard phase != .closed else { return }
    phase = .closed
    engine.disownOutput(self)
    _ = input.take()
    DeadlineList.remove(phaseNode)
    removeWriteDeadline()
    if reset { stream.reset() } else { stream.close() }
    engine.connectionClosed(self)
  }

  /// What was put off: by an answer from outside a read callback, or by a failed write.
  func attend() {
    guard phase != .closed else { return }
    if isLost { return tearDown() }
    if isHalfClosed, phase == .waiting, cancelsOnHalfClose { return tearDown() }
    consumeInput()
    settle()
  }

  // MARK: - Deadlines

  func headTimedOut() {
    if isHeadPartial { refuse(.headTimedOut) } else { idleTimedOut() }
  }

  func idleTimedOut() {
    // A request that is on its way just now shall not meet a closed connection.
    if hasUnreadBytes { return engine.idleDeadlines.append(phaseNode) }
    if hasUnwritten { linger() } else { close() }
  }

  func bodyWindowEnded() {
    guard phase == .body else { return }
    let window = engine.limits.bodyRateWindow
    let least = Double(engine.limits.minimumBodyRate) * Double(window) / 1e9
    guard Double(windowBytes) < least else {
      windowBytes = 0
      return engine.bodyDeadlines.append(phaseNode)
    }
    refuse(.bodyTooSlow)
  }

  func writeTimedOut() {
    let waiting = stream.queued + stream.queuedOfFiles
    guard waiting > 0 else { return removeWriteDeadline() }
    let taken = acceptedBytes &- UInt64(waiting)
    guard taken == progressMark else {
      progressMark = taken
      return setWriteDeadline()
    }
    tearDown(reset: true)
  }

  /// After a write: sets the deadline if bytes wait.
  func wrote(_ count: Int, queued: Int) {
    guard queued >= 0 else { return lose() }
    acceptedBytes &+= UInt64(count)
    queuedAtMost = queued
    if queued > 0 { expectProgress(queued) }
  }

  /// Sets the write deadline, unless it is set.
  /// - Parameter waiting: bytes that are accepted and that the kernel does not have.
  func expectProgress(_ waiting: Int) {
    guard writeNode == nil else { return }
    progressMark = acceptedBytes &- UInt64(waiting)
    setWriteDeadline()
  }

  private func setWriteDeadline() {
    let node = writeNode ?? .allocate(capacity: 1)
    if writeNode == nil { node.initialize(to: DeadlineNode(self)) }
    writeNode = node
    engine.writeDeadlines.append(node)
  }

  private func removeWriteDeadline() {
    guard let node = writeNode else { return }
    DeadlineList.remove(node)
    node.deallocate()
    writeNode = nil
  }

  /// True if no request has come in part or in whole.
  var isIdle: Bool {
    phase == .head && !isHeadPartial && input.isEmpty && !hasUnwritten && !hasUnreadBytes
  }

  /// True if the kernel has bytes of the client that were not read yet (recv(2)).
  private var hasUnreadBytes: Bool {
    var byte: UInt8 = 0
    return recv(stream.fd, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
  }
}
