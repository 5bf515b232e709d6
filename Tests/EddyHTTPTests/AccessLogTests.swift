import Eddy
import FoundationEssentials
import Glibc
import HTTPTypes
import Testing

@testable import EddyHTTP

/// What stands in the lines.
@Suite struct AccessLogTests {
  private let directory = AccessLogDirectory()

  private func server(
    _ log: AccessLog, proxies: TrustedProxies = .none, limits: HTTPLimits = HTTPLimits()
  ) async throws -> TestServer {
    try await TestServer(limits: limits, trustedProxies: proxies, accessLog: log) { router, loop in
      router.get("/") { _ in .text("Hello.\n") }
      router.get("/jobs/{id}") { _ in .text("x") }
      router.get("/file") { _ in
        let file = OpenFile(adopting: open("/proc/self/exe", O_RDONLY | O_CLOEXEC))
        return Response(body: .file(file, range: 0..<20_000))
      }
      router.get("/unchanged") { _ in Response(status: .notModified, body: .string("none")) }
      router.post("/") { request in .bytes(request.body) }
      router.get("/slow") { _ in
        try await loop.sleep(for: .milliseconds(120))
        return .text("late")
      }
      router.get("/parked") { _ in
        try await loop.sleep(for: .seconds(60))
        return .text("never")
      }
      router.get("/stream") { _ in
        Response(
          body: .stream { writer in
            for _ in 0..<3 { try await writer.write("four") }
          })
      }
      router.get("/broken") { _ in
        Response(body: .stream(length: 100) { try await $0.write("12345") })
      }
    }
  }

  /// The lines, once the log has been closed.
  private func lines(_ log: AccessLog, _ count: Int) async throws -> [String] {
    _ = try await directory.eventually { directory.lines().count >= count }
    #expect(log.close(within: .seconds(5)))
    #expect(directory.reports.entries == [])
    return directory.lines()
  }

