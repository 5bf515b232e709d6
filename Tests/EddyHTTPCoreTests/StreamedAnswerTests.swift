import EddyCore
import Testing

@testable import EddyHTTPCore

/// Answers that are written in parts.
@Suite struct StreamedAnswerTests {
  private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

  private func body(_ answer: String) -> String {
    answer.components("\r\n\r\n").dropFirst().joined(separator: "\r\n\r\n")
  }

  @Test func aKnownLengthIsAnnounced() throws {
    let server = try Server()
    server.recorder.onEnd = {
      #expect($0.begin($1, length: 10))
      #expect($0.write($1, "hello") == .written)
      #expect($0.write($1, "") == .written)
      #expect($0.write($1, "world") == .written)
      #expect($0.end($1))
    }
    let answer = server.answer(get)
    #expect(answer.contains("\r\nContent-Length: 10\r\n"))
    #expect(body(answer) == "helloworld")
  }

  @Test func anUnknownLengthIsSentInChunks() throws {
    let server = try Server()
    server.recorder.onEnd = {
      $0.begin($1)
      $0.write($1, "hello")
      $0.write($1, "")
      $0.write($1, String(repeating: "x", count: 17))
      $0.end($1)
    }
    let client = server.connect()
    client.send(get + get)
    let answers = client.receive()
    #expect(answers.components("\r\nTransfer-Encoding: chunked\r\n").count == 3)
    #expect(answers.hasSuffix("\r\n\r\n5\r\nhello\r\n11\r\nxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n"))
    #expect(statuses(answers) == [200, 200])
  }

  @Test func anUnknownLengthEndsWithTheConnectionInHTTP10() throws {
    let server = try Server()
    server.recorder.onEnd = {
      $0.begin($1)
      $0.write($1, "hello")
      $0.end($1)
    }
    let client = server.connect()
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    let answer = client.receive()
    #expect(answer.contains("Connection: close\r\n") && !answer.contains("Transfer-Encoding"))
    #expect(body(answer) == "hello")
    #expect(client.hasEnded)
  }

  @Test(arguments: [nil, 5] as [Int64?]) func headHasNoBody(_ length: Int64?) throws {
    let server = try Server()
    server.recorder.onEnd = {
      $0.begin($1, length: length)
      #expect($0.write($1, "hello") == .written)
      #expect($0.end($1))
    }
    let client = server.connect()
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(body(client.receive()) == "")
    #expect(!client.hasEnded)
  }

  @Test(arguments: [204, 304]) func aStatusWithoutBodyHasNone(_ status: Int) throws {
    let server = try Server()
    server.recorder.onEnd = {
      $0.begin($1, status: status)
      #expect($0.write($1, "hello") == .written)
      #expect($0.end($1))
    }
    let answer = server.answer(get)
    #expect(body(answer) == "")
    #expect(!answer.contains("Transfer-Encoding") && !answer.contains("Content-Length"))
  }

