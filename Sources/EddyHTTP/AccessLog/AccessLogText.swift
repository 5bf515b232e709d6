/// What clients have sent, as it may stand in a log.
enum AccessLogText {
  /// As many hexadecimal digits in a row have a job's id: 128 bits.
  private static let idLength = 32
  /// As many of them are written: enough to find a job, not to get its result.
  private static let shownLength = 8

  /// Without whole ids. A digit may be percent-encoded, which would else be a way around it.
  static func shortened(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard bytes.count >= idLength else { return bytes }
    var text: [UInt8] = []
    // What is not yet in the text.
    var rest = bytes.startIndex
    var index = bytes.startIndex
    while index < bytes.endIndex {
      var digits = 0
      var end = index
      var shownEnd = index
      while let length = digitLength(bytes, at: end) {
        digits += 1
        end += length
        if digits == shownLength { shownEnd = end }
      }
      if digits >= idLength {
        text += bytes[rest..<shownEnd]
        text += "...".utf8
        rest = end
      }
      index = max(end, index + 1)
    }
    return rest == bytes.startIndex ? bytes : ArraySlice(text + bytes[rest...])
  }

  /// How many bytes a hexadecimal digit takes here, plain or percent-encoded; nil if there is none.
  private static func digitLength(_ bytes: ArraySlice<UInt8>, at index: Int) -> Int? {
    guard index < bytes.endIndex else { return nil }
    if value(bytes[index]) != nil { return 1 }
    guard bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.endIndex,
      let high = value(bytes[index + 1]), let low = value(bytes[index + 2]),
      value(high << 4 | low) != nil
    else { return nil }
    return 3
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Appends with nginx's escapes (`log_format escape=default`).
  static func append(_ bytes: some Sequence<UInt8>, to line: inout [UInt8]) {
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0..<0x20, 0x7F...0xFF:
        line.append(UInt8(ascii: "\\"))
        line.append(UInt8(ascii: "x"))
        line.append(upperHexadecimalDigit(byte >> 4))
        line.append(upperHexadecimalDigit(byte & 0xF))
      default:
        line.append(byte)
      }
    }
  }

  private static func upperHexadecimalDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
  }

  /// Appends as a JSON string, in quotes. What is not UTF-8 is taken as ISO 8859-1, as a field's
  /// value once was (RFC 9110 §5.5).
  static func appendJSON(_ bytes: some Collection<UInt8>, to line: inout [UInt8]) {
    let text =
      String(validating: bytes, as: UTF8.self)
      ?? String(String.UnicodeScalarView(bytes.lazy.map { Unicode.Scalar($0) }))
    guard text.unicodeScalars.contains(where: isControl) else {
      return JSONText.append(text, to: &line)
    }
    // JSON lets them stand, but a terminal may obey them.
    var quoted: [UInt8] = []
    JSONText.append(text, to: &quoted)
    for scalar in String(decoding: quoted, as: UTF8.self).unicodeScalars {
      if isControl(scalar) {
        let digits = String(scalar.value, radix: 16)
        line += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
      } else {
        line += String(scalar).utf8
      }
    }
  }

  /// DEL, the C1 controls, and the separators that end a line for some readers. (JSON's own escapes
  /// see to those below the space.)
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    (0x7F...0x9F).contains(scalar.value) || (0x2028...0x2029).contains(scalar.value)
  }
}
