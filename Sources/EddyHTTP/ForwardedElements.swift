/// Reads a line of `Forwarded` (RFC 7239 §4): `for=192.0.2.60;proto=https, for="[2001:db8::1]"`.
struct ForwardedElements {
  /// What one proxy says.
  struct Element: Equatable {
    var `for`: String?
    var proto: String?
    fileprivate var names: [String] = []

    init(for node: String? = nil, proto: String? = nil) {
      self.for = node
      self.proto = proto
    }

    static func == (one: Element, other: Element) -> Bool {
      one.for == other.for && one.proto == other.proto
    }
  }

  private let bytes: [UInt8]
  private var index = 0

  /// The elements in their order; nil for a line that breaks the grammar anywhere.
  static func parse(_ line: String) -> [Element]? {
    var reader = ForwardedElements(bytes: Array(line.utf8))
    return reader.elements()
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private mutating func elements() -> [Element]? {
    var elements: [Element] = []
    while true {
      skipBlanks()
      // Empty members of a list are ignored (RFC 9110 §5.6.1.2).
      if index < bytes.count, bytes[index] != UInt8(ascii: ",") {
        guard let element = element() else { return nil }
        elements.append(element)
        skipBlanks()
      }
      guard index < bytes.count else { return elements }
      guard take(",") else { return nil }
    }
  }

  private mutating func element() -> Element? {
    var element = Element()
    repeat {
      skipBlanks()
      guard let name = token()?.lowercased() else {
        // A pair may be missing between two semicolons.
        if index < bytes.count, bytes[index] != UInt8(ascii: ";"), bytes[index] != UInt8(ascii: ",")
        {
          return nil
        }
        continue
      }
      // "Each parameter MUST NOT occur more than once per field-value."
      guard !element.names.contains(name), take("="), let value = value() else { return nil }
      element.names.append(name)
      if name == "for" { element.for = value }
      if name == "proto" { element.proto = value }
      skipBlanks()
    } while take(";")
    return element.names.isEmpty ? nil : element
  }

  private mutating func value() -> String? {
    guard take("\"") else { return token() }
    var text: [UInt8] = []
    while index < bytes.count {
      var byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
      if byte == UInt8(ascii: "\\") {
        guard index < bytes.count else { return nil }
        byte = bytes[index]
        index += 1
      }
      text.append(byte)
    }
    return nil
  }

  /// A token (RFC 9110 §5.6.2). Many proxies write a port or an IPv6 address without the quotation
  /// marks that they need, so `:`, `[` and `]` pass as well.
  private mutating func token() -> String? {
    let start = index
    while index < bytes.count, Self.isTokenByte(bytes[index]) { index += 1 }
    return start < index ? String(decoding: bytes[start..<index], as: UTF8.self) : nil
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: "!#$%&'*+-.^_`|~:[]".utf8.contains(byte)
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func skipBlanks() {
    while index < bytes.count,
      bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t")
    {
      index += 1
    }
  }
}
