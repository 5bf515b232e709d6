import EddyCore
import Testing

@testable import EddyHTTPCore

/// Answers: their heads, their order, and what a late one meets.
@Suite struct AnswerTests {
  private func get(_ target: String, _ fields: String = "") -> String {
    "GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
  }

  /// The lines of a head without those that every head has.
  private func lines(_ answer: String) -> [String] {
    answer.components("\r\n\r\n")[0].components("\r\n").filter {
      !$0.hasPrefix("Date: ") && !$0.hasPrefix("Server: ")
    }
  }

  @Test func aHeadHasTheGivenFieldsAndTheEngines() throws {
    let server = try Server()
    server.recorder.onEnd = {
      $0.respond($1, status: 201, fields: "Location: /x\r\nA: b\r\n", body: "made")
    }
    let answer = server.answer(get("/"))
    #expect(
      lines(answer) == ["HTTP/1.1 201 Created", "Content-Length: 4", "Location: /x", "A: b"])
    #expect(answer.hasSuffix("\r\n\r\nmade"))
  }

  @Test(arguments: [(200, "OK"), (204, "No Content"), (299, ""), (304, "Not Modified"), (599, "")])
  func aStatusIsSentWithItsReason(_ status: Int, _ reason: String) throws {
    let server = try Server()
    server.recorder.onEnd = { $0.respond($1, status: status) }
    let hasLength = status != 204 && status != 304
    #expect(
      lines(server.answer(get("/")))
        == ["HTTP/1.1 \(status) \(reason)"] + (hasLength ? ["Content-Length: 0"] : []))
  }

  @Test(arguments: [0, 100, 101, 199, 600, 1000, -1])
  func whatIsNoFinalStatusIsSentAs500(_ status: Int) throws {
    let server = try Server()
    server.recorder.onEnd = { $0.respond($1, status: status) }
    #expect(server.answer(get("/")).hasPrefix("HTTP/1.1 500 Internal Server Error\r\n"))
  }

  @Test func headAnd304HaveTheLengthButNotTheBody() throws {
    let server = try Server()
    let head = server.answer("HEAD /12345 HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(lines(head) == ["HTTP/1.1 200 OK", "Content-Length: 6"])
    #expect(head.hasSuffix("\r\n\r\n"))
    server.recorder.onEnd = { $0.respond($1, status: 304, body: "abc") }
    let notModified = server.answer(get("/"))
    #expect(lines(notModified) == ["HTTP/1.1 304 Not Modified", "Content-Length: 3"])
    #expect(notModified.hasSuffix("\r\n\r\n"))
    server.recorder.onEnd = { $0.respond($1, status: 204, body: "abc") }
    #expect(server.answer(get("/")).hasSuffix("\r\n\r\n"))
  }

  @Test func http10IsKeptOnlyOnDemand() throws {
    let server = try Server()
    let client = server.connect()
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(lines(client.receive()).contains("Connection: keep-alive"))
    client.send("GET / HTTP/1.0\r\n\r\n")
    #expect(lines(client.receive()).contains("Connection: close"))
    #expect(client.hasEnded)
  }

  @Test func theDateIsAnIMFFixdate() {
    let buffer = OutputBuffer()
    for (time, text) in [
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
      (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
    ] {
      buffer.removeAll()
      DateCache.append(time, to: buffer)
      #expect(buffer.bytes.text == text)
    }
  }

  @Test func theDateIsRenderedAtMostOnceASecond() {
    let dates = DateCache(serverName: "")
    func lines(now: UInt64) -> String {
      dates.update(now: now)
      return dates.lines.text
    }
    let first = lines(now: 5)
    #expect(first.hasPrefix("Date: ") && first.hasSuffix(" GMT\r\n"))
    #expect(lines(now: 6) == first)
    #expect(lines(now: 2_000_000_000).utf8.count == first.utf8.count)
  }

  @Test func numbersAreWrittenInFull() {
    let buffer = OutputBuffer(capacity: 1)
    for number in [0, 9, 10, 99, 100, 12_345, Int.max] {
      buffer.removeAll()
      buffer.reserve(19)
      buffer.appendUnchecked(decimal: number)
      #expect(buffer.bytes.text == String(number))
      buffer.removeAll()
      buffer.appendUnchecked(hexadecimal: number)
      #expect(buffer.bytes.text == String(number, radix: 16))
    }
  }

  // MARK: - Order

  @Test func pipelinedRequestsAreAnsweredInOrderThoughTheFirstIsAnsweredLate() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get("/1") + get("/2") + get("/3"))
    #expect(client.receive() == "")
    // One request at a time.
    #expect(server.events == [.head("GET /1"), .end])
    for index in 0..<3 {
      #expect(server.engine.respond(server.recorder.exchanges[index], body: "answer \(index)"))
      #expect(client.receive().hasSuffix("\r\n\r\nanswer \(index)"))
    }
    #expect(server.recorder.heads.map(\.target) == ["/1", "/2", "/3"])
  }

  @Test func theNextRequestIsNotTakenUpInsideTheCallThatAnswers() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get("/1") + get("/2"))
    server.engine.respond(server.recorder.exchanges[0])
    #expect(server.recorder.heads.count == 1)
    server.turn()
    #expect(server.recorder.heads.count == 2)
  }

  @Test func aThousandPipelinedRequestsAreAnswered() throws {
    let server = try Server()
    let client = server.connect()
    client.send((0..<1000).map { get("/\($0)") }.joined())
    let answers = client.receive()
    #expect(statuses(answers) == Array(repeating: 200, count: 1000))
    #expect(answers.hasSuffix("\r\n\r\n/999"))
  }

  @Test func laterRequestsAreKeptOnlyUpToABound() throws {
    var limits = HTTPLimits()
    limits.pipelined = 10_000
    let server = try Server(limits)
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get("/1"))
    // More than the engine's bound and the kernel's buffers hold is not taken.
    let request = get("/2")
    var sent = 0
    while sent < 5_000_000 {
      let part = Array(String(repeating: request, count: 100).utf8)
      let count = part.withUnsafeBytes { send(client.fd, $0) }
      server.turn(1)
      if count <= 0 { break }
      sent += count
    }
    #expect(sent < 2_000_000)
    // All of it is served in the end.
    server.recorder.onEnd = { $0.respond($1) }
    server.engine.respond(server.recorder.exchanges[0])
    var answers = ""
    server.wait {
      answers += client.receive()
      return server.recorder.heads.count >= sent / request.utf8.count
    }
    #expect(server.recorder.heads.count == 1 + sent / request.utf8.count)
  }

  // MARK: - Exchanges

  @Test func anExchangeIsAnsweredOnce() throws {
    let server = try Server()
    server.recorder.onEnd = { engine, exchange in
      #expect(engine.isAlive(exchange))
      #expect(engine.respond(exchange, body: "first"))
      #expect(!engine.isAlive(exchange))
      #expect(!engine.respond(exchange, body: "second"))
      #expect(!engine.begin(exchange))
      #expect(engine.write(exchange, "x") == .gone)
      #expect(!engine.end(exchange))
      #expect(!engine.abort(exchange))
    }
    #expect(statuses(server.answer(get("/"))) == [200])
    #expect(!server.events.contains(.abandoned))
  }

  @Test func anOldExchangeReachesNoLaterConnectionOfItsSlot() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let first = server.connect()
    first.send(get("/old"))
    first.close()
    server.engine.cancelsOnHalfClose(server.recorder.exchanges[0])
    server.turn()
    #expect(server.events.last == .abandoned)
    let second = server.connect()
    second.send(get("/new"))
    let (old, new) = (server.recorder.exchanges[0], server.recorder.exchanges[1])
    #expect(old.slot == new.slot && old.request == new.request)
    #expect(old.connectionNumber != new.connectionNumber)
    #expect(!server.engine.respond(old, body: "old"))
    #expect(second.receive() == "")
    #expect(server.engine.respond(new, body: "new"))
    #expect(second.receive().hasSuffix("new"))
  }

  @Test func anOldExchangeReachesNoLaterRequestOfItsConnection() throws {
    let server = try Server()
    let client = server.connect()
    client.send(get("/1"))
    server.recorder.onEnd = { _, _ in }
    client.send(get("/2"))
    _ = client.receive()
    #expect(!server.engine.respond(server.recorder.exchanges[0], body: "wrong"))
    #expect(server.engine.respond(server.recorder.exchanges[1], body: "right"))
    #expect(client.receive().hasSuffix("right"))
  }

  @Test func theTableUsesSlotsAgainWithAnotherGeneration() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    var clients = (0..<200).map { _ in server.connect() }
    for client in clients { client.send(get("/")) }
    #expect(Set(server.recorder.exchanges).count == 200)
    #expect(server.engine.connectionCount == 200)
    clients.removeAll()
    for exchange in server.recorder.exchanges { server.engine.cancelsOnHalfClose(exchange) }
    server.turn()
    #expect(server.engine.connectionCount == 0)
    clients = (0..<200).map { _ in server.connect() }
    for client in clients { client.send(get("/")) }
    #expect(Set(server.recorder.exchanges).count == 400)
    #expect(Set(server.recorder.exchanges.map(\.slot)).count == 200)
  }

  @Test func aHandlerMayAnswerAnotherConnectionThanTheOneThatIsRead() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let parked = server.connect()
    parked.send(get("/parked"))
    server.recorder.onEnd = { [unowned server] engine, exchange in
      engine.respond(exchange, body: "own")
      engine.respond(server.recorder.exchanges[0], body: "other")
    }
    let client = server.connect()
    client.send(get("/1") + get("/2"))
    #expect(client.receive().components("own").count == 3)
    #expect(parked.receive().hasSuffix("\r\n\r\nother"))
  }

  @Test func thePeerOfAnExchangeHasAnAddress() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get("/"))
    var text = [CChar](repeating: 0, count: 128)
    let exchange = server.recorder.exchanges[0]
    #expect(text.withUnsafeMutableBufferPointer { server.engine.peer(exchange, into: $0) } >= 0)
    server.engine.respond(exchange)
    #expect(
      text.withUnsafeMutableBufferPointer { server.engine.peer(exchange, into: $0) }
        == Int32(EDDY_ENOTCONN))
  }

  @Test func theLastRequestOfAConnectionIsToldSo() throws {
    var limits = HTTPLimits()
    limits.requestsPerConnection = 2
    let server = try Server(limits)
    let client = server.connect()
    client.send(get("/1") + get("/2") + get("/3"))
    let answers = client.receive()
    #expect(statuses(answers) == [200, 200])
    #expect(answers.components("Connection: close\r\n").count == 2)
    #expect(client.hasEnded)
  }
}
