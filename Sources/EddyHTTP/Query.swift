/// The query of a request's target: names and values, decoded.
///
/// It is read as `application/x-www-form-urlencoded` (the URL standard, §5.1): pairs are separated
/// by `&`, a name from its value by the first `=`, and `+` stands for a space. As that standard
/// says, nothing is an error: a malformed percent sign, or bytes that are not UTF-8, stay as they
/// were sent.
///
/// ```swift
/// request.query["wait"]  // "30" of /jobs/1?wait=30
/// ```
public struct Query: Sendable, Equatable {
  /// A name and its value, which is empty where the query has only a name.
  public struct Item: Sendable, Equatable {
    public let name: String
    public let value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Every pair, in the order in which it was sent.
  public let items: [Item]

  /// Reads a query, without its question mark.
  public init(_ text: String) {
    self.init(bytes: text.utf8)
  }

  init(bytes: some Collection<UInt8>) {
    items = bytes.split(separator: UInt8(ascii: "&")).map { pair in
      let equals = pair.firstIndex(of: UInt8(ascii: "="))
      let value = equals.map { pair[pair.index(after: $0)...] }
      return Item(
        name: Self.decode(pair[..<(equals ?? pair.endIndex)]),
        value: value.map { Self.decode($0) } ?? "")
    }
  }

  /// The value of the first pair of that name; nil if there is none.
  public subscript(name: String) -> String? {
    items.first { $0.name == name }?.value
  }

  /// The values of every pair of that name, in order.
  public subscript(values name: String) -> [String] {
    items.filter { $0.name == name }.map(\.value)
  }

  public var isEmpty: Bool { items.isEmpty }

  private static func decode(_ bytes: some Collection<UInt8>) -> String {
    PercentDecoding.decodeText(bytes, plusIsSpace: true) ?? String(decoding: bytes, as: UTF8.self)
  }
}
