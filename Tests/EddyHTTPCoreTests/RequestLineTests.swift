import Testing

@testable import EddyHTTPCore

/// RFC 9112 §3.
@Suite struct RequestLineTests {
  private func line(_ line: String) -> ParseResult { parse(line + "\r\nHost: h\r\n\r\n") }

  @Test(arguments: [
    ("GET", Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete),
    ("OPTIONS", .options), ("TRACE", .trace), ("PATCH", .patch), ("get", .other),
    ("BREW", .other), ("PURGE", .other), ("MKACTIV", .other), ("G", .other), ("GETT", .other),
  ])
  func aMethodIsKnownByItsExactName(_ name: String, _ method: Method) {
    let head = line("\(name) / HTTP/1.1").head
    #expect(head?.method == method)
    #expect(head?.methodText == name)
  }

  @Test func anOriginFormIsPathAndQuery() {
    let head = line("GET /a/b%20c;d=e?x=1&y=? HTTP/1.1").head
    #expect(head?.form == .origin)
    #expect(head?.target == "/a/b%20c;d=e?x=1&y=?")
    #expect(head?.path == "/a/b%20c;d=e")
    #expect(head?.query == "x=1&y=?")
    #expect(head?.host == "h")
  }

  @Test func anEmptyQueryIsNotNone() {
    #expect(line("GET /? HTTP/1.1").head?.query == "")
    #expect(line("GET / HTTP/1.1").head?.query == nil)
  }

  @Test(
    arguments: [
      ("http://example.org:8080/p?q", "example.org:8080", "/p", "q"),
      ("HTTPS://[::1]/p", "[::1]", "/p", nil),
      ("http://example.org", "example.org", "/", nil),
      ("http://example.org?q", "example.org", "/", "q"),
    ] as [(String, String, String, String?)])
  func theAuthorityOfAnAbsoluteFormCountsBeforeHost(
    _ target: String, _ host: String, _ path: String, _ query: String?
  ) {
    let head = line("GET \(target) HTTP/1.1").head
    #expect(head?.form == .absolute)
    #expect(head?.host == host)
    #expect(head?.path == path)
    #expect(head?.query == query)
  }

  @Test func anAsteriskIsForOptionsOnly() {
    #expect(line("OPTIONS * HTTP/1.1").head?.form == .asterisk)
    #expect(line("OPTIONS * HTTP/1.1").head?.path == "*")
    #expect(line("OPTIONS http://a:1 HTTP/1.1").head?.form == .asterisk)
    #expect(line("OPTIONS http://a:1/ HTTP/1.1").head?.form == .absolute)
    #expect(line("GET * HTTP/1.1").error == .targetForm)
    #expect(line("OPTIONS ** HTTP/1.1").error == .targetForm)
  }

  @Test func connectHasAnAuthorityWithPort() {
    #expect(line("CONNECT example.org:443 HTTP/1.1").head?.form == .authority)
    #expect(line("CONNECT example.org:443 HTTP/1.1").head?.host == "example.org:443")
    #expect(line("CONNECT example.org HTTP/1.1").error == .targetAuthority)
    #expect(line("CONNECT example.org: HTTP/1.1").error == .targetAuthority)
    #expect(line("CONNECT / HTTP/1.1").error == .targetAuthority)
  }

  @Test(arguments: [
    ("GET foo HTTP/1.1", RequestError.targetForm),
    ("GET foo:bar HTTP/1.1", .targetForm),
    ("GET ftp://a/ HTTP/1.1", .targetScheme),
    ("GET http:///p HTTP/1.1", .targetAuthority),
    ("GET http://?p HTTP/1.1", .targetAuthority),
    ("GET http://u@a/ HTTP/1.1", .targetAuthority),
    ("GET http://a:b/ HTTP/1.1", .targetAuthority),
    ("GET  / HTTP/1.1", .targetMissing),
    ("GET /#f HTTP/1.1", .targetByte),
    ("GET /\u{E9} HTTP/1.1", .targetByte),
    ("GET /\u{7F} HTTP/1.1", .targetByte),
    ("GET /\t HTTP/1.1", .targetByte),
    ("GET /", .versionMissing), ("GET / ", .versionMissing),
    ("GET", .methodSyntax), (" GET / HTTP/1.1", .methodSyntax), ("G(T / HTTP/1.1", .methodSyntax),
    ("GET / HTTP/1.1 ", .versionSyntax), ("GET /  HTTP/1.1", .versionSyntax),
    ("GET / http/1.1", .versionSyntax), ("GET / HTTP/1", .versionSyntax),
    ("GET / HTTP/1.11", .versionSyntax), ("GET / HTTP/1.00", .versionSyntax),
    ("GET / HTTP/01.1", .versionSyntax), ("GET / HTTP/1,1", .versionSyntax),
    ("GET / HTTP/x.1", .versionSyntax), ("GET / HTTP/1.x", .versionSyntax),
    ("GET / HTTP/2.0", .versionNotSupported), ("GET / HTTP/0.9", .versionNotSupported),
    ("PRI * HTTP/2.0", .versionNotSupported),
  ])
  func aMalformedLineIsRefused(_ text: String, _ error: RequestError) {
    #expect(line(text).error == error)
  }

  @Test func aLaterMinorVersionIsTakenAsTheLatestKnown() {
    #expect(line("GET / HTTP/1.0").head?.minorVersion == 0)
    for minor in 1...9 { #expect(line("GET / HTTP/1.\(minor)").head?.minorVersion == 1) }
  }

  @Test func aBareLineFeedOrCarriageReturnEndsNoLine() {
    #expect(parse("GET / HTTP/1.1\nHost: a\r\n\r\n").error == .bareLineFeed)
    #expect(parse("GET / HTTP/1.1\rHost: a\r\n\r\n").error == .bareCarriageReturn)
    #expect(parse("GET /\nHost: a\r\n\r\n").error == .versionMissing)
  }

  @Test func theLongestLineIsServedAndALongerOneIsNot() {
    let limits = HTTPLimits()
    let room = limits.requestLine - "GET / HTTP/1.1".utf8.count
    let longest = "GET /" + String(repeating: "a", count: room) + " HTTP/1.1"
    #expect(longest.utf8.count == 8192)
    #expect(line(longest).head != nil)
    #expect(line("GET /a" + longest.dropFirst(5)).error == .requestLineTooLong)
    // Without its end too, and then with no more bytes than needed to tell.
    let endless = "GET /" + String(repeating: "a", count: 8192 - 4)
    #expect(parse(endless) == .incomplete)
    #expect(parse(endless + "a") == .refused(.requestLineTooLong))
    #expect(parse(String(repeating: "A", count: 9000)).error == .requestLineTooLong)
  }

  @Test func everyProperPrefixOfAHeadIsIncomplete() {
    let text = "POST http://a/b?c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: \ty z\t \r\n\r\n"
    for length in 0..<text.utf8.count {
      #expect(parse(String(text.utf8.prefix(length))!) == .incomplete, "\(length)")
    }
    guard case .head(_, let length) = parse(text + "abc") else {
      Issue.record("not parsed")
      return
    }
    #expect(length == text.utf8.count)
  }
}
