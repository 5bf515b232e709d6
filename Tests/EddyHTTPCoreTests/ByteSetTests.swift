import Testing

@testable import EddyHTTPCore

@Suite struct ByteSetTests {
  private static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

  @Test(arguments: [
    (ByteSet.token, alphanumeric + "!#$%&'*+-.^_`|~"),
    (ByteSet.registeredName, alphanumeric + "-._~" + "!$&'()*+,;=" + "%"),
    (ByteSet.addressLiteral, "0123456789abcdefABCDEF:."),
  ])
  func aSetHasTheCharactersOfItsGrammarAndNoOthers(_ set: ByteSet, _ members: String) {
    for byte in UInt8.min...UInt8.max {
      #expect(set.contains(byte) == members.utf8.contains(byte), "\(byte)")
    }
  }

  @Test func aTargetHasVisibleCharactersWithoutTheNumberSign() {
    for byte in UInt8.min...UInt8.max {
      let isVisible = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
      #expect(ByteSet.target.contains(byte) == isVisible)
      #expect(ByteSet.targetPath.contains(byte) == (isVisible && byte != UInt8(ascii: "?")))
    }
  }

  @Test func aWordWithAControlCharacterIsNeverMissed() {
    for position in 0..<8 {
      for byte in UInt8.min...UInt8.max {
        for other: UInt8 in [0x20, 0x21, 0x7E, 0x80, 0xFF] {
          var bytes = [UInt8](repeating: other, count: 8)
          bytes[position] = byte
          let word = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
          let isControl = byte < 0x20 || byte == 0x7F
          #expect(Word.mayHaveControl(word) == isControl, "\(bytes)")
        }
      }
    }
  }
}

extension ByteSet: CustomTestStringConvertible {
  public var testDescription: String { "\(String(low, radix: 16)) \(String(high, radix: 16))" }
}
