import Testing

@testable import EddyHTTPCore

@Suite struct ByteClassTests {
  private static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

  @Test(
    arguments: [
      (1, alphanumeric + "!#$%&'*+-.^_`|~"), (8, alphanumeric + "-._~" + "!$&'()*+,;="),
      (16, "0123456789abcdefABCDEF:."),
    ] as [(UInt8, String)])
  func aSetHasTheCharactersOfItsGrammarAndNoOthers(_ bit: UInt8, _ members: String) {
    for byte in UInt8.min...UInt8.max {
      #expect(ByteClass(bit: bit).contains(byte) == members.utf8.contains(byte), "\(byte)")
    }
  }

  @Test func theSetsHaveTheirBits() {
    #expect(ByteClass.token.bit == 1)
    #expect(ByteClass.registeredName.bit == 8)
    #expect(ByteClass.addressLiteral.bit == 16)
  }

  @Test func aTargetHasVisibleCharactersWithoutTheNumberSign() {
    for byte in UInt8.min...UInt8.max {
      let isVisible = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
      #expect(ByteClass.target.contains(byte) == isVisible)
      #expect(ByteClass.targetPath.contains(byte) == (isVisible && byte != UInt8(ascii: "?")))
    }
  }

  @Test func theFirstControlCharacterOfAWordIsFound() {
    for position in 0..<8 {
      for byte in UInt8.min...UInt8.max {
        for (before, behind) in [
          (0x20, 0x00), (0x21, 0x7E), (0x7E, 0x7F), (0x80, 0x1F), (0xFF, 0x20),
        ]
          as [(UInt8, UInt8)]
        {
          var bytes = [UInt8](repeating: before, count: 8)
          bytes[position] = byte
          for index in position + 1..<max(8, position + 1) { bytes[index] = behind }
          let word = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
          let first = bytes.firstIndex { $0 < 0x20 || $0 == 0x7F } ?? 8
          #expect(Word.firstControl(UInt64(littleEndian: word)) == first, "\(bytes)")
        }
      }
    }
  }
}
