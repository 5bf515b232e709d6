import CLibev
import EddyCore
import Testing

@testable import EddyHTTPCore

/// Answers whose bodies are files.
@Suite final class FileAnswerTests {
  private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
  private let path: String
  private let content: [UInt8]

  /// More than a socket's buffers hold.
  private static let size = 3_000_000

  init() throws {
    var template = Array("/tmp/eddy-http-file.XXXXXX".utf8CString)
    let fd = mkstemp(&template)
    try #require(fd >= 0)
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    content = (0..<Self.size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251) }
    let written = write(fd, content, content.count)
    _ = close(fd)
    try #require(written == content.count)
  }

  deinit { unlink(path) }

  private func open() -> OpenFile {
    OpenFile(adopting: clibev_open(path, O_RDONLY | O_CLOEXEC))
  }

  /// Answers each request with parts of the file.
  private func serve(_ server: Server, _ parts: Range<Int64>..., length: Int64? = nil) {
    server.recorder.onEnd = { [self] engine, exchange in
      let file = open()
      #expect(engine.begin(exchange, length: length ?? parts.reduce(0) { $0 + Int64($1.count) }))
      for part in parts { #expect(engine.sendFile(exchange, file, part) == .written) }
      #expect(engine.end(exchange))
    }
  }

  /// Reads until that many bytes of bodies have come, or for two seconds.
  private func receive(_ client: Client, _ server: Server, _ count: Int) -> [UInt8] {
    var received = client.receiveBytes()
    server.wait {
      if received.count < count { received += client.receiveBytes() }
      return received.count >= count || client.hasEnded
    }
    return received
  }

  private func body(_ answer: [UInt8]) -> ArraySlice<UInt8> {
    var index = 0
    while index + 4 <= answer.count, Array(answer[index..<index + 4]) != [13, 10, 13, 10] {
      index += 1
    }
    return answer.dropFirst(index + 4)
  }

  @Test(
    arguments: [0..<1, 100..<16_484, 100..<16_485, 5..<70_000, 0..<3_000_000] as [Range<Int64>])
  func aPartIsSentWhole(_ part: Range<Int64>) throws {
    let server = try Server()
    serve(server, part)
    let client = server.connect()
    client.send(get)
    let answer = receive(client, server, part.count)
    #expect(body(answer) == content[Int(part.lowerBound)..<Int(part.upperBound)])
    #expect(!client.hasEnded)
  }

  @Test func theConnectionGoesOnAndPipelinedAnswersKeepTheirOrder() throws {
    let server = try Server()
    let recorder = server.recorder
    recorder.onEnd = { [self] engine, exchange in
      guard exchange.request % 2 == 1 else {
        engine.respond(exchange, body: "small\(exchange.request)")
        return
      }
      engine.begin(exchange, length: 1_000_000)
      let start = Int64(exchange.request) * 1000
      #expect(engine.sendFile(exchange, open(), start..<start + 1_000_000) == .written)
      #expect(engine.end(exchange))
    }
    let client = server.connect()
    client.send(get + get + get + get)
    // While a file waits for the client, no further request is taken up.
    #expect(recorder.heads.count == 1)
    var answers = receive(client, server, 2_000_500)
    server.wait {
      answers += client.receiveBytes()
      return recorder.heads.count == 4 && !answers.isEmpty
    }
    answers += client.receiveBytes()
    for request in 1...4 {
      let head = answers.prefix(400)
      let length = request % 2 == 1 ? 1_000_000 : 6
      #expect(String(decoding: head, as: UTF8.self).contains("Content-Length: \(length)\r\n"))
      let rest = body(answers)
      let expected =
        request % 2 == 1
        ? content[(request * 1000)..<(request * 1000 + 1_000_000)]
        : Array("small\(request)".utf8)[...]
      #expect(rest.prefix(length) == expected)
      answers = Array(rest.dropFirst(length))
    }
    #expect(answers.isEmpty)
    client.send(get)
    #expect(receive(client, server, 1_000_000).count > 1_000_000)
  }

  @Test func filesAndBytesKeepTheirOrder() throws {
    let server = try Server()
    server.recorder.onEnd = { [self] engine, exchange in
      let file = open()
      engine.begin(exchange, length: 5 + 1_000_000 + 3 + 100 + 1_000_000 + 3)
      engine.write(exchange, "first")
      _ = engine.sendFile(exchange, file, 0..<1_000_000)
      engine.write(exchange, "mid")
      _ = engine.sendFile(exchange, file, 7..<107)
      _ = engine.sendFile(exchange, file, 2_000_000..<3_000_000)
      engine.write(exchange, "end")
      #expect(engine.end(exchange))
    }
    let client = server.connect()
    client.send(get)
    let answer = body(receive(client, server, 2_000_111))
    let expected: [[UInt8]] = [
      Array("first".utf8), Array(content[..<1_000_000]), Array("mid".utf8),
      Array(content[7..<107]), Array(content[2_000_000...]), Array("end".utf8),
    ]
    #expect(Array(answer) == expected.flatMap { $0 })
  }

  @Test func aFileMayBeSentInChunks() throws {
    let server = try Server()
    server.recorder.onEnd = { [self] engine, exchange in
      engine.begin(exchange)
      _ = engine.sendFile(exchange, open(), 0..<5)
      _ = engine.sendFile(exchange, open(), 0..<20_000)
      #expect(engine.end(exchange))
    }
    let client = server.connect()
    client.send(get)
    let answer = body(receive(client, server, 20_050))
    let expected: [[UInt8]] = [
      Array("5\r\n".utf8), Array(content[..<5]), Array("\r\n4e20\r\n".utf8),
      Array(content[..<20_000]), Array("\r\n0\r\n\r\n".utf8),
    ]
    #expect(Array(answer) == expected.flatMap { $0 })
  }

  @Test func headSendsNoneOfIt() throws {
    let server = try Server()
    serve(server, 0..<1_000_000)
    let client = server.connect()
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + get.replacing("GET", "HEAD"))
    let answers = client.receive()
    #expect(answers.components("Content-Length: 1000000\r\n").count == 3)
    #expect(answers.hasSuffix("\r\n\r\n"))
    #expect(body(Array(answers.components("\r\n\r\n").dropFirst(2).joined().utf8)).isEmpty)
  }

  @Test func theConnectionClosesAfterTheWholeFileIfTheClientWantsIt() throws {
    let server = try Server()
    serve(server, 0..<3_000_000)
    let client = server.connect()
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    let answer = receive(client, server, .max)
    #expect(client.hasEnded)
    #expect(body(answer) == content[...])
  }

  @Test func aClientThatHasEndedItsSideGetsTheWholeFile() throws {
    let server = try Server()
    serve(server, 0..<3_000_000)
    let client = server.connect()
    client.send(get)
    client.finish()
    server.turn()
    let answer = receive(client, server, .max)
    #expect(client.hasEnded)
    #expect(body(answer) == content[...])
    server.wait { server.engine.connectionCount == 0 }
    #expect(server.engine.connectionCount == 0)
  }

  @Test func aClientThatIsGoneClosesTheFile() throws {
    let server = try Server()
    weak var file: OpenFile?
    server.recorder.onEnd = { [self] engine, exchange in
      let opened = open()
      file = opened
      engine.begin(exchange, length: 3_000_000)
      #expect(engine.sendFile(exchange, opened, 0..<3_000_000) == .written)
      #expect(engine.end(exchange))
    }
    let client = server.connect()
    client.send(get)
    #expect(file != nil)
    client.close()
    server.wait { file == nil }
    #expect(file == nil)
    #expect(server.engine.connectionCount == 0)
  }

  @Test func theFileIsClosedOnceItIsSent() throws {
    let server = try Server()
    weak var file: OpenFile?
    server.recorder.onEnd = { [self] engine, exchange in
      let opened = open()
      file = opened
      engine.begin(exchange, length: 1_000_000)
      _ = engine.sendFile(exchange, opened, 0..<1_000_000)
      #expect(engine.end(exchange))
    }
    let client = server.connect()
    client.send(get)
    #expect(receive(client, server, 1_000_000).count > 1_000_000)
    server.turn()
    #expect(file == nil)
    #expect(server.engine.connectionCount == 1)
  }

  @Test func theEngineCanBeClosedWhileAFileWaits() throws {
    let server = try Server()
    weak var file: OpenFile?
    server.recorder.onEnd = { [self] engine, exchange in
      let opened = open()
      file = opened
      engine.begin(exchange, length: 3_000_000)
      _ = engine.sendFile(exchange, opened, 0..<3_000_000)
    }
    let client = server.connect()
    client.send(get)
    server.engine.close()
    server.turn()
    #expect(file == nil)
    #expect(server.events.last == .abandoned)
    _ = client
  }

  @Test(arguments: [100, 2_000_000] as [Int64])
  func aFileThatIsTooShortEndsTheConnection(_ excess: Int64) throws {
    let server = try Server()
    server.recorder.onEnd = { [self] engine, exchange in
      engine.begin(exchange, length: excess)
      let start = Int64(Self.size) - 1
      // A small part is read at once; of a large one the end is found only by the kernel.
      let isSmall = excess == 100
      #expect(
        engine.sendFile(exchange, open(), start..<start + excess) == (isSmall ? .gone : .written))
    }
    let client = server.connect()
    client.send(get + get)
    let answer = receive(client, server, .max)
    #expect(client.hasEnded || server.engine.connectionCount == 0)
    #expect(body(answer).count <= 1)
    #expect(server.recorder.heads.count == 1)
  }

  @Test func whatCannotBeReadEndsTheConnection() throws {
    let server = try Server()
    server.recorder.onEnd = { engine, exchange in
      let directory = OpenFile(adopting: clibev_open("/tmp", O_RDONLY | O_CLOEXEC))
      engine.begin(exchange, length: 1_000_000)
      #expect(engine.sendFile(exchange, directory, 0..<1_000_000) == .gone)
      #expect(!engine.isAlive(exchange))
    }
    let client = server.connect()
    client.send(get)
    _ = receive(client, server, .max)
    #expect(server.engine.connectionCount == 0)
  }

  @Test func moreThanWasAnnouncedAbortsTheAnswer() throws {
    let server = try Server()
    server.recorder.onEnd = { [self] engine, exchange in
      engine.begin(exchange, length: 10)
      #expect(engine.sendFile(exchange, open(), 0..<11) == .gone)
      #expect(engine.sendFile(exchange, open(), 0..<1) == .gone)
    }
    let client = server.connect()
    client.send(get)
    #expect(body(receive(client, server, .max)).isEmpty)
    #expect(client.hasEnded)
  }

  @Test func aClientThatTakesNothingIsGivenUp() throws {
    var limits = HTTPLimits()
    limits.writeTimeout = 100_000_000
    let server = try Server(limits)
    serve(server, 0..<3_000_000)
    let client = server.connect()
    client.send(get)
    server.wait { server.engine.connectionCount == 0 }
    #expect(server.engine.connectionCount == 0)
    _ = client
  }

  @Test func aSlowClientThatTakesSomethingIsNot() throws {
    var limits = HTTPLimits()
    limits.writeTimeout = 200_000_000
    let server = try Server(limits)
    serve(server, 0..<3_000_000)
    let client = server.connect()
    client.send(get)
    var received = 0
    var buffer = [UInt8](repeating: 0, count: 300_000)
    // Slower than the timeout in all, faster for each piece.
    for _ in 0..<10 {
      for _ in 0..<80 {
        server.turn(1)
        usleep(1000)
      }
      received += max(0, read(client.fd, &buffer, buffer.count))
    }
    #expect(server.engine.connectionCount == 1)
    received += receive(client, server, Self.size - received).count
    #expect(received > Self.size)
  }

  @Test func aStopWaitsForAFileThatIsBeingSent() throws {
    let server = try Server()
    serve(server, 0..<3_000_000)
    let client = server.connect()
    client.send(get)
    server.engine.drain(deadline: 5_000_000_000, context: nil) { _ in }
    server.turn()
    #expect(server.engine.connectionCount == 1)
    #expect(body(receive(client, server, .max)) == content[...])
    #expect(client.hasEnded)
  }
}

extension String {
  fileprivate func replacing(_ text: String, _ other: String) -> String {
    components(text).joined(separator: other)
  }
}
