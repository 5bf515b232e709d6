/// Seconds as a person writes them in a query or a body: `2`, `0.25`.
///
/// Digits, and perhaps a point and digits: no sign, no exponent, no space, nothing that a locale
/// could change.
enum DecimalSeconds {
  enum Flaw: Error {
    case empty
    case notANumber
    case negative
    case tooLarge

    /// Completes "…, which …".
    var explanation: String {
      switch self {
      case .empty: "is empty"
      case .notANumber: "is not a decimal number of seconds"
      case .negative: "is negative"
      case .tooLarge: "is too large"
      }
    }
  }

  /// Whole seconds past this are too large for anything here, and cannot overflow a `Duration`.
  private static let most: Int64 = 1_000_000_000

  static func parse(_ text: some Collection<UInt8>) throws(Flaw) -> Duration {
    var rest = text[...]
    guard let first = rest.first else { throw .empty }
    if first == UInt8(ascii: "-") {
      // "-1" deserves a better answer than "-x".
      _ = try parse(rest.dropFirst())
      throw .negative
    }

    var whole: Int64 = 0
    var hasDigits = false
    while let byte = rest.first, let digit = digit(byte) {
      hasDigits = true
      whole = min(whole * 10 + digit, most)
      rest = rest.dropFirst()
    }
    guard hasDigits else { throw .notANumber }

    // Digits past the ninth are below a nanosecond: they are read and dropped.
    var nanoseconds: Int64 = 0
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      var weight: Int64 = 100_000_000
      guard !rest.isEmpty else { throw .notANumber }
      while let byte = rest.first, let digit = digit(byte) {
        nanoseconds += digit * weight
        weight /= 10
        rest = rest.dropFirst()
      }
    }
    guard rest.isEmpty else { throw .notANumber }
    guard whole < most else { throw .tooLarge }
    return .seconds(whole) + .nanoseconds(nanoseconds)
  }

  private static func digit(_ byte: UInt8) -> Int64? {
    guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
    return Int64(byte - UInt8(ascii: "0"))
  }
}
