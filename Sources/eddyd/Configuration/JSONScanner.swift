/// Reads JSON as RFC 8259 has it: no comments, no trailing commas.
struct JSONScanner {
  /// Deep enough for any configuration; it keeps a hostile one from overflowing the stack.
  private static let deepest = 64

  private let text: [UInt8]
  private var position = 0
  private var line = 1
  private var lineStart = 0
  private var depth = 0

  init(_ text: [UInt8]) {
    self.text = text
  }

  mutating func document() throws(JSONSyntaxError) -> JSONOutline {
    skipWhiteSpace()
    let value = try value()
    skipWhiteSpace()
    if position < text.count { throw error("there is something after the end of the value") }
    return value
  }

  private mutating func value() throws(JSONSyntaxError) -> JSONOutline {
    let line = line
    guard let byte = peek else { throw error("the text ends where a value should be") }
    let kind: JSONOutline.Kind
    switch byte {
    case UInt8(ascii: "{"):
      kind = .object(try nested { scanner throws(JSONSyntaxError) in try scanner.members() })
    case UInt8(ascii: "["):
      kind = .array(try nested { scanner throws(JSONSyntaxError) in try scanner.elements() })
    case UInt8(ascii: "\""): kind = .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): kind = .number(try number())
    case UInt8(ascii: "t"): kind = try word("true", .boolean(true))
    case UInt8(ascii: "f"): kind = try word("false", .boolean(false))
    case UInt8(ascii: "n"): kind = try word("null", .null)
    case UInt8(ascii: "/"), UInt8(ascii: "#"):
      throw error("JSON has no comments; write a value here")
    default: throw error("there is no value here: \(shown(byte))")
    }
    return JSONOutline(kind, line: line)
  }

  private mutating func nested<Result>(
    _ body: (inout JSONScanner) throws(JSONSyntaxError) -> Result
  ) throws(JSONSyntaxError) -> Result {
    depth += 1
    guard depth <= Self.deepest else { throw error("more than \(Self.deepest) levels") }
    advance()
    skipWhiteSpace()
    let result = try body(&self)
    depth -= 1
    return result
  }

  private mutating func members() throws(JSONSyntaxError) -> [JSONOutline.Member] {
    var members: [JSONOutline.Member] = []
    var names: Set<String> = []
    if take(UInt8(ascii: "}")) { return members }
    repeat {
      skipWhiteSpace()
      let line = line
      guard peek == UInt8(ascii: "\"") else {
        throw error(
          peek == UInt8(ascii: "}") && !members.isEmpty
            ? "there is a comma before '}'; leave it out" : "a key in double quotes is missing")
      }
      let start = position
      let name = try string()
      guard names.insert(name).inserted else {
        throw error("the key \"\(name)\" is there twice; keep one of them", at: start)
      }
      skipWhiteSpace()
      guard take(UInt8(ascii: ":")) else { throw error("a ':' after the key is missing") }
      skipWhiteSpace()
      members.append(JSONOutline.Member(name: name, line: line, value: try value()))
      skipWhiteSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw error("a ',' or '}' is missing") }
    return members
  }

  private mutating func elements() throws(JSONSyntaxError) -> [JSONOutline] {
    var elements: [JSONOutline] = []
    if take(UInt8(ascii: "]")) { return elements }
    repeat {
      skipWhiteSpace()
      if peek == UInt8(ascii: "]") { throw error("there is a comma before ']'; leave it out") }
      elements.append(try value())
      skipWhiteSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw error("a ',' or ']' is missing") }
    return elements
  }

  private mutating func word(
    _ word: StaticString, _ kind: JSONOutline.Kind
  ) throws(JSONSyntaxError) -> JSONOutline.Kind {
    let bytes = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard text[position...].starts(with: bytes) else {
      throw error("there is no value here; true, false and null are written so")
    }
    position += bytes.count
    return kind
  }

  private mutating func number() throws(JSONSyntaxError) -> String {
    let start = position
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    if let next = peek, Self.isDigit(next) { throw error("a number can't begin with 0") }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  private mutating func digits() throws(JSONSyntaxError) {
    let start = position
    while let byte = peek, Self.isDigit(byte) { position += 1 }
    if position == start { throw error("a digit is missing") }
  }

  // MARK: Strings

  private mutating func string() throws(JSONSyntaxError) -> String {
    let start = position
    advance()
    var bytes: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        advance()
        guard let string = String(validating: bytes, as: UTF8.self) else {
          throw error("the string is not in UTF-8", at: start)
        }
        return string
      case UInt8(ascii: "\\"):
        advance()
        try escape(into: &bytes)
      case 0..<0x20:
        throw error("a string ends on its line, and has its control characters escaped")
      default:
        bytes.append(byte)
        advance()
      }
    }
    throw error("the string that begins here has no end", at: start)
  }

  private mutating func escape(into bytes: inout [UInt8]) throws(JSONSyntaxError) {
    guard let byte = peek else { throw error("the text ends within a string") }
    advance()
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "u"): bytes.append(contentsOf: String(try unicodeEscape()).utf8)
    default: throw error("'\\\(shown(byte))' is no escape", at: position - 1)
    }
  }

  /// A scalar; those above U+FFFF are a pair of surrogates (RFC 8259 §7).
  private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
    let start = position
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
      throw error("half a surrogate pair", at: start)
    }
    let second = try hexadecimal()
    guard (0xD800..<0xDC00).contains(first), (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else { throw error("half a surrogate pair", at: start) }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("four hexadecimal digits have to follow '\\u'")
      }
      value = value << 4 | UInt32(digit)
      advance()
    }
    return value
  }

  // MARK: Bytes

  private var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func advance() { position += 1 }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    advance()
    return true
  }

  private mutating func skipWhiteSpace() {
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\n"):
        line += 1
        lineStart = position + 1
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
      default: return
      }
      advance()
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private func shown(_ byte: UInt8) -> String {
    (0x21...0x7E).contains(byte)
      ? String(Character(Unicode.Scalar(byte))) : "byte 0x\(String(byte, radix: 16))"
  }

  private func error(_ problem: String, at position: Int? = nil) -> JSONSyntaxError {
    JSONSyntaxError(
      line: line, column: (position ?? self.position) - lineStart + 1, problem: problem)
  }
}
