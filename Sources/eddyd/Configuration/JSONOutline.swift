/// The shape of a JSON text (RFC 8259): which keys it has, what kind of value each has, and on which
/// line it stands.
///
/// swift-configuration reads values by key, and can't say which keys there are. This is what lets an
/// unknown key, a key that is there twice, or a value of the wrong kind be named with its line.
///
/// A library would be better than a scanner of ours, but none that is at hand can do this: of a text
/// that is wrong, FoundationEssentials' `JSONDecoder` says that it "was not valid JSON", without what
/// or where, and it takes trailing commas and keys that are there twice. The values themselves are
/// still read by swift-configuration.
struct JSONOutline: Sendable {
  enum Kind: Sendable {
    case string(String)
    /// As it is written.
    case number(String)
    case boolean(Bool)
    case null
    case array([JSONOutline])
    case object([Member])
  }

  struct Member: Sendable {
    let name: String
    /// Where the name stands.
    let line: Int
    let value: JSONOutline
  }

  let kind: Kind
  /// Where the value begins; the first line is 1.
  let line: Int

  /// - Throws: ``JSONSyntaxError``.
  init(parsing text: [UInt8]) throws(JSONSyntaxError) {
    var scanner = JSONScanner(text)
    self = try scanner.document()
  }

  init(_ kind: Kind, line: Int) {
    self.kind = kind
    self.line = line
  }

  /// The value of a member of an object; nil for an absent one.
  subscript(name: String) -> JSONOutline? {
    guard case .object(let members) = kind else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// What it is, for a message: `"10s", a string`.
  var shown: String {
    switch kind {
    case .string(let string): "\"\(Self.shortened(string))\", a string"
    case .number(let text): "\(text), a number"
    case .boolean(let value): "\(value), a boolean"
    case .null: "null"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// A message needs enough of a text to recognise it, and stays on its line.
  private static let longestShown = 60

  private static func shortened(_ text: String) -> String {
    let printable = text.map { $0.isNewline ? " " : $0 }
    return printable.count <= longestShown
      ? String(printable) : String(printable.prefix(longestShown)) + "…"
  }
}

/// Why a text is no JSON, and where. Lines and columns (in bytes) begin with 1.
struct JSONSyntaxError: Error, Equatable {
  let line: Int
  let column: Int
  let problem: String
}
