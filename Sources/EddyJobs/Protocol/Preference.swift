/// The preferences of a request (RFC 7240) that a submission honours.
///
/// A preference that is malformed, or not known here, is ignored, as RFC 7240 §2 asks; so is every
/// occurrence of one after the first.
struct Preference: Equatable {
  /// The client would rather have 202 at once than wait (§4.1).
  var respondsAsync = false
  /// How many seconds the client is willing to wait for the result (§4.3).
  var wait: Int?

  init(respondsAsync: Bool = false, wait: Int? = nil) {
    self.respondsAsync = respondsAsync
    self.wait = wait
  }

  /// Reads the value of `Prefer`; several fields of that name are joined by commas before.
  init(parsing value: String) {
    var scanner = Scanner(bytes: Array(value.utf8))
    var hasWait = false
    while !scanner.isAtEnd {
      scanner.skip(Self.isListSpace)
      if scanner.isAtEnd { break }
      let start = scanner.position
      if let (name, word) = scanner.preference() {
        switch name {
        case "respond-async": respondsAsync = true
        case "wait" where !hasWait:
          hasWait = true
          wait = word.flatMap(Self.deltaSeconds)
        default: break
        }
      } else {
        scanner.position = start
        scanner.skipMember()
      }
    }
  }

  /// What was honoured, for `Preference-Applied` (§3); nil if nothing was.
  var applied: String? {
    switch (respondsAsync, wait) {
    case (true, let wait?): "respond-async, wait=\(wait)"
    case (true, nil): "respond-async"
    case (false, let wait?): "wait=\(wait)"
    case (false, nil): nil
    }
  }

  /// RFC 9111 §1.2.2: digits only; what does not fit is as good as the largest that does.
  private static func deltaSeconds(_ word: [UInt8]) -> Int? {
    guard !word.isEmpty else { return nil }
    var seconds = 0
    for byte in word {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      seconds = min(seconds * 10 + Int(byte - UInt8(ascii: "0")), Int(Int32.max))
    }
    return seconds
  }

  private static func isListSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == 0x20 || byte == 0x09
  }
}

/// Walks the grammar of RFC 7240 §2 (with erratum 4439):
///
/// ```
/// preference = preference-parameter *( OWS ";" [ OWS preference-parameter ] )
/// preference-parameter = token [ BWS "=" BWS word ]
/// word = token / quoted-string
/// ```
private struct Scanner {
  let bytes: [UInt8]
  var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }
  var next: UInt8? { isAtEnd ? nil : bytes[position] }

  mutating func skip(_ isSkipped: (UInt8) -> Bool) {
    while let byte = next, isSkipped(byte) { position += 1 }
  }

  mutating func skipSpace() { skip { $0 == 0x20 || $0 == 0x09 } }

  /// A member of the list, up to its comma: its name in lowercase, and its word. Its parameters are
  /// read and dropped. nil if it is malformed.
  mutating func preference() -> (name: String, word: [UInt8]?)? {
    guard let first = parameter() else { return nil }
    while true {
      skipSpace()
      guard let byte = next else { return first }
      if byte == UInt8(ascii: ",") { return first }
      guard byte == UInt8(ascii: ";") else { return nil }
      position += 1
      skipSpace()
      if let byte = next, byte != UInt8(ascii: ";"), byte != UInt8(ascii: ",") {
        guard parameter() != nil else { return nil }
      }
    }
  }

  private mutating func parameter() -> (name: String, word: [UInt8]?)? {
    let name = token()
    guard !name.isEmpty else { return nil }
    let lowercased = String(decoding: name, as: UTF8.self).lowercased()
    let end = position
    skipSpace()
    guard next == UInt8(ascii: "=") else {
      position = end
      return (lowercased, nil)
    }
    position += 1
    skipSpace()
    if next == UInt8(ascii: "\"") {
      guard let word = quotedString() else { return nil }
      // §2: an empty value is the same as none.
      return (lowercased, word.isEmpty ? nil : word)
    }
    let word = token()
    return word.isEmpty ? nil : (lowercased, word)
  }

  private mutating func token() -> [UInt8] {
    let start = position
    skip(isTokenByte)
    return Array(bytes[start..<position])
  }

  private mutating func quotedString() -> [UInt8]? {
    position += 1
    var content: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return content
      case UInt8(ascii: "\\"):
        guard let escaped = next else { return nil }
        position += 1
        content.append(escaped)
      default: content.append(byte)
      }
    }
    return nil
  }

  /// Passes over a malformed member: to the next comma outside of quotes.
  mutating func skipMember() {
    while let byte = next, byte != UInt8(ascii: ",") {
      if byte == UInt8(ascii: "\"") {
        if quotedString() == nil { return }
      } else {
        position += 1
      }
    }
  }

  /// `tchar`, RFC 9110 §5.6.2.
  private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: Self.tokenMarks.contains(byte)
    }
  }

  private static let tokenMarks = Array("!#$%&'*+-.^_`|~".utf8)
}
