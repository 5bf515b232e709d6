import CCrypto

/// Names a job: 128 random bits from libcrypto's generator.
///
/// Without an authenticator the id is the capability (whoever holds it may read the result), so
/// ``description`` shows only its beginning: a log line gives nothing away. ``hex`` is the whole.
public struct JobID: Hashable, Sendable {
  let high: UInt64
  let low: UInt64

  /// An id that nobody can guess.
  public init() {
    var bits = (UInt64(0), UInt64(0))
    let drawn = withUnsafeMutableBytes(of: &bits) { bytes in
      RAND_bytes(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(bytes.count))
    }
    if drawn != 1 {
      // RAND_bytes(3) fails only when libcrypto cannot seed itself; the kernel's generator is
      // as strong, and only slower.
      var kernel = SystemRandomNumberGenerator()
      bits = (kernel.next(), kernel.next())
    }
    (high, low) = bits
  }

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The id that `hex` spells: exactly 32 lowercase hexadecimal digits, else nil.
  ///
  /// Uppercase is refused so that a job has one address only.
  public init?(hex: some StringProtocol) {
    var halves: (UInt64, UInt64) = (0, 0)
    var count = 0
    for byte in hex.utf8 {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      if count < 16 {
        halves.0 = halves.0 << 4 | UInt64(digit)
      } else {
        halves.1 = halves.1 << 4 | UInt64(digit)
      }
      count += 1
      if count > 32 { return nil }
    }
    guard count == 32 else { return nil }
    (high, low) = halves
  }

  /// All 32 digits: for the job's address and for stores, never for logs.
  public var hex: String {
    String(unsafeUninitializedCapacity: 32) { buffer in
      Self.writeHex(high, into: buffer, at: 0)
      Self.writeHex(low, into: buffer, at: 16)
      return 32
    }
  }

  private static func writeHex(
    _ value: UInt64, into buffer: UnsafeMutableBufferPointer<UInt8>, at start: Int
  ) {
    for index in 0..<16 {
      let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - index * 4)) & 0xF
      buffer[start + index] =
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
    }
  }
}

extension JobID: CustomStringConvertible {
  /// The first eight digits and an ellipsis: enough to follow a job through a log, useless to
  /// fetch it.
  public var description: String { hex.prefix(8) + "…" }
}
