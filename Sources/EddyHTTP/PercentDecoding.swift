/// Percent-decoding (RFC 3986 §2.1), on bytes.
enum PercentDecoding {
  /// Decodes `bytes`.
  ///
  /// - Parameter plusIsSpace: whether `+` stands for a space, as in
  ///   `application/x-www-form-urlencoded`, which is what queries are written in.
  /// - Returns: the decoded bytes; nil if a percent sign is not followed by two hexadecimal digits.
  static func decode(
    _ bytes: some Collection<UInt8>, plusIsSpace: Bool = false
  ) -> [UInt8]? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var iterator = bytes.makeIterator()
    while let byte = iterator.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = iterator.next().flatMap(hexadecimalValue),
          let low = iterator.next().flatMap(hexadecimalValue)
        else { return nil }
        decoded.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace:
        decoded.append(UInt8(ascii: " "))
      default:
        decoded.append(byte)
      }
    }
    return decoded
  }

  /// Decodes `bytes` into text; nil if they are malformed, or not UTF-8 once decoded.
  static func decodeText(
    _ bytes: some Collection<UInt8>, plusIsSpace: Bool = false
  ) -> String? {
    guard let decoded = decode(bytes, plusIsSpace: plusIsSpace) else { return nil }
    return String(validating: decoded, as: UTF8.self)
  }

  private static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
