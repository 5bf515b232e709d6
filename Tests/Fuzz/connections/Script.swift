/// Reads an input of letters and digits. Of a byte that is meant as either, only the low bits count,
/// so that most changes by the fuzzer mean something, and the usual spelling can be read.
struct Script {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { index >= bytes.count }

  /// The lower-case letter of the next byte; anything else, as a space, is a space.
  mutating func letter() -> Character {
    let low = next() & 31
    return (1...26).contains(low) ? Character(UnicodeScalar(low | 0x60)) : " "
  }

  /// 0 to 9 for the digits, 10 to 15 for `:;<=>?`.
  mutating func digit() -> Int { Int(next() & 15) }

  /// What stands before the next `mark`, or before the end; the mark is skipped.
  mutating func text(upTo mark: Character) -> UnsafeBufferPointer<UInt8> {
    let rest = bytes[index...]
    let end = rest.firstIndex(of: mark.asciiValue!) ?? bytes.endIndex
    defer { index = min(end + 1, bytes.count) }
    return UnsafeBufferPointer(rebasing: bytes[index..<end])
  }

  mutating func rewind() { index = 0 }

  private mutating func next() -> UInt8 {
    guard index < bytes.count else { return 0 }
    index += 1
    return bytes[index - 1]
  }
}
