import EddyCore

/// From bytes to requests.
extension Connection {
  /// Empty lines that may stand before a request line: "at least one" (RFC 9112 §2.2).
  private static var maximumEmptyLines: UInt8 { 4 }

  /// The read callback: bytes in the loop's buffer.
  func received(_ bytes: UnsafeRawBufferPointer) {
    if phase == .lingering { return drop(bytes.count) }
    if input.isEmpty {
      let used = consume(bytes, engine)
      if used < bytes.count { keep(UnsafeRawBufferPointer(rebasing: bytes[used...])) }
    } else {
      keep(bytes)
      consumeInput()
    }
    settle()
  }

  /// Goes on with what was kept.
  func consumeInput() {
    guard !input.isEmpty, phase != .waiting, phase != .closed, !isStalled else { return }
    // The bytes must outlive what handlers do to the connection meanwhile.
    var taken = input.take()
    let used = consume(taken.bytes, engine)
    guard phase != .closed, phase != .lingering else { return }
    taken.removeFirst(used)
    swap(&taken, &input)
  }

  private func keep(_ bytes: UnsafeRawBufferPointer) {
    guard phase != .closed, phase != .lingering else { return }
    if !input.append(bytes) { lose() }
  }

  /// Takes up requests until the bytes are used up or an answer must be waited for.
  ///
  /// Here and below the engine is a parameter, because a reference that is read from memory costs
  /// a retain and a release, which is much in comparison with the rest.
  ///
  /// - Returns: how many bytes were used.
  private func consume(_ bytes: UnsafeRawBufferPointer, _ engine: HTTPEngine) -> Int {
    engine.dates.update(now: engine.loop.now)
    isConsuming = true
    defer { isConsuming = false }
    var index = 0
    while !isLost {
      if answer == .finished { advance() }
      switch phase {
      case .head:
        guard index < bytes.count, !isStalled, takeHead(bytes, &index, engine) else { return index }
      case .body:
        guard index < bytes.count else { return index }
        takeBody(bytes, &index)
      case .waiting:
        return index
      case .lingering, .closed:
        return bytes.count
      }
    }
    return index
  }

  // MARK: - Heads

