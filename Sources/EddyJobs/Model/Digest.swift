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

  /// The digest of `message`, however long: between two pieces the caller's executor may do other
  /// work, which it could not while 50 MB take 30 to 200 ms.
  init(inPiecesOf message: [UInt8]) async {
    guard message.count > Self.pieceSize else {
      self.init(of: message)
      return
    }
    let state = DigestState()
    var start = 0
    while message.count - start > Self.pieceSize {
      state.add(message[start..<start + Self.pieceSize])
      start += Self.pieceSize
      await Task.yield()
    }
    state.add(message[start...])
    self.init(ended: state)
  }

  private init(ended state: DigestState) { bytes = state.end() }

  /// 64 KiB take 36 µs (openssl speed, with SHA-NI; a few times that without), which is as long as a
  /// turn of a loop may be.
  static let pieceSize = 65_536

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

/// A digest in the making.
private final class DigestState {
  private let context: OpaquePointer

  init() {
    // EVP_DigestInit(3): these fail only for want of memory, or of SHA-256 itself.
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      fatalError("libcrypto has no SHA-256")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  func add(_ piece: ArraySlice<UInt8>) {
    _ = piece.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
  }

  func end() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { output, count in
      EVP_DigestFinal_ex(context, output.baseAddress, nil)
      count = Int(SHA256_DIGEST_LENGTH)
    }
  }
}
