import Testing

@testable import EddyHTTPCore

/// RFC 9112 §5, RFC 9110 §5.
@Suite struct FieldTests {
  @Test func namesAndValuesComeWithoutTheWhiteSpaceAroundThem() {
    let head = parse(fields: "A:1", "b:  2  ", "C-d:\t3\t4 \t", "e:", "f:  ").head
    #expect(head?.fields == ["Host=a", "A=1", "b=2", "C-d=3\t4", "e=", "f="])
  }

  @Test func aNameIsFoundWithoutRegardToCase() {
    var head = RequestHead(fieldCapacity: 10)
    withBytes("GET / HTTP/1.1\r\nHoSt: a\r\nX-Y: 1\r\nx-y: 2\r\n\r\n") { bytes in
      #expect(head.parse(bytes, HTTPLimits()) == .complete(bytes.count))
      #expect(head.first("x-y")?.text == "1")
      #expect(head.first("host")?.text == "a")
      #expect(head.first("x-z") == nil)
      let ranges = head.fieldRanges(2)
      #expect(ranges.name.start == 33)
      #expect(head[ranges.value].text == "2")
      #expect(head.bytes.count == bytes.count)
    }
  }

  @Test(arguments: [
    ("A : 1", RequestError.spaceBeforeColon), ("A\t: 1", .spaceBeforeColon),
    (" A: 1", .foldedLine), ("\tA: 1", .foldedLine), ("A: 1\r\n b", .foldedLine),
    ("A", .noColon), (": 1", .fieldNameByte), ("A(: 1", .fieldNameByte),
    ("\u{E9}: 1", .fieldNameByte), ("A\0: 1", .fieldNameByte), ("A\u{7F}: 1", .fieldNameByte),
    ("A: \0", .fieldValueByte), ("A: a long value\u{1}", .fieldValueByte),
    ("A: \u{7F}", .fieldValueByte), ("A: 12345678\u{B}", .fieldValueByte),
    ("A: 1\r2", .bareCarriageReturn), ("A: 1\n", .bareLineFeed), ("A\n: 1", .bareLineFeed),
    ("\nA: 1", .bareLineFeed), ("\rA: 1", .bareCarriageReturn),
  ])
  func aMalformedLineIsRefused(_ text: String, _ error: RequestError) {
    #expect(parse(fields: text).error == error)
    #expect(parse("GET / HTTP/1.1\r\n\(text)\r\nHost: a\r\n\r\n").error == error)
  }

  @Test func aValueMayHaveAnyOtherByte() {
    let value = (0x21...0x7E).map { String(UnicodeScalar(UInt8($0))) }.joined() + "\u{80}\u{7FF}"
    #expect(parse(fields: "A: \(value)").head?.fields.last == "A=\(value)")
  }