  /// - Returns: false if more bytes are needed, or the request was refused.
  private func takeHead(
    _ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ engine: HTTPEngine
  ) -> Bool {
    guard skipEmptyLines(bytes, &index) else { return false }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[index...])
    let outcome = readHead(rest, engine)
    switch outcome {
    case .incomplete:
      isHeadPartial = true
      return false
    case .refused(let error):
      refuse(error)
      return false
    case .complete(let length):
      index += length
      isHeadPartial = false
      emptyLines = 0
      scanner = HeadScanner()
      takeRequest(engine, isLastByte: index == bytes.count)
      return true
    }
  }

  /// The first part of a head is parsed at once, so that nonsense is refused at once; if more must
  /// come, its end is looked for without parsing it again.
  private func readHead(
    _ bytes: UnsafeRawBufferPointer, _ engine: HTTPEngine
  ) -> HeadOutcome {
    guard isHeadPartial else { return engine.head.pointee.parse(bytes, engine.limits) }
    let scanned = scanner.scan(bytes, engine.limits)
    guard case .complete(let length) = scanned else { return scanned }
    return engine.head.pointee.parse(
      UnsafeRawBufferPointer(rebasing: bytes[..<length]), engine.limits)
  }

  /// - Returns: false if no head begins yet, or the request was refused.
  private func skipEmptyLines(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Bool {
    while bytes[index] == ASCII.carriageReturn {
      guard index + 1 < bytes.count else { return false }
      guard bytes[index + 1] == ASCII.lineFeed else {
        refuse(.bareCarriageReturn)
        return false
      }
      index += 2
      emptyLines += 1
      guard emptyLines <= Self.maximumEmptyLines else {
        refuse(.emptyLines)
        return false
      }
      guard index < bytes.count else { return false }
    }
    return true
  }

  /// A head is complete, in the engine's `head`.
  private func takeRequest(_ engine: HTTPEngine, isLastByte: Bool) {
    let head = engine.head
    request &+= 1
    answer = .awaited
    needsNewDeadline = true
    cancelsOnHalfClose = false
    closesAfterAnswer = false
    owesWritable = false
    isHeadMethod = head.pointee.method == .head
    minorVersion = head.pointee.minorVersion
    keepsAlive = head.pointee.keepsAlive

    guard head.pointee.hasBody else {
      phase = .waiting
      _ = engine.handler.receivedHead(exchange, head.pointee, engine)
      if isAnswerOwed, phase == .waiting { engine.handler.receivedEnd(exchange) }
      return
    }
    phase = .body
    isChunked = head.pointee.isChunked
    awaitsContinue = head.pointee.expectsContinue
    bodyRemaining = Int(head.pointee.contentLength ?? 0)
    bodyReceived = 0
    windowBytes = 0
    droppedBytes = 0
    decoder = ChunkedDecoder()
    let policy = engine.handler.receivedHead(exchange, head.pointee, engine)
    guard phase == .body, isAnswerOwed else { return }
    apply(policy, bodyHasBegun: !isLastByte)
  }

  // MARK: - Bodies

  private func apply(_ policy: BodyPolicy, bodyHasBegun: Bool) {
    switch policy {
    case .accept(let limit):
      deliversBody = true
      bodyLimit = min(limit, engine.limits.body)
    case .discard:
      deliversBody = false
      bodyLimit = engine.limits.body
    }
    guard bodyRemaining <= bodyLimit else { return refuse(.bodyTooLarge) }
    if bodyHasBegun {
      awaitsContinue = false
    } else if awaitsContinue, answer == .awaited {
      awaitsContinue = false
      engine.claimOutput(self)
      engine.output.append("HTTP/1.1 100 Continue\r\n\r\n")
    }
  }

  private func takeBody(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) {
    let start = index
    let wasAnswered = answer == .finished
    awaitsContinue = false
    if isChunked {
      takeChunks(bytes, &index)
    } else {
      let count = min(bytes.count - index, bodyRemaining)
      index += count
      bodyRemaining -= count
      deliver(UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
      if bodyRemaining == 0, phase == .body { endBody() }
    }
    windowBytes += index - start
    guard phase == .body, wasAnswered else { return }
    droppedBytes += index - start
    if droppedBytes > engine.limits.drain { linger() }
  }

  private func takeChunks(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) {
    let base = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
    switch decoder.next(base, &index, bytes.count, engine.limits) {
    case .incomplete:
      break
    case .data(let from, let to):
      guard answer == .finished || to - from <= bodyLimit - bodyReceived else {
        return refuse(.bodyTooLarge)
      }
      deliver(UnsafeRawBufferPointer(rebasing: bytes[from..<to]))
    case .end:
      endBody()
    case .refused(let error):
      refuse(error)
    }
  }

  private func deliver(_ bytes: UnsafeRawBufferPointer) {
    guard isAnswerOwed else { return }
    bodyReceived += bytes.count
    if deliversBody { engine.handler.receivedBody(exchange, bytes) }
  }

  private func endBody() {
    phase = .waiting
    if isAnswerOwed { engine.handler.receivedEnd(exchange) }
  }

  // MARK: - Between turns

  /// Puts the connection in order after bytes were used: writes what was collected, sets the
  /// deadline that fits the phase, and pauses or resumes reading.
  func settle() {
    if engine.isOutput(of: self) { engine.flushOutput() }
    if isLost { return tearDown() }
    switch phase {
    case .closed, .lingering:
      return
    case .head where isHalfClosed && !isStalled:
      return closeWhenWritten()
    default:
      break
    }
    setPhaseDeadline()
    let holdsBack = phase == .waiting || isStalled
    if holdsBack && input.count >= engine.limits.pipelined {
      if !isReadingPaused { stream.readStop() }
      isReadingPaused = true
    } else if isReadingPaused {
      isReadingPaused = false
      _ = stream.readStart()
    }
  }

  private func setPhaseDeadline() {
    let list: DeadlineList
    switch phase {
    case .head where isStalled, .body where engine.limits.bodyRateWindow == 0:
      return DeadlineList.remove(phaseNode)
    case .head:
      list = isHeadPartial || request == 0 ? engine.headDeadlines : engine.idleDeadlines
    case .body:
      list = engine.bodyDeadlines
    default:
      return DeadlineList.remove(phaseNode)
    }
    guard needsNewDeadline || !list.contains(phaseNode) else { return }
    list.append(phaseNode)
    needsNewDeadline = false
  }
}
