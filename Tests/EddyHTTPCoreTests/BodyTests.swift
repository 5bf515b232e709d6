import Testing

@testable import EddyHTTPCore

/// Bodies: how they reach the handler, and what happens to those that nobody wants.
@Suite struct BodyTests {
  private func post(_ length: Int, _ fields: String = "") -> String {
    "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\(fields)\r\n"
  }

  private let chunked = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
  private let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test func aBodyInPartsReachesTheHandlerInParts() throws {
    let server = try Server()
    let client = server.connect()
    client.send(post(10) + "hello")
    #expect(server.events == [.head("POST /p"), .body(Array("hello".utf8))])
    client.send("world" + next)
    #expect(statuses(client.receive()) == [200, 200])
    #expect(
      server.events == [
        .head("POST /p"), .body(Array("helloworld".utf8)), .end, .head("GET /next"), .end,
      ])
  }

  @Test func aLargeBodyArrivesWhole() throws {
    let server = try Server()
    let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let client = server.connect()
    client.send(Array(post(body.count).utf8) + body)
    #expect(status(client.receive()) == 200)
    #expect(server.events == [.head("POST /p"), .body(body), .end])
  }

  @Test func aDiscardedBodyIsNotDelivered() throws {
    let server = try Server()
    server.recorder.policy = .discard
    let client = server.connect()
    client.send(post(5) + "hello" + chunked + "5\r\nhello\r\n0\r\n\r\n")
    #expect(statuses(client.receive()) == [200, 200])
    #expect(server.events == [.head("POST /p"), .end, .head("POST /p"), .end])
  }

  // MARK: - Too large

  @Test func aBodyThatIsAnnouncedAsTooLargeIsRefusedAtOnce() throws {
    let server = try Server()
    server.recorder.policy = .accept(limit: 4)
    let client = server.connect()
    client.send(post(5))
    #expect(status(client.receive()) == 413)
    #expect(client.hasEnded)
    #expect(server.events == [.head("POST /p"), .abandoned])
    client.send(post(4) + "late")  // Dropped.
    #expect(server.events.count == 2)
  }

  @Test func chunksAreRefusedWhenTheyPassTheLimit() throws {
    let server = try Server()
    server.recorder.policy = .accept(limit: 6)
    let client = server.connect()
    client.send(chunked + "6\r\nhello!\r\n")
    #expect(client.receive() == "")
    client.send("1\r\n")
    #expect(client.receive() == "")
    client.send("?\r\n")
    #expect(status(client.receive()) == 413)
    #expect(server.events == [.head("POST /p"), .body(Array("hello!".utf8)), .abandoned])
    #expect(server.recorder.exchanges.allSatisfy { !server.engine.isAlive($0) })
  }

  @Test func theEnginesLimitIsAboveEveryHandlers() throws {
    var limits = HTTPLimits()
    limits.body = 3
    for policy in [BodyPolicy.accept(limit: 100), .discard] {
      let server = try Server(limits)
      server.recorder.policy = policy
      #expect(status(server.answer(post(4))) == 413)
      #expect(status(server.answer(post(3) + "abc")) == 200)
    }
  }

  @Test func anAnswerOfTheHandlerCountsBeforeTheLimit() throws {
    let server = try Server()
    server.recorder.policy = .accept(limit: 0)
    server.recorder.onHead = { $0.respond($1, status: 404) }
    #expect(status(server.answer(post(5))) == 404)
    #expect(server.events == [.head("POST /p")])
  }

  // MARK: - Expect

  @Test func aClientThatWaitsIsToldToContinue() throws {
    let server = try Server()
    let client = server.connect()
    client.send(post(5, "Expect: 100-continue\r\n"))
    #expect(client.receive() == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send("hello")
    #expect(status(client.receive()) == 200)
    #expect(!client.hasEnded)
  }

  @Test func aClientThatDoesNotWaitIsNotTold() throws {
    let server = try Server()
    #expect(statuses(server.answer(post(5, "Expect: 100-continue\r\n") + "hello")) == [200])
    #expect(statuses(server.answer(post(0, "Expect: 100-continue\r\n"))) == [200])
  }

  @Test func aFinalAnswerInsteadOf100ContinueEndsTheConnection() throws {
    let server = try Server()
    server.recorder.onHead = { $0.respond($1, status: 403) }
    let client = server.connect()
    client.send(post(5, "Expect: 100-continue\r\n"))
    let answer = client.receive()
    #expect(statuses(answer) == [403])
    #expect(answer.contains("Connection: close\r\n"))
    #expect(client.hasEnded)
  }

  @Test func aBodyOverTheLimitIsNotAskedFor() throws {
    let server = try Server()
    server.recorder.policy = .accept(limit: 4)
    #expect(statuses(server.answer(post(5, "Expect: 100-continue\r\n"))) == [413])
  }

  // MARK: - Bodies that nobody reads (RFC 9112 §9.3)

  @Test func aSmallBodyThatIsNotReadIsDroppedAndTheConnectionKept() throws {
    let server = try Server()
    server.recorder.onHead = { $0.respond($1, status: 404) }
    for body in [post(10) + "0123456789", chunked + "a\r\n0123456789\r\n0\r\n\r\n"] {
      let client = server.connect()
      let half = body.utf8.count / 2 + 35
      client.send(String(body.utf8.prefix(half))!)
      let answer = client.receive()
      #expect(status(answer) == 404)
      #expect(!answer.contains("Connection: close"))
      client.send(String(body.utf8.dropFirst(half))! + next)
      #expect(statuses(client.receive()) == [404])
      #expect(server.events.suffix(2) == [.head("POST /p"), .head("GET /next")])
      #expect(!client.hasEnded)
    }
  }

  @Test func aLargeBodyThatIsNotReadEndsTheConnection() throws {
    let server = try Server()
    server.recorder.onHead = { $0.respond($1, status: 404) }
    let client = server.connect()
    client.send(post(1_000_000))
    let answer = client.receive()
    #expect(status(answer) == 404)
    #expect(answer.contains("Connection: close\r\n"))
    #expect(client.hasEnded)
  }

  @Test func endlessChunksThatAreNotReadEndTheConnection() throws {
    let server = try Server()
    server.recorder.onHead = { $0.respond($1, status: 404) }
    let client = server.connect()
    client.send(chunked + "7fffffff\r\n")
    #expect(!client.receive().contains("Connection: close"))
    client.send([UInt8](repeating: 0, count: 300_000))
    _ = client.receive()
    #expect(client.hasEnded)
    server.wait { server.engine.connectionCount == 0 || client.hasEnded }
  }

  @Test func aMalformedChunkAfterTheAnswerEndsTheConnectionWithoutAnother() throws {
    let server = try Server()
    server.recorder.onHead = { $0.respond($1, status: 404) }
    let client = server.connect()
    client.send(chunked + "x\r\n")
    #expect(statuses(client.receive()) == [404])
    #expect(client.hasEnded)
  }

  @Test func anAnswerInTheMiddleOfABodyEndsItsEvents() throws {
    let server = try Server()
    server.recorder.onBody = { $0.respond($1, status: 422) }
    let client = server.connect()
    client.send(post(10) + "hello")
    #expect(statuses(client.receive()) == [422])
    client.send("world" + next)
    #expect(statuses(client.receive()) == [200])
    #expect(
      server.events == [
        .head("POST /p"), .body(Array("hello".utf8)), .head("GET /next"), .end,
      ])
  }

  @Test func aClientThatEndsInTheMiddleOfABodyIsAbandoned() throws {
    let server = try Server()
    let client = server.connect()
    client.send(post(10) + "hello")
    client.finish()
    #expect(client.receive() == "")
    #expect(client.hasEnded)
    #expect(server.events.last == .abandoned)
    #expect(server.engine.connectionCount == 0)
  }
}
