import Testing

@testable import EddyHTTPCore

/// RFC 9112 §7.1.
@Suite struct ChunkedDecoderTests {
  enum Result: Equatable {
    case body(String, length: Int)
    case incomplete(String)
    case refused(RequestError)
  }

  private func decode(
    _ text: String, step: Int = .max, limits: HTTPLimits = HTTPLimits()
  ) -> Result {
    var decoder = ChunkedDecoder()
    return withBytes(text) { bytes in
      let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
      var body = ""
      var index = 0
      var end = 0
      while end < bytes.count {
        end = step < bytes.count - end ? end + step : bytes.count
        reading: while true {
          switch decoder.next(base, &index, end, limits) {
          case .incomplete: break reading
          case .data(let from, let to):
            body += UnsafeRawBufferPointer(rebasing: bytes[from..<to]).text
          case .end(let length): return .body(body, length: length)
          case .refused(let error): return .refused(error)
          }
        }
      }
      return .incomplete(body)
    }
  }

  @Test(
    arguments: [
      ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"),
      ("a\r\n0123456789\r\n00\r\n\r\n", "0123456789"),
      ("3\r\na\r\n\r\n1\r\nb\r\n0\r\n\r\n", "a\r\nb"),
      ("0000000000000003\r\nabc\r\n0\r\n\r\n", "abc"), ("3;a\r\nabc\r\n0;b=c\r\n\r\n", "abc"),
      ("3 ;a\r\nabc\r\n0\r\n\r\n", "abc"), ("3\t ; a = b ; c\r\nabc\r\n0\r\n\r\n", "abc"),
      ("3;a=\"b;\\\"\r\"\r\nabc\r\n0\r\n\r\n", nil),
      ("3;a=\"b;\\\" c\"\r\nabc\r\n0\r\n\r\n", "abc"), ("3;a=\"\";b\r\nabc\r\n0\r\n\r\n", "abc"),
      ("0\r\nA: b\r\nC:\r\n\r\n", ""), ("0\r\nContent-Length: 3\r\nHost: x\r\n\r\n", ""),
    ] as [(String, String?)])
  func aBodyIsTheSameHoweverItIsSplit(_ text: String, _ body: String?) {
    let expected: Result =
      body.map { .body($0, length: text.utf8.count) } ?? .refused(.chunkExtensionSyntax)
    for step in 1...text.utf8.count + 4 {
      #expect(decode(text + "next", step: step) == expected, "\(step)")
    }
    guard body != nil else { return }
    for length in 0..<text.utf8.count {
      guard case .incomplete = decode(String(text.utf8.prefix(length))! + "") else {
        if length > 0 { Issue.record("a part of \(length) bytes isn't incomplete") }
        continue
      }
    }
  }

  @Test(arguments: [
    ("0x5\r\n", RequestError.chunkSizeInvalid), ("+5\r\n", .chunkSizeInvalid),
    ("-5\r\n", .chunkSizeInvalid), ("5_0\r\n", .chunkSizeInvalid), ("\r\n", .chunkSizeInvalid),
    (" 5\r\n", .chunkSizeInvalid), (";a\r\n", .chunkSizeInvalid), ("g\r\n", .chunkSizeInvalid),
    ("5\n", .chunkSizeInvalid), ("5\r5", .chunkSizeInvalid), ("5\0\r\n", .chunkSizeInvalid),
    ("8000000000000000\r\n", .chunkSizeTooLarge), ("10000000000000000\r\n", .chunkSizeTooLarge),
    ("00000000000000001\r\n", .chunkSizeTooLarge),
    ("5 \r\n", .chunkExtensionSyntax), ("5;\r\n", .chunkExtensionSyntax),
    ("5;;a\r\n", .chunkExtensionSyntax), ("5;a;\r\n", .chunkExtensionSyntax),
    ("5;a\0\r\n", .chunkExtensionSyntax), ("5;\0\r\n", .chunkExtensionSyntax),
    ("5;a\n", .chunkExtensionSyntax), ("5;a=\r\n", .chunkExtensionSyntax),
    ("5;a=b c\r\n", .chunkExtensionSyntax), ("5;a b\r\n", .chunkExtensionSyntax),
    ("5;a=\"b\n\"\r\n", .chunkExtensionSyntax), ("5;a=\"b\"c\r\n", .chunkExtensionSyntax),
    ("5;a=\"\\\n\"\r\n", .chunkExtensionSyntax), ("5 a\r\n", .chunkExtensionSyntax),
    ("5;a\rb", .chunkSizeInvalid),
    ("3\r\nabcd\r\n", .chunkEndMissing), ("3\r\nabc\n", .chunkEndMissing),
    ("3\r\nabc\r0", .chunkEndMissing), ("3\r\nabc0\r\n", .chunkEndMissing),
    ("0\r\n\n", .bareLineFeed), ("0\r\n\r0", .bareCarriageReturn), ("0\r\nA\r\n", .noColon),
    ("0\r\nA : b\r\n", .spaceBeforeColon), ("0\r\n A: b\r\n", .foldedLine),
    ("0\r\nA: b\r\n c\r\n", .foldedLine), ("0\r\nA: \0\r\n", .fieldValueByte),
    ("0\r\nA: b\n\r\n", .bareLineFeed), ("0\r\n: b\r\n", .fieldNameByte),
    ("0\r\nA(: b\r\n", .fieldNameByte), ("0\r\nA\n", .bareLineFeed),
    ("0\r\nA: b\rc", .bareCarriageReturn),
  ])
  func aMalformedBodyIsRefused(_ text: String, _ error: RequestError) {
    #expect(decode(text + "\r\n") == .refused(error))
    #expect(decode(text + "\r\n", step: 1) == .refused(error))
  }

  @Test func theLargestSizeIsTheLargestOfASignedNumber() {
    #expect(decode("7fffffffffffffff\r\nabc") == .incomplete("abc"))
  }

  @Test func extensionsAreBoundedOverTheWholeBody() {
    var limits = HTTPLimits()
    limits.chunkExtensions = 40
    let chunk = "1;0123456789\r\nx\r\n"
    let three = String(repeating: chunk, count: 3) + "0\r\n\r\n"
    let four = String(repeating: chunk, count: 4) + "0\r\n\r\n"
    #expect(decode(three, limits: limits) == .body("xxx", length: three.utf8.count))
    #expect(decode(four, limits: limits) == .refused(.chunkExtensionsTooLong))
  }

  @Test func trailersAreBoundedAsFieldsAre() {
    var limits = HTTPLimits()
    limits.fieldsSize = 20
    limits.fieldCount = 2
    #expect(decode("0\r\na: 1\r\nb: 2\r\n\r\n", limits: limits) == .body("", length: 17))
    #expect(
      decode("0\r\na:\r\nb:\r\nc:\r\n\r\n", limits: limits) == .refused(.trailersTooLarge))
    #expect(
      decode("0\r\na: 0123456789012345678901234\r\n\r\n", limits: limits)
        == .refused(.trailersTooLarge))
  }
}
