import CLibev

@testable import EddyHTTPCore

/// A request's head: whole and in pieces it is understood as the same, and what is understood has
/// the form that RFC 9112 gives it.
@c(LLVMFuzzerTestOneInput) public func fuzzRequestHead(
  _ data: UnsafePointer<UInt8>, _ size: Int
) -> CInt {
  guard let choices = Choices(data, size) else { return 0 }
  var limits = HTTPLimits()
  if choices.hasSmallLimits {
    limits.requestLine = 24
    limits.fieldsSize = 64
    limits.fieldCount = 3
  }
  let whole = parse(choices.content, limits)
  let inPieces = parseInPieces(choices, limits)
  switch (whole, inPieces) {
  case (.refused, .incomplete): break  // A part is judged when the end of the head has come.
  case (.refused, .refused): break  // For another reason maybe: limits are judged as parts come.
  default: require(whole == inPieces, "whole: \(whole)\nin pieces: \(inPieces)")
  }
  return 0
}

private func parse(_ bytes: UnsafeRawBufferPointer, _ limits: HTTPLimits) -> ParseResult {
  withExactCopy(bytes) { bytes in
    var head = RequestHead(fieldCapacity: limits.fieldCount)
    switch head.parse(bytes, limits) {
    case .complete(let length):
      checkForm(head, length, available: bytes.count, limits)
      return .head(ParsedHead(head), length: length)
    case .incomplete: return .incomplete
    case .refused(let error): return .refused(error)
    }
  }
}

/// As a connection does: the first piece is parsed, then the end of the head is looked for, then
/// all of it is parsed.
private func parseInPieces(_ choices: Choices, _ limits: HTTPLimits) -> ParseResult {
  var scanner: HeadScanner?
  for end in choices.cuts {
    let bytes = UnsafeRawBufferPointer(rebasing: choices.content[..<end])
    guard scanner != nil else {
      let result = parse(bytes, limits)
      guard result == .incomplete else { return result }
      scanner = HeadScanner()
      continue
    }
    switch withExactCopy(bytes, { scanner!.scan($0, limits) }) {
    case .incomplete: continue
    case .refused(let error): return .refused(error)
    case .complete(let length):
      let result = parse(UnsafeRawBufferPointer(rebasing: bytes[..<length]), limits)
      require(result != .incomplete, "the scanner found an end that the parser does not see")
      return result
    }
  }
  return .incomplete
}

private func checkForm(
  _ head: borrowing RequestHead, _ length: Int, available: Int, _ limits: HTTPLimits
) {
  let bytes = head.bytes
  require(length <= available && bytes.count == length, "the head ends behind what was read")
  require(head.fieldCount <= limits.fieldCount, "more fields than are allowed")
  for range in [
    head.methodRange, head.targetRange, head.pathRange, head.queryRange, head.hostRange,
  ] {
    require(Int(range.start) + Int(range.count) <= length, "a range that leaves the head")
  }

  require(bytes.suffix(4).elementsEqual("\r\n\r\n".utf8), "the head does not end with CR LF CR LF")
  for index in bytes.indices.dropLast(4) where bytes[index] == ASCII.carriageReturn {
    require(bytes[index + 1] == ASCII.lineFeed, "a bare CR")
    require(bytes[index + 2] != ASCII.carriageReturn, "an empty line inside the head")
  }
  require(
    head.path.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "?") },
    "a byte that a path cannot have")
  require(head.minorVersion == 0 || head.host.count > 0, "HTTP/1.1 without a host")
  checkFields(head)
}

private func checkFields(_ head: borrowing RequestHead) {
  var lengths: [String] = []
  var hasTransferEncoding = false
  for index in 0..<head.fieldCount {
    let field = head[field: index]
    require(field.name.count > 0, "a field without a name")
    require(
      field.value.allSatisfy { $0 >= ASCII.space && $0 != ASCII.delete || $0 == ASCII.tab },
      "a control character in a field value")
    for edge in [field.value.first, field.value.last] {
      require(edge != ASCII.space && edge != ASCII.tab, "white space around a field value")
    }
    switch field.name.text.lowercased() {
    case "content-length": lengths.append(field.value.text)
    case "transfer-encoding": hasTransferEncoding = true
    default: break
    }
  }
  // What two programs could understand differently is refused (RFC 9112 §6.3, §11.2).
  require(lengths.count + (hasTransferEncoding ? 1 : 0) <= 1, "two ways to tell the body's length")
  require(head.isChunked == hasTransferEncoding, "a transfer coding other than chunked")
  require(head.contentLength == lengths.first.flatMap { Int64($0) }, "another Content-Length")
}