  /// Without the time, which is another each time.
  private func untimed(_ line: String) -> String {
    line.replacing(/\[[^\]]*\]/, with: "[]")
  }

  @Test func aLineIsThatOfNginx() async throws {
    let log = try directory.open()
    let server = try await server(log)
    _ = try await server.client().request(
      "GET", "/?a=1&b", fields: ["referer: http://a.example/", "USER-AGENT: curl/8"])
    _ = try await server.client().request("GET", "/")
    let lines = try await lines(log, 2)
    let first = try #require(lines.first)
    #expect(
      first.wholeMatch(
        of:
          /127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z][a-z]\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/\?a=1&b HTTP\/1\.1" 200 7 "http:\/\/a\.example\/" "curl\/8"/
      ) != nil, "\(first)")
    #expect(lines.map(untimed).last == #"127.0.0.1 - - [] "GET / HTTP/1.1" 200 7 "-" "-""#)
  }

  @Test func aFilesLengthIsLogged() async throws {
    let log = try directory.open()
    let server = try await server(log)
    let client = try server.client()
    #expect(try await client.request("GET", "/file").body.count == 20_000)
    _ = try await client.request("HEAD", "/file")
    #expect(
      try await lines(log, 2).map(untimed) == [
        #"127.0.0.1 - - [] "GET /file HTTP/1.1" 200 20000 "-" "-""#,
        #"127.0.0.1 - - [] "HEAD /file HTTP/1.1" 200 0 "-" "-""#,
      ])
  }

  private struct Line: Decodable, Equatable {
    var time: String?
    var client: String
    var method: String?
    var target: String?
    var `protocol`: String?
    var status: Int
    var bytes: Int
    var duration: Double?
    var referer: String?
    var userAgent: String?
  }

  @Test func aLineIsAJSONObject() async throws {
    let log = try directory.open(.json)
    let server = try await server(log)
    let client = try server.client()
    _ = try await client.request(
      "GET", "/slow", fields: ["Referer: \u{1F600}\"\\", "User-Agent: \u{9B}31m\u{2028}"])
    try client.send(
      Array("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: caf".utf8) + [0xE9] + Array("\r\n\r\n".utf8))
    _ = try await client.answer()
    try client.send("nonsense\r\n\r\n")
    _ = try await client.rest()
    let texts = try await lines(log, 3)
    var values = try texts.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    try #require(values.count == 3)
    #expect(try #require(values[0].duration) >= 0.12)
    #expect(
      values[0].time?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    for index in values.indices {
      values[index].time = nil
      values[index].duration = nil
    }
    #expect(
      values[0]
        == Line(
          client: "127.0.0.1", method: "GET", target: "/slow", protocol: "HTTP/1.1", status: 200,
          bytes: 4, referer: "\u{1F600}\"\\", userAgent: "\u{9B}31m\u{2028}"))
    #expect(values[1].userAgent == "caf\u{E9}")
    #expect(values[2].status == 400 && values[2].method == nil && values[2].protocol == nil)
    #expect(texts[0].contains(#""userAgent":"\u009b31m\u2028""#))
  }

  @Test func nothingThatAClientSendsBreaksOutOfItsPlace() async throws {
    let log = try directory.open()
    let server = try await server(log)
    let client = try server.client()
    try client.send(
      Array("GET / HTTP/1.1\r\nHost: a\r\nReferer: \" 200 1 \"\\\"\r\nUser-Agent: a\tb".utf8)
        + [0x80, 0xFF] + Array("\u{85}\r\n\r\n".utf8))
    _ = try await client.answer()
    let lines = try await lines(log, 1)
    #expect(
      lines.map(untimed) == [
        #"127.0.0.1 - - [] "GET / HTTP/1.1" 200 7 "\x22 200 1 \x22\x5C\x22" "a\x09b\x80\xFF\xC2\x85""#
      ])
  }

  @Test(arguments: [
    ("/jobs/0123456789abcdef0123456789ABCDEF", "/jobs/01234567..."),
    ("/jobs/0123456789abcdef0123456789abcdef/result?wait=1", "/jobs/01234567.../result?wait=1"),
    ("/jobs/%30123456789abcdef0123456789abcde%66", "/jobs/%301234567..."),
    (
      "/%61%62%63%64%65%66%46%46%30%31%32%33%34%35%36%37%61%62%63%64%65%66%46%46%30%31%32%33%34%35%36%37",
      "/%61%62%63%64%65%66%46%46..."
    ),
    (
      "0123456789abcdef0123456789abcdef00/0123456789abcdef0123456789abcdef",
      "01234567.../01234567..."
    ),
    ("/jobs/0123456789abcdef0123456789abcde", "/jobs/0123456789abcdef0123456789abcde"),
    ("/0123456789abcdef-0123456789abcdef-%7a", "/0123456789abcdef-0123456789abcdef-%7a"),
    ("/%", "/%"), ("", ""),
  ])
  func anIDIsNeverWhole(_ text: String, _ want: String) {
    let bytes = Array("##\(text)".utf8)
    #expect(String(decoding: AccessLogText.shortened(bytes[2...]), as: UTF8.self) == want)
  }

  @Test func anIDIsShortInEveryField() async throws {
    for format in AccessLog.Format.allCases {
      let log = try directory.open(format)
      let server = try await server(log)
      let id = "00112233445566778899aabbccddeeff"
      _ = try await server.client().request(
        "GET", "/jobs/\(id)?\(id)", fields: ["Referer: /jobs/\(id)", "User-Agent: \(id)"])
      let line = try #require(try await lines(log, 1).last)
      #expect(!line.contains("445566"), "\(line)")
      #expect(line.contains("/jobs/00112233...?00112233..."), "\(line)")
      unlink(directory.file)
    }
  }

  @Test func theClientIsThatOfATrustedProxy() async throws {
    let log = try directory.open()
    let server = try await server(log, proxies: .loopback)
    let client = try server.client()
    for value in ["192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:80", "x\"y"] {
      _ = try await client.request("GET", "/", fields: ["X-Forwarded-For: \(value)"])
    }
    let clients = try await lines(log, 5).map { String($0.prefix { $0 != " " }) }
    #expect(clients == ["192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::1", "127.0.0.1"])
  }

  @Test func everyAnswerHasItsStatusAndItsBytes() async throws {
    let log = try directory.open()
    var limits = HTTPLimits()
    limits.body = 10
    let server = try await server(log, limits: limits)
    let client = try server.client()
    _ = try await client.request("HEAD", "/")
    _ = try await client.request("GET", "/unchanged")
    _ = try await client.request("GET", "/stream")
    _ = try await client.request("HEAD", "/stream")
    let missing = try await client.request("GET", "/missing")
    let refused = try await client.request("PUT", "/")
    _ = try await client.request("POST", "/", body: [1, 2, 3])
    let large = try await client.request("POST", "/", body: [UInt8](repeating: 1, count: 11))
    _ = try await client.request("OPTIONS", "*")
    let broken = try server.client()
    try broken.send("GET /broken HTTP/1.0\r\n\r\n")
    _ = try await broken.rest()
    let lines = try await lines(log, 10).map { String($0.split(separator: "]")[1]) }
    #expect(
      lines == [
        #" "HEAD / HTTP/1.1" 200 0 "-" "-""#, #" "GET /unchanged HTTP/1.1" 304 0 "-" "-""#,
        #" "GET /stream HTTP/1.1" 200 12 "-" "-""#, #" "HEAD /stream HTTP/1.1" 200 0 "-" "-""#,
        #" "GET /missing HTTP/1.1" 404 \#(missing.body.count) "-" "-""#,
        #" "PUT / HTTP/1.1" 405 \#(refused.body.count) "-" "-""#,
        #" "POST / HTTP/1.1" 200 3 "-" "-""#,
        #" "POST / HTTP/1.1" 413 \#(large.body.count) "-" "-""#,
        #" "OPTIONS * HTTP/1.1" 204 0 "-" "-""#, #" "GET /broken HTTP/1.0" 200 5 "-" "-""#,
      ])
  }

  @Test func whatTheEngineRefusesIsLoggedToo() async throws {
    let log = try directory.open()
    var limits = HTTPLimits()
    limits.headTimeout = 100_000_000
    let server = try await server(log, limits: limits)
    func bodyLength(_ request: String) async throws -> Int {
      let client = try server.client()
      try client.send(request)
      return try await client.answer().body.count
    }
    let nonsense = try await bodyLength("GET  /\r\n\r\n")
    let slow = try await bodyLength("GET / HTTP/1.1\r\n")
    let chunk = try await bodyLength(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
    let lines = try await lines(log, 3).map(untimed)
    #expect(
      lines == [
        #"127.0.0.1 - - [] "-" 400 \#(nonsense) "-" "-""#,
        #"127.0.0.1 - - [] "-" 408 \#(slow) "-" "-""#,
        #"127.0.0.1 - - [] "POST / HTTP/1.1" 400 \#(chunk) "-" "-""#,
      ])
  }

  @Test func aClientThatLeavesIsLoggedOnce() async throws {
    let log = try directory.open()
    let server = try await server(log)
    let client = try server.client()
    try client.send("GET /parked HTTP/1.1\r\nHost: a\r\n\r\n")
    try await server.loop.sleep(for: .milliseconds(50))
    client.close()
    let lines = try await lines(log, 1).map(untimed)
    #expect(lines == [#"127.0.0.1 - - [] "GET /parked HTTP/1.1" 499 0 "-" "-""#])
  }

  @Test func theTimeIsThatOfTheFormat() {
    var clock = AccessLogClock()
    #expect(
      clock.text(for: .json, at: timespec(tv_sec: 0, tv_nsec: 7_000_000))
        == "1970-01-01T00:00:00.007Z")
    #expect(
      clock.text(for: .json, at: timespec(tv_sec: 1_700_000_000, tv_nsec: 999_999_999))
        == "2023-11-14T22:13:20.999Z")
    var local = AccessLogClock()
    let text = local.text(for: .combined, at: timespec(tv_sec: 1_700_000_000, tv_nsec: 0))
    #expect(text.wholeMatch(of: /1[45]\/Nov\/2023:\d\d:\d\d:20 [+-]\d{4}/) != nil, "\(text)")
  }
}