  @Test func whatIsWrittenOutsideACallbackIsSentInTheSameTurn() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get)
    let exchange = server.recorder.exchanges[0]
    server.engine.begin(exchange)
    server.engine.write(exchange, "a")
    let first = client.receive()
    #expect(first.hasSuffix("\r\n\r\n1\r\na\r\n"))
    server.engine.write(exchange, "b")
    server.engine.write(exchange, "c")
    #expect(client.receive() == "1\r\nb\r\n1\r\nc\r\n")
    #expect(server.engine.end(exchange))
    #expect(client.receive() == "0\r\n\r\n")
  }

  @Test func twoStreamedAnswersDoNotMix() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let clients = [server.connect(), server.connect()]
    for client in clients { client.send(get) }
    for exchange in server.recorder.exchanges { server.engine.begin(exchange, length: 4) }
    for _ in 0..<2 {
      server.engine.write(server.recorder.exchanges[0], "aa")
      server.engine.write(server.recorder.exchanges[1], "bb")
    }
    for exchange in server.recorder.exchanges { #expect(server.engine.end(exchange)) }
    #expect(body(clients[0].receive()) == "aaaa")
    #expect(body(clients[1].receive()) == "bbbb")
  }

  @Test func moreThanWasAnnouncedAbortsTheAnswer() throws {
    let server = try Server()
    server.recorder.onEnd = {
      $0.begin($1, length: 4)
      #expect($0.write($1, "hell") == .written)
      #expect($0.write($1, "o") == .gone)
      #expect(!$0.isAlive($1))
    }
    let client = server.connect()
    client.send(get)
    #expect(body(client.receive()) == "hell")
    #expect(client.hasEnded)
    #expect(!server.events.contains(.abandoned))
    #expect(server.engine.connectionCount == 0)
  }

  @Test func lessThanWasAnnouncedAbortsTheAnswer() throws {
    let server = try Server()
    server.recorder.onEnd = {
      $0.begin($1, length: 4)
      $0.write($1, "hel")
      #expect(!$0.end($1))
    }
    let client = server.connect()
    client.send(get + get)
    #expect(body(client.receive()) == "hel")
    #expect(client.hasEnded)
  }

  @Test func anAbortedAnswerHasNoValidEnd() throws {
    let server = try Server()
    server.recorder.onEnd = {
      $0.begin($1)
      $0.write($1, "hello")
      #expect($0.abort($1))
      #expect(!$0.abort($1))
    }
    let client = server.connect()
    client.send(get + get)
    #expect(body(client.receive()) == "5\r\nhello\r\n")
    #expect(client.hasEnded)
    #expect(server.recorder.heads.count == 1)
  }

  @Test func aSlowClientMakesAWriteFullAndItsReadingMakesItWritable() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get)
    let exchange = server.recorder.exchanges[0]
    server.engine.begin(exchange)
    let part = String(repeating: "x", count: 10_000)
    var written = 0
    while server.engine.write(exchange, part) == .written, written < 100_000_000 {
      written += part.utf8.count
    }
    written += part.utf8.count
    #expect(written < 10_000_000)
    #expect(!server.events.contains(.writable))
    var received = client.receive()
    server.wait {
      received += client.receive()
      return server.events.contains(.writable)
    }
    #expect(server.events.filter { $0 == .writable }.count == 1)
    #expect(server.engine.end(exchange))
    received += client.receive()
    #expect(received.utf8.filter { $0 == UInt8(ascii: "x") }.count == written)
    #expect(received.hasSuffix("\r\n0\r\n\r\n"))
  }

  @Test func largePartsAreSentWhole() throws {
    let server = try Server()
    let large = String(repeating: "0123456789", count: 40_000)
    server.recorder.onEnd = {
      $0.begin($1)
      $0.write($1, "small")
      $0.write($1, large)
      $0.end($1)
      // The same in one piece.
    }
    let client = server.connect()
    client.send(get)
    var received = client.receive()
    server.wait {
      received += client.receive()
      return received.hasSuffix("0\r\n\r\n")
    }
    #expect(body(received) == "5\r\nsmall\r\n61a80\r\n\(large)\r\n0\r\n\r\n")

    server.recorder.onEnd = { $0.respond($1, body: large) }
    client.send(get)
    received = client.receive()
    server.wait {
      received += client.receive()
      return received.utf8.count > large.utf8.count
    }
    #expect(body(received) == large)
  }

  @Test func theNextRequestWaitsWhileAnAnswerIsNotTaken() throws {
    let server = try Server()
    let large = String(repeating: "x", count: 3_000_000)
    server.recorder.onEnd = { $0.respond($1, body: large) }
    let client = server.connect()
    client.send(get + get)
    #expect(server.recorder.heads.count == 1)
    var received = client.receive()
    server.wait {
      received += client.receive()
      return received.utf8.count > 6_000_000
    }
    #expect(server.recorder.heads.count == 2)
    #expect(received.utf8.filter { $0 == UInt8(ascii: "x") }.count == 6_000_000)
  }

  @Test func aClientThatIsGoneInMidAnswerIsNoticed() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get)
    let exchange = server.recorder.exchanges[0]
    server.engine.begin(exchange)
    server.turn()
    client.close()
    server.engine.write(exchange, "x")
    server.turn()
    #expect(server.events.last == .abandoned)
    #expect(server.engine.write(exchange, "x") == .gone)
    #expect(server.engine.connectionCount == 0)
  }
}
