/// A time in seconds, as flags have it: `30`, `0.25`.
struct Seconds: Equatable, Decodable {
  let duration: Duration

  /// A hundred years: more than anybody waits, and far from what a 64-bit count of nanoseconds
  /// holds.
  static let most = 100.0 * 365 * 86_400

  /// - Returns: nil for what is no decimal number from 0 on.
  init?(_ text: String) {
    guard text.first?.isNumber == true, text.last?.isNumber == true,
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
      let value = Double(text), value <= Self.most
    else { return nil }
    duration = .seconds(value)
  }
}

/// A number of bytes, as flags have it: `1048576`, `64K`, `50M`, `2G` (units of 1024, as in nginx).
struct ByteCount: Equatable, Decodable {
  let bytes: Int

  init?(_ text: String) {
    var digits = Substring(text)
    var shift = 0
    switch digits.last {
    case "K", "k": shift = 10
    case "M", "m": shift = 20
    case "G", "g": shift = 30
    default: break
    }
    if shift > 0 { digits.removeLast() }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let count = Int(digits), count <= Int.max >> (shift + 1)
    else { return nil }
    bytes = count << shift
  }
}
