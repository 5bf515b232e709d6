import EddyHTTPCore
import HTTPTypes

/// A copy of a request's head, and where its parts lie in it.
///
/// One allocation for the bytes and one for the places; text is made of a part when it is asked
/// for.
struct HeadBytes: Sendable {
  let bytes: [UInt8]
  let path: ByteRange
  /// Without the question mark; nil if the target has no query.
  let query: ByteRange?
  /// The host that the request is for: of the target, or of the Host field (RFC 9112 §3.2.2).
  let host: ByteRange
  let fields: [FieldRanges]

  subscript(range: ByteRange) -> ArraySlice<UInt8> {
    bytes[Int(range.start)..<Int(range.start + range.count)]
  }

  func text(_ range: ByteRange) -> String {
    bytes.withUnsafeBytes { all in
      let part = UnsafeRawBufferPointer(
        rebasing: all[Int(range.start)..<Int(range.start + range.count)])
      // A field's value may be in ISO 8859-1, as it once was (RFC 9110 §5.5).
      return String(validating: part, as: UTF8.self)
        ?? String(String.UnicodeScalarView(part.lazy.map { Unicode.Scalar($0) }))
    }
  }

  /// The value of a field; of several lines of that name, the combined value (RFC 9110 §5.3).
  func value(of name: HTTPField.Name) -> String? {
    var found: String?
    for field in fields where isName(field.name, name) {
      let value = text(field.value)
      // Cookies are the exception to the comma (RFC 6265 §5.4).
      found = found.map { $0 + (name == .cookie ? "; " : ", ") + value } ?? value
    }
    return found
  }

  private func isName(_ range: ByteRange, _ name: HTTPField.Name) -> Bool {
    let canonical = name.canonicalName.utf8
    guard Int(range.count) == canonical.count else { return false }
    return zip(self[range], canonical).allSatisfy { sent, wanted in
      sent == wanted || (sent | 0x20 == wanted && wanted.isLowercaseLetter)
    }
  }
}

extension HeadBytes {
  /// A head made by hand, for a ``Request`` that came over no connection.
  init(target: String, headers: HTTPFields) {
    var bytes = Array(target.utf8)
    let question = bytes.firstIndex(of: UInt8(ascii: "?"))
    path = ByteRange(count: UInt32(question ?? bytes.count))
    query = question.map {
      ByteRange(start: UInt32($0 + 1), count: UInt32(bytes.count - $0 - 1))
    }
    func append(_ part: some Collection<UInt8>) -> ByteRange {
      let start = UInt32(bytes.count)
      bytes.append(contentsOf: part)
      return ByteRange(start: start, count: UInt32(part.count))
    }
    var host = ByteRange()
    fields = headers.map { field in
      let name = append(field.name.rawName.utf8)
      let value = field.withUnsafeBytesOfValue { append($0) }
      if field.name.canonicalName == "host" { host = value }
      return FieldRanges(name: name, value: value)
    }
    self.host = host
    self.bytes = bytes
  }
}

extension UInt8 {
  fileprivate var isLowercaseLetter: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
  }
}
