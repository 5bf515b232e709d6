import Testing

@testable import EddyJobs

@Suite struct DigestTests {
  /// FIPS 180-4's examples.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func digestIsSHA256(_ message: String, _ hex: String) {
    #expect(Digest(of: Array(message.utf8)).hex == hex)
  }

  @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000])
  func aDigestInPiecesIsTheSame(_ count: Int) async {
    let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 131 >> 4) }
    #expect(await Digest(inPiecesOf: message) == Digest(of: message))
  }

  @Test func aStoredDigestHas32Bytes() {
    let digest = Digest(of: [1, 2, 3])
    #expect(Digest(bytes: digest.bytes) == digest)
    #expect(Digest(bytes: Array(digest.bytes.dropLast())) == nil)
  }
}
