import CLibev

/// The bytes that a protocol element has a name for.
enum ASCII {
  static var tab: UInt8 { 0x09 }
  static var lineFeed: UInt8 { 0x0A }
  static var carriageReturn: UInt8 { 0x0D }
  static var space: UInt8 { 0x20 }
  static var quote: UInt8 { 0x22 }
  static var hash: UInt8 { 0x23 }
  static var percent: UInt8 { 0x25 }
  static var asterisk: UInt8 { 0x2A }
  static var comma: UInt8 { 0x2C }
  static var dot: UInt8 { 0x2E }
  static var slash: UInt8 { 0x2F }
  static var zero: UInt8 { 0x30 }
  static var nine: UInt8 { 0x39 }
  static var colon: UInt8 { 0x3A }
  static var semicolon: UInt8 { 0x3B }
  static var equals: UInt8 { 0x3D }
  static var question: UInt8 { 0x3F }
  static var openBracket: UInt8 { 0x5B }
  static var backslash: UInt8 { 0x5C }
  static var closeBracket: UInt8 { 0x5D }
  static var delete: UInt8 { 0x7F }
}

/// The sets of characters that the grammar asks for most.
///
/// A set is a bit of each entry of one table, which costs a load and a test for a byte.
struct ByteClass {
  let bit: UInt8

  /// No byte above 0x7F is a member of any set.
  @inline(__always) func contains(_ byte: UInt8) -> Bool {
    Self.table.utf8Start[Int(byte)] & bit != 0
  }

  /// tchar of RFC 9110 §5.6.2: letters, digits and !#$%&'*+-.^_`|~
  @inline(__always) static var token: ByteClass { ByteClass(bit: 1) }
  /// What a request target may have before its query: visible characters but # and ?.
  @inline(__always) static var targetPath: ByteClass { ByteClass(bit: 2) }
  /// What a request target may have: visible characters but #, which starts a fragment, and a
  /// fragment is never sent (RFC 9110 §7.1).
  @inline(__always) static var target: ByteClass { ByteClass(bit: 4) }
  /// The characters of a reg-name (RFC 3986 §3.2.2), unreserved and sub-delims, but the percent sign.
  @inline(__always) static var registeredName: ByteClass { ByteClass(bit: 8) }
  /// The characters between the brackets of an IPv6 address (RFC 3986 §3.2.2): hexadecimal digits,
  /// colons and, for an IPv4 address at its end, dots.
  @inline(__always) static var addressLiteral: ByteClass { ByteClass(bit: 16) }

  /// One character a byte: `@` and the bits of the sets. A literal, because a static string needs
  /// neither an initializer nor a check for whether that has run.
  @inline(__always) private static var table: StaticString {
    """
    @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@OFAOGOONNOONO_F__________VNFNFD\
    F______OOOOOOOOOOOOOOOOOOOOFFFGOG______OOOOOOOOOOOOOOOOOOOOFGFO@\
    @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\
    @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
    """
  }
}

/// True if `bytes`, of which there are as many as `text` has, are those of `text`.
@inline(__always) func equal(_ bytes: UnsafePointer<UInt8>, _ text: StaticString) -> Bool {
  memcmp(bytes, text.utf8Start, text.utf8CodeUnitCount) == 0
}

/// The same without regard to the case of ASCII letters; `lowercase` has none in upper case.
@inline(__always) func equalIgnoringCase(
  _ bytes: UnsafePointer<UInt8>, _ count: Int, _ lowercase: StaticString
) -> Bool {
  guard count == lowercase.utf8CodeUnitCount else { return false }
  let text = lowercase.utf8Start
  for index in 0..<count {
    guard lowercased(bytes[index]) == text[index] else { return false }
  }
  return true
}

@inline(__always) func lowercased(_ byte: UInt8) -> UInt8 {
  byte &- 0x41 < 26 ? byte | 0x20 : byte
}

/// SP or HTAB: the members of OWS and BWS (RFC 9110 §5.6.3).
@inline(__always) func isBlank(_ byte: UInt8) -> Bool {
  byte == ASCII.space || byte == ASCII.tab
}

@inline(__always) func isDigit(_ byte: UInt8) -> Bool {
  byte &- ASCII.zero < 10
}

/// The value of a hexadecimal digit; nil for another byte.
@inline(__always) func hexadecimalValue(_ byte: UInt8) -> Int? {
  switch byte {
  case 0x30...0x39: Int(byte &- 0x30)
  case 0x41...0x46: Int(byte &- 0x41 &+ 10)
  case 0x61...0x66: Int(byte &- 0x61 &+ 10)
  default: nil
  }
}
