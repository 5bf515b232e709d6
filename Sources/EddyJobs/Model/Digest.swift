import CCrypto

/// A SHA-256 digest (FIPS 180-4).
public struct Digest: Hashable, Sendable {
  /// 32 bytes.
  public let bytes: [UInt8]

  /// The digest of `message`.
  public init(of message: [UInt8]) {
    bytes = message.withUnsafeBufferPointer { input in
      [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { output, count in
        SHA256(input.baseAddress, input.count, output.baseAddress)
        count = Int(SHA256_DIGEST_LENGTH)
      }
    }
  }

  /// A digest that a store has kept; nil unless it has 32 bytes.
  public init?(bytes: [UInt8]) {
    guard bytes.count == Int(SHA256_DIGEST_LENGTH) else { return nil }
    self.bytes = bytes
  }

  /// 64 lowercase hexadecimal digits.
  public var hex: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
      for (index, byte) in bytes.enumerated() {
        buffer[index * 2] = digits[Int(byte >> 4)]
        buffer[index * 2 + 1] = digits[Int(byte & 0xF)]
      }
      return bytes.count * 2
    }
  }
}
