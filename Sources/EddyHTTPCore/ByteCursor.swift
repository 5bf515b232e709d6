/// Reads a field's value from its front: each function takes what it is asked for or nothing.
struct ByteCursor {
  private let bytes: UnsafeRawBufferPointer
  private(set) var index = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { index >= bytes.count }

  /// The next byte, not taken; nil at the end.
  var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  mutating func take(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count - index >= count else { return false }
    for offset in 0..<count where bytes[index + offset] != text.utf8Start[offset] { return false }
    index += count
    return true
  }

  /// The same without regard to the case of ASCII letters; `lowercase` has none in upper case.
  mutating func take(ignoringCase lowercase: StaticString) -> Bool {
    let count = lowercase.utf8CodeUnitCount
    guard bytes.count - index >= count else { return false }
    for offset in 0..<count
    where EddyHTTPCore.lowercased(bytes[index + offset]) != lowercase.utf8Start[offset] {
      return false
    }
    index += count
    return true
  }

  mutating func skipBlanks() {
    while let byte = next, isBlank(byte) { index += 1 }
  }

  /// Takes bytes up to one that isn't of the class.
  mutating func takeWhile(_ isMember: (UInt8) -> Bool) -> UnsafeRawBufferPointer {
    let start = index
    while let byte = next, isMember(byte) { index += 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<index])
  }

  /// Exactly as many digits.
  mutating func digits(_ count: Int) -> Int? {
    guard bytes.count - index >= count else { return nil }
    var number = 0
    for offset in 0..<count {
      let byte = bytes[index + offset]
      guard isDigit(byte) else { return nil }
      number = number * 10 + Int(byte - ASCII.zero)
    }
    index += count
    return number
  }

  /// At least one digit. A number that is too large to count is the largest one.
  mutating func number() -> Int64? {
    let digits = takeWhile(isDigit)
    guard !digits.isEmpty else { return nil }
    var number: Int64 = 0
    for digit in digits {
      let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(Int64(digit - ASCII.zero))
      if overflow || carry { return .max }
      number = sum
    }
    return number
  }
}
