import Eddy
import EddyHTTPCore
import HTTPTypes

extension ExchangeDispatcher {
  /// Answers from outside of a task; a streamed answer gets a task of its own.
  @discardableResult
  func answer(_ responder: Responder, with response: Response) -> Bool {
    guard case .stream(let length, let write) = response.body else {
      return respond(responder, response)
    }
    guard begin(responder, response, length) else { return false }
    if responder.isHead { return end(responder.exchange) }
    start(responder) { [self] in await stream(responder.exchange, write) }
    return true
  }

  /// Answers from inside of the exchange's task.
  func send(_ response: Response, _ responder: Responder) async {
    guard case .stream(let length, let write) = response.body else {
      _ = respond(responder, response)
      return
    }
    guard begin(responder, response, length) else { return }
    if responder.isHead {
      _ = end(responder.exchange)
    } else {
      await stream(responder.exchange, write)
    }
  }

  /// Continues a streamed answer; the loop's thread.
  func write(_ bytes: [UInt8], to exchange: Exchange) async throws {
    loop.preconditionOnLoop()
    guard let engine else { throw BodyWriter.ClientGone() }
    switch bytes.withUnsafeBytes({ engine.write(exchange, $0) }) {
    case .written: records?.wrote(exchange, bytes.count)
    case .full:
      records?.wrote(exchange, bytes.count)
      try await waitUntilWritable(exchange)
    case .gone: throw BodyWriter.ClientGone()
    }
  }

  private func stream(
    _ exchange: Exchange, _ write: @Sendable (BodyWriter) async throws -> Void
  ) async {
    do {
      try await write(BodyWriter(dispatcher: self, exchange: exchange))
      _ = end(exchange)
    } catch {
      // Of a client that has left there is nothing to tell.
      guard let engine, engine.isAlive(exchange) else { return forget(exchange) }
      logger.error(
        "A streamed answer failed; its connection is closed.",
        metadata: ["error": "\(String(reflecting: error))"])
      engine.abort(exchange)
      forget(exchange)
    }
  }

  // MARK: The engine

  private func respond(_ responder: Responder, _ response: Response) -> Bool {
    defer { forget(responder.exchange) }
    guard let engine else { return false }
    return withFieldLines(response.headers) { fields in
      func respond(_ body: UnsafeRawBufferPointer) -> Bool {
        note(responder, response.status, content: body.count)
        return engine.respond(
          responder.exchange, status: response.status.code, fields: fields, body: body)
      }
      switch response.body {
      case .bytes(let bytes): return bytes.withUnsafeBytes(respond)
      case .string(var text): return text.withUTF8 { respond(UnsafeRawBufferPointer($0)) }
      case .file(let file, let range):
        return sendFiles([.file(file, range: range)], responder, response.status, fields)
      case .segments(let segments):
        return sendFiles(segments, responder, response.status, fields)
      case .empty, .stream: return respond(UnsafeRawBufferPointer(start: nil, count: 0))
      }
    }
  }

  /// Answers with parts of files. The engine takes them all at once: their bytes stay where they are
  /// until the client takes them. An access log tells their length, whether the client takes them or
  /// not.
  private func sendFiles(
    _ segments: [Response.Body.Segment], _ responder: Responder, _ status: HTTPResponse.Status,
    _ fields: UnsafeRawBufferPointer
  ) -> Bool {
    guard let engine else { return false }
    let exchange = responder.exchange
    let length = segments.reduce(Int64(0)) { $0 + $1.count }
    note(responder, status, content: Int(length))
    guard
      engine.begin(exchange, status: status.code, fields: fields, contentLength: length)
    else { return false }
    for segment in segments where !responder.isHead {
      let result =
        switch segment {
        case .bytes(let bytes): bytes.withUnsafeBytes { engine.write(exchange, $0) }
        case .file(let file, let range): engine.sendFile(exchange, file, range)
        }
      guard result != .gone else { return false }
    }
    return engine.end(exchange)
  }

  private func begin(_ responder: Responder, _ response: Response, _ length: Int64?) -> Bool {
    guard let engine else { return false }
    note(responder, response.status)
    return withFieldLines(response.headers) { fields in
      engine.begin(
        responder.exchange, status: response.status.code, fields: fields, contentLength: length)
    }
  }

  /// For the access log.
  private func note(_ responder: Responder, _ status: HTTPResponse.Status, content: Int = 0) {
    guard let records else { return }
    let hasContent = !responder.isHead && status != .noContent && status != .notModified
    records.answer(responder.exchange, status: status.code, bytes: hasContent ? content : 0)
  }

  private func end(_ exchange: Exchange) -> Bool {
    defer { forget(exchange) }
    return engine?.end(exchange) ?? false
  }

  /// Renders into the memory that is kept. It is taken out for the time of the call, since the
  /// engine may bring the next request inside of it.
  private func withFieldLines(
    _ fields: HTTPFields, _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    var lines: [UInt8] = []
    swap(&lines, &fieldLines)
    defer { swap(&lines, &fieldLines) }
    lines.removeAll(keepingCapacity: true)
    FieldLines.append(fields, to: &lines)
    return lines.withUnsafeBytes(body)
  }
}

extension Response.Body.Segment {
  /// Bytes.
  fileprivate var count: Int64 {
    switch self {
    case .bytes(let bytes): Int64(bytes.count)
    case .file(_, let range): range.upperBound - range.lowerBound
    }
  }
}
