import EddyCore

/// From answers to bytes.
extension Connection {
  /// A body of more bytes is not copied behind its head, but written from where it lies.
  private static var largestCopiedBody: Int { 16384 }

  func respond(
    _ engine: HTTPEngine, _ status: Int, _ fields: UnsafeRawBufferPointer,
    _ body: UnsafeRawBufferPointer
  ) -> Bool {
    guard answer == .awaited, !isLost else { return false }
    let status = Status.valid(status)
    decideWhetherToClose(engine)
    engine.claimOutput(self)
    let hasNoBody = Status.hasNoBody(status) && (status == 204 || body.isEmpty)
    appendHead(engine, status, hasNoBody ? .none : .length(body.count), fields)
    if !isHeadMethod && !Status.hasNoBody(status) {
      if body.count <= Self.largestCopiedBody {
        engine.output.append(body)
      } else {
        engine.flushOutput(with: body)
      }
    }
    answer = .finished
    return proceed(engine)
  }

  func begin(_ status: Int, _ fields: UnsafeRawBufferPointer, _ contentLength: Int64?) -> Bool {
    guard answer == .awaited, !isLost else { return false }
    let status = Status.valid(status)
    if Status.hasNoBody(status) {
      framing = .none
    } else if let contentLength {
      framing = .length(max(0, Int(contentLength)))
    } else {
      framing = minorVersion > 0 ? .chunked : .close
    }
    decideWhetherToClose(engine)
    if framing == .close { closesAfterAnswer = true }
    engine.claimOutput(self)
    appendHead(engine, status, framing, fields)
    if isHeadMethod { framing = .none }
    answer = .streaming
    if !isConsuming { engine.scheduleFlush() }
    return true
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> WriteResult {
    guard answer == .streaming, !isLost else { return .gone }
    guard bytes.count > 0, framing != .none else { return .written }
    if case .length(let remaining) = framing {
      guard bytes.count <= remaining else {
        abort()
        return .gone
      }
      framing = .length(remaining - bytes.count)
    }
    let output = engine.output
    engine.claimOutput(self)
    if framing == .chunked {
      output.reserve(18)  // 16 digits and CR LF.
      output.appendUnchecked(hexadecimal: bytes.count)
      output.append("\r\n")
    }
    if bytes.count <= Self.largestCopiedBody {
      output.append(bytes)
    } else {
      engine.flushOutput(with: bytes)
      engine.claimOutput(self)
    }
    if framing == .chunked { output.append("\r\n") }
    if output.count + stream.queued >= engine.limits.writeBuffer { engine.flushOutput() }
    if isLost { return .gone }
    if !isConsuming { engine.scheduleFlush() }
    guard stream.queued >= engine.limits.writeBuffer else { return .written }
    owesWritable = true
    return .full
  }

  func end() -> Bool {
    guard answer == .streaming, !isLost else { return false }
    if case .length(let remaining) = framing, remaining > 0 {
      abort()
      return false
    }
    engine.claimOutput(self)
    if framing == .chunked { engine.output.append("0\r\n\r\n") }
    answer = .finished
    owesWritable = false
    return proceed(engine)
  }

  /// The client must see that the answer isn't whole: a reset says so even where the connection's
  /// end would be the answer's.
  func abort() {
    answer = .none
    if engine.isOutput(of: self) { engine.flushOutput() }
    close(reset: framing == .close)
  }

  // MARK: - Parts

  private func appendHead(
    _ engine: HTTPEngine, _ status: Int, _ framing: ResponseFraming,
    _ fields: UnsafeRawBufferPointer
  ) {
    if !isConsuming { engine.dates.update(now: engine.loop.now) }
    let option: ConnectionOption =
      if closesAfterAnswer { .close } else if minorVersion == 0 { .keepAlive } else { .none }
    engine.output.appendHead(
      status: status, framing: framing, connection: option,
      serverAndDate: engine.dates.lines, fields: fields)
  }

  /// Decides, before an answer's head is written, whether the connection can be used again.
  private func decideWhetherToClose(_ engine: HTTPEngine) {
    let limit = engine.limits.requestsPerConnection
    closesAfterAnswer =
      !keepsAlive || engine.isDraining || limit > 0 && request >= UInt64(limit)
      || phase == .body && !canDrainBody(engine)
  }

  /// True if what is left of the body may be read and dropped. A client that waits for 100 Continue
  /// may or may not send it after a final answer (RFC 9110 §10.1.1): then nobody knows what the
  /// next bytes are.
  private func canDrainBody(_ engine: HTTPEngine) -> Bool {
    !awaitsContinue && bodyRemaining <= engine.limits.drain
  }

  /// After the end of an answer: `consume` goes on by itself; otherwise the answer is written now,
  /// and the next request is taken up later in the turn, not inside the caller's call.
  ///
  /// - Returns: false if it could not be written.
  private func proceed(_ engine: HTTPEngine) -> Bool {
    if isConsuming {
      if engine.output.count >= engine.limits.writeBuffer { engine.flushOutput() }
      return !isLost
    }
    engine.flushOutput()
    guard !isLost else { return false }
    advance()
    if phase == .head {
      if input.isEmpty && !isHalfClosed { settle() } else { engine.schedule(self) }
    }
    return true
  }

  /// Leaves a request whose answer is finished, if nothing of it is still to come.
  func advance() {
    if closesAfterAnswer || engine.isDraining && phase == .waiting {
      return linger()
    }
    deliversBody = false
    guard phase == .waiting else { return }
    phase = .head
    answer = .none
  }

  // MARK: - Refusals

  /// For the log; nothing is written yet.
  private func reportRefusal(_ error: RequestError, _ before: Answer) {
    guard let report = engine.onRefusal, before == .none || before == .awaited else { return }
    var length = 0
    if before == .none || !isHeadMethod {
      engine.problem.removeAll()
      engine.problem.appendProblem(error)
      length = engine.problem.count
    }
    report(exchange, error.status, length)
  }

  /// Answers in the handler's place, if an answer can still be sent, and closes.
  func refuse(_ error: RequestError) {
    guard phase != .closed, phase != .lingering else { return }
    let before = answer
    reportRefusal(error, before)
    answer = .none
    if before == .awaited || before == .streaming {
      engine.handler.abandoned(exchange)
      guard phase != .closed else { return }
    }
    switch before {
    case .streaming:
      return abort()
    case .finished:
      return linger()
    case .none:
      isHeadMethod = false
    case .awaited:
      break
    }
    let problem = engine.problem
    problem.removeAll()
    problem.appendProblem(error)
    closesAfterAnswer = true
    engine.claimOutput(self)
    let type: StaticString = "Content-Type: application/problem+json\r\n"
    appendHead(
      engine, error.status, .length(problem.count),
      UnsafeRawBufferPointer(start: type.utf8Start, count: type.utf8CodeUnitCount))
    if !isHeadMethod { engine.output.append(problem.bytes) }
    linger()
  }
}
