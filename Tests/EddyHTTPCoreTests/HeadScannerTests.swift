import Testing

@testable import EddyHTTPCore

@Suite struct HeadScannerTests {
  private static let head = "GET /a HTTP/1.1\r\nHost: a\r\nX: yz\r\n\r\n"

  /// Feeds growing parts of a text; gives back the first outcome that isn't `incomplete`, and at
  /// which length it came.
  private func scan(
    _ text: String, step: Int, limits: HTTPLimits = HTTPLimits()
  ) -> (HeadOutcome, Int) {
    var scanner = HeadScanner()
    return withBytes(text) { bytes in
      var length = 0
      while length < bytes.count {
        length = min(length + step, bytes.count)
        let outcome = scanner.scan(UnsafeRawBufferPointer(rebasing: bytes[..<length]), limits)
        if outcome != .incomplete { return (outcome, length) }
      }
      return (.incomplete, length)
    }
  }

  @Test(arguments: 1...36) func theEndIsFoundHoweverTheHeadIsSplit(_ step: Int) {
    let (outcome, _) = scan(Self.head + "body\r\n\r\n", step: step)
    #expect(outcome == .complete(Self.head.utf8.count))
  }

  @Test func aBareLineFeedIsRefusedAtOnce() {
    #expect(scan("GET / HTTP/1.1\n", step: 1) == (.refused(.bareLineFeed), 15))
    #expect(scan("GET / HTTP/1.1\r\n\n", step: 1) == (.refused(.bareLineFeed), 17))
  }

  @Test func limitsHoldWithoutTheEndOfTheHead() {
    var limits = HTTPLimits()
    limits.requestLine = 20
    limits.fieldsSize = 30
    limits.fieldCount = 2
    let line = "GET / HTTP/1.1\r\n"
    #expect(
      scan(String(repeating: "a", count: 40), step: 1, limits: limits)
        == (.refused(.requestLineTooLong), 22))
    #expect(
      scan(line + "a: " + String(repeating: "b", count: 40), step: 1, limits: limits)
        == (.refused(.fieldsTooLarge), 16 + 30))
    #expect(
      scan(line + "a:1\r\nb:2\r\nc:3\r\n\r\n", step: 1, limits: limits).0
        == .refused(.tooManyFields))
    #expect(scan(line + "a:1\r\nb:2\r\n\r\n", step: 1, limits: limits).0 == .complete(16 + 12))
  }

  /// The parser and the scanner must agree, or a head that comes in pieces would be judged
  /// otherwise than one that comes whole.
  @Test(arguments: [28, 29, 30, 31, 32]) func theLimitsAreThoseOfTheParser(_ size: Int) {
    var limits = HTTPLimits()
    limits.fieldsSize = 30
    let value = String(repeating: "b", count: size - 9 - 6)
    let text = "GET / HTTP/1.1\r\nHost: h\r\na:\(value)\r\n\r\n"
    let isAllowed = size <= 30
    #expect((parse(text, limits: limits).head != nil) == isAllowed)
    let outcome = scan(text, step: 1, limits: limits).0
    #expect((outcome == .complete(text.utf8.count)) == isAllowed)
  }

  @Test(arguments: 18...24) func theLimitOfTheRequestLineIsThatOfTheParser(_ length: Int) {
    var limits = HTTPLimits()
    limits.requestLine = 20
    let target = "/" + String(repeating: "a", count: length - "GET / HTTP/1.1".utf8.count)
    let text = "GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n"
    let isAllowed = length <= limits.requestLine
    #expect((parse(text, limits: limits).head != nil) == isAllowed)
    for step in [1, text.utf8.count] {
      let outcome = scan(text, step: step, limits: limits).0
      #expect(outcome == (isAllowed ? .complete(text.utf8.count) : .refused(.requestLineTooLong)))
    }
  }
}