  @Test func asManyAndAsLargeFieldsAsAllowedAreServed() {
    var limits = HTTPLimits()
    limits.fieldCount = 3
    limits.fieldsSize = 40
    let start = "GET / HTTP/1.1\r\n"
    #expect(parse(start + "Host: a\r\nb: 1\r\nc: 2\r\n\r\n", limits: limits).head != nil)
    #expect(
      parse(start + "Host: a\r\nb: 1\r\nc: 2\r\nd:", limits: limits).error == .tooManyFields)
    let fits = "Host: a\r\nb: " + String(repeating: "x", count: 24) + "\r\n\r\n"
    #expect(fits.utf8.count == limits.fieldsSize)
    #expect(parse(start + fits, limits: limits).head != nil)
    let tooLarge = "Host: a\r\nb: " + String(repeating: "x", count: 25) + "\r\n\r\n"
    #expect(parse(start + tooLarge, limits: limits).error == .fieldsTooLarge)
    #expect(parse(start + fits.dropLast(1), limits: limits) == .incomplete)
  }

  // MARK: - Host

  @Test func aHostIsNeededOnceInHTTP11() {
    #expect(parse(host: false).error == .hostMissing)
    #expect(parse(version: "1.0", host: false).head?.host == "")
    #expect(parse(fields: "host: a").error == .hostRepeated)
    #expect(parse(fields: "host: b", version: "1.0").error == .hostRepeated)
  }

  @Test(arguments: [
    "a", "a:80", "a:", "a.b-c_d~", "127.0.0.1:65535", "[::1]", "[::ffff:1.2.3.4]:80", "a%20b",
    "!$&'()*+,;=",
  ])
  func aHostMayHaveAPort(_ host: String) {
    #expect(parse(fields: "Host: \(host)", host: false).head?.host == host)
  }

  @Test(arguments: [
    "", "a:port", "u@a", "a/b", "a b", "a:80:80", "a:65536", "a:-1", "[::1", "[]", "[a]", "[::g]",
    "[::1]a", "::1", ":80", "a%2", "a%zz", "http://a", "a\\b", "a?", "\u{E9}",
  ])
  func anythingElseIsNoHost(_ host: String) {
    #expect(parse(fields: "Host: \(host)", host: false).error == .hostInvalid)
    #expect(parse("GET http://ok/ HTTP/1.1\r\nHost: \(host)\r\n\r\n").error == .hostInvalid)
  }

  // MARK: - Content-Length and Transfer-Encoding

  @Test(
    arguments: [
      ("0", 0), ("5", 5), ("007", 7), ("9223372036854775807", Int64.max),
    ] as [(String, Int64)])
  func aContentLengthIsADecimalNumber(_ text: String, _ length: Int64) {
    #expect(parse(fields: "Content-Length: \(text)").head?.contentLength == length)
  }

  @Test(arguments: [
    "+5", "-0", "-1", "1_0", "", "0x5", "5.0", "5 5", "9223372036854775808", "18446744073709551621",
    "99999999999999999999999999", "five",
  ])
  func anythingElseIsNoContentLength(_ text: String) {
    #expect(parse(fields: "Content-Length: \(text)").error == .contentLengthInvalid)
  }

  @Test func moreThanOneContentLengthIsRefusedEvenIfTheyAgree() {
    #expect(parse(fields: "Content-Length: 5, 5").error == .contentLengthRepeated)
    #expect(
      parse(fields: "Content-Length: 5", "content-length: 5").error == .contentLengthRepeated)
    #expect(
      parse(fields: "Content-Length: 5", "Content-Length: 6").error == .contentLengthRepeated)
  }

  @Test(arguments: ["chunked", "Chunked", ",chunked", "chunked,", " , chunked , ,", "CHUNKED\t"])
  func chunkedIsKnownInAnyCaseAndAmongEmptyMembers(_ text: String) {
    #expect(parse(fields: "Transfer-Encoding: \(text)").head?.isChunked == true)
  }

  @Test(arguments: [
    ("", RequestError.transferEncodingEmpty), (",", .transferEncodingEmpty),
    ("gzip", .chunkedNotLast), ("chunked, gzip", .chunkedNotLast),
    ("chunked, chunked", .chunkedNotLast), ("identity", .chunkedNotLast),
    ("chunkedx", .chunkedNotLast), ("xchunked", .chunkedNotLast),
    ("gzip, chunked", .codingNotSupported), ("foo;a=b, chunked", .codingNotSupported),
    ("chunked;a=b", .transferEncodingSyntax), ("chunked ;a", .transferEncodingSyntax),
    ("\"chunked\"", .transferEncodingSyntax), ("gzip@, chunked", .transferEncodingSyntax),
    ("chunked\u{B}", .fieldValueByte),
  ])
  func anyOtherTransferEncodingIsRefused(_ text: String, _ error: RequestError) {
    #expect(parse(fields: "Transfer-Encoding: \(text)").error == error)
  }

  @Test func transferEncodingsOfSeveralLinesAreOneList() {
    #expect(
      parse(fields: "Transfer-Encoding: gzip", "Transfer-Encoding: chunked").error
        == .codingNotSupported)
    #expect(
      parse(fields: "Transfer-Encoding: chunked", "Transfer-Encoding: gzip").error
        == .chunkedNotLast)
    #expect(
      parse(fields: "Transfer-Encoding: ", "Transfer-Encoding: chunked").head?.isChunked == true)
  }

  @Test func aTransferEncodingExcludesAContentLengthAndHTTP10() {
    let chunked = "Transfer-Encoding: chunked"
    #expect(parse(fields: "Content-Length: 5", chunked).error == .contentLengthWithTransferEncoding)
    #expect(parse(fields: chunked, "Content-Length: 5").error == .contentLengthWithTransferEncoding)
    #expect(parse(fields: chunked, version: "1.0").error == .transferEncodingInOldVersion)
  }

  // MARK: - Connection and Expect

  @Test(arguments: [
    ("1.1", "X: y", true), ("1.1", "Connection: close", false),
    ("1.1", "Connection: a, CLOSE ,b", false), ("1.1", "Connection: closed", true),
    ("1.1", "Connection: keep-alive, close", false), ("1.0", "X: y", false),
    ("1.0", "Connection: Keep-Alive", true), ("1.0", "Connection: keep-alive, close", false),
  ])
  func connectionSaysWhetherAnotherRequestMayCome(
    _ version: String, _ field: String, _ keepsAlive: Bool
  ) {
    #expect(parse(fields: field, version: version).head?.keepsAlive == keepsAlive)
  }

  @Test func anExpectationOtherThan100ContinueIsRefused() {
    #expect(parse(fields: "Expect: 100-Continue").head?.expectsContinue == true)
    #expect(parse(fields: "Expect: 200-ok").error == .expectationNotSupported)
    #expect(parse(fields: "Expect: 100-continue", version: "1.0").head?.expectsContinue == false)
    #expect(parse(fields: "Expect: x", version: "1.0").head != nil)
  }
}
