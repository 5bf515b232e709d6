import Testing

@testable import EddyHTTPCore

/// What a strict server answers, each on a connection of its own, followed by a request that must
/// be answered if, and only if, the connection is kept.
@Suite struct BehaviourTests {
  private func check(
    _ request: String, _ expected: Int, keeps: Bool, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let server = try Server()
    let client = server.connect()
    client.send(request)
    let answer = client.receive()
    #expect(status(answer) == expected, "\(answer)", sourceLocation: location)
    if status(answer) >= 400 {
      #expect(
        answer.contains("Content-Type: application/problem+json\r\n"), sourceLocation: location)
      #expect(answer.contains("\"status\":\(expected),"), sourceLocation: location)
    }
    #expect(client.hasEnded == !keeps, sourceLocation: location)
    #expect(
      answer.contains("Connection: close\r\n") == !keeps, "\(answer)", sourceLocation: location)
    client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(
      client.receive().hasSuffix("\r\n\r\n/next") == keeps, sourceLocation: location)
    // Whatever that was, the next client is served.
    #expect(
      status(server.answer("GET / HTTP/1.1\r\nHost: a\r\n\r\n")) == 200, sourceLocation: location)
  }

  private func fields(
    _ fields: String, _ body: String = "", version: String = "1.1"
  ) -> String {
    "POST / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n\r\n\(body)"
  }

  private let chunked = "Transfer-Encoding: chunked"

  @Test func lengthsThatContradictEachOther() throws {
    let both = "Content-Length: 5\r\n" + chunked
    try check(fields(both, "0\r\n\r\n"), 400, keeps: false)  // 1
    try check(fields(chunked, "0\r\n\r\n", version: "1.0"), 400, keeps: false)  // 2
    try check(fields("Content-Length: 5, 5", "hello"), 400, keeps: false)  // 8
    try check(
      fields("Content-Length: 5\r\nContent-Length: 6", "hello"), 400, keeps: false)  // 9
  }

  @Test func transferEncodings() throws {
    let name = "Transfer-Encoding: "
    try check(fields(name + "chunked, gzip", "0\r\n\r\n"), 400, keeps: false)  // 3
    try check(fields(name + "gzip", "0\r\n\r\n"), 400, keeps: false)  // 3
    try check(fields(name + "foo, chunked", "0\r\n\r\n"), 501, keeps: false)  // 4
    try check(fields(name + ",chunked", "0\r\n\r\n"), 200, keeps: true)  // 5
    try check(fields(name + "\tchunked\t", "0\r\n\r\n"), 200, keeps: true)  // 6
    try check(fields(name, "0\r\n\r\n"), 400, keeps: false)  // 7
  }

  @Test(arguments: ["+5", "-0", "1_0", "", "18446744073709551621"])
  func contentLengthsThatAreNone(_ length: String) throws {
    try check(fields("Content-Length: \(length)", "hello"), 400, keeps: false)  // 10
  }

  @Test(arguments: [
    ("5;a=b\r\nhello\r\n0\r\n\r\n", 200),  // 11
    ("5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n", 200),  // 11
    ("5 ;a\r\nhello\r\n0\r\n\r\n", 200),  // 12
    ("5;a\0\r\nhello\r\n0\r\n\r\n", 400), ("5;\r\nhello\r\n0\r\n\r\n", 400),  // 13
    ("5\nhello\r\n0\r\n\r\n", 400), ("5\r\nhello\n0\r\n\r\n", 400),  // 14
    ("0x5\r\nhello\r\n0\r\n\r\n", 400), ("+5\r\nhello\r\n0\r\n\r\n", 400),  // 15
    ("5_0\r\nhello\r\n0\r\n\r\n", 400), ("\r\nhello\r\n0\r\n\r\n", 400),  // 15
    ("5\r\nhello\r\n0\r\nA: b\r\n\r\n", 200),  // 16
    // 17
    ("5\r\nhello\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n", 200),
  ]) func chunks(_ body: String, _ status: Int) throws {
    try check(fields(chunked, body), status, keeps: status == 200)
  }

  @Test func aTrailerIsNeverAField() throws {  // 17
    let server = try Server()
    _ = server.answer(fields(chunked, "0\r\nHost: b\r\nContent-Length: 9\r\n\r\n"))
    #expect(server.recorder.heads.map(\.host) == ["a"])
    #expect(server.recorder.heads[0].fields == ["Host=a", "Transfer-Encoding=chunked"])
    #expect(server.events == [.head("POST /"), .end])
  }

  @Test func hosts() throws {
    try check("GET / HTTP/1.1\r\n\r\n", 400, keeps: false)  // 19
    try check("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, keeps: false)  // 20
    for host in ["a:port", "u@a", "a/b", ""] {  // 21
      try check("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n", 400, keeps: false)
    }
  }

  @Test func targets() throws {
    try check("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 200, keeps: true)  // 22
    try check("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, keeps: false)  // 23
    try check("GET foo HTTP/1.1\r\nHost: a\r\n\r\n", 400, keeps: false)  // 23
    try check("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200, keeps: true)  // 24
  }

  @Test(arguments: [
    "A : b", "A\t: b",  // 25
    "A: b\r\n c", " A: b",  // 26
    "A(: b", ": b", "A",  // 27
    "A: \0", "A: b\rc",  // 28
    "A: b\nC: d",  // 29: refused
  ]) func malformedFieldLines(_ line: String) throws {
    try check(fields(line), 400, keeps: false)
  }

  @Test func aBareLineFeedEndsNoLine() throws {  // 29
    try check("GET / HTTP/1.1\nHost: a\n\n", 400, keeps: false)
    try check("GET / HTTP/1.1\r\nHost: a\r\n\n", 400, keeps: false)
  }

  @Test func versions() throws {
    func get(_ version: String) -> String { "GET / \(version)\r\nHost: a\r\n\r\n" }
    try check(get("HTTP/1.2"), 200, keeps: true)  // 30
    try check(get("HTTP/2.0"), 505, keeps: false)  // 31
    try check(get("HTTP/1.11"), 400, keeps: false)  // 32
    try check(get("HTTP/1.00"), 400, keeps: false)  // 32
    try check("GET /\r\n", 400, keeps: false)  // 33: without waiting for more
    try check("GET / \r\n", 400, keeps: false)  // 33
  }

  @Test func anUnknownMethodIsForTheHandlerToRefuse() throws {  // 34
    let server = try Server()
    server.recorder.onEnd = { $0.respond($1, status: 501) }
    #expect(status(server.answer("BREW / HTTP/1.1\r\nHost: a\r\n\r\n")) == 501)
    #expect(server.recorder.heads[0].methodText == "BREW")
  }

  @Test func linesAtTheirLimits() throws {  // 35
    let long = "GET /" + String(repeating: "a", count: 7986) + " HTTP/1.1"
    #expect(long.utf8.count == 8000)
    let server = try Server()
    #expect(status(server.answer(long + "\r\nHost: a\r\n\r\n")) == 200)
    let tooLong = "GET /" + String(repeating: "a", count: 100_000) + " HTTP/1.1\r\nHost: a\r\n\r\n"
    try check(tooLong, 414, keeps: false)
    let large = (0..<50).map { "A\($0): " + String(repeating: "b", count: 1000) }
    try check(fields(large.joined(separator: "\r\n")), 431, keeps: false)
    try check(fields((0..<101).map { "A\($0): b" }.joined(separator: "\r\n")), 431, keeps: false)
  }

  @Test func expectationsOfHTTP10AreIgnored() throws {  // 36
    let expects = "Expect: 100-continue\r\nContent-Length: 5"
    let server = try Server()
    let client = server.connect()
    client.send("POST / HTTP/1.0\r\nConnection: keep-alive\r\n\(expects)\r\n\r\n")
    #expect(client.receive() == "")
    client.send("hello")
    #expect(statuses(client.receive()) == [200])
    try check(fields("Expect: 200-maybe"), 417, keeps: false)
  }

  @Test func nothingIsAnsweredBehindAConnectionClose() throws {  // 37
    let server = try Server()
    let client = server.connect()
    client.send(
      "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    let answers = client.receive()
    #expect(statuses(answers) == [200])
    #expect(answers.contains("Connection: close\r\n"))
    #expect(answers.hasSuffix("/1"))
    #expect(client.hasEnded)
    #expect(server.recorder.heads.count == 1)
  }

  @Test func manyEmptyLinesAreNoRequest() throws {
    try check("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, keeps: true)
    try check(String(repeating: "\r\n", count: 5), 400, keeps: false)
    let server = try Server()
    let request = "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    #expect(statuses(server.answer(request + request)) == [200, 200])
    try check("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, keeps: false)
  }

  @Test func everyRefusalIsAProblemDocumentOfItsStatus() {
    for error in RequestError.allCases {
      let buffer = OutputBuffer()
      buffer.appendProblem(error)
      let text = buffer.bytes.text
      #expect(text.hasPrefix("{\"type\":\"about:blank\",\"title\":\""))
      #expect(text.contains("\",\"status\":\(error.status),\"detail\":\""))
      #expect(Status.reason(error.status).utf8CodeUnitCount > 0)
      // A text that is put between quotes as it is must not need escaping.
      #expect(!error.detail.description.contains("\""))
      #expect(!error.detail.description.contains("\\"))
      #expect(error.detail.description.contains("(RFC "))
    }
  }
}
