/// Entity tags (RFC 9110 §8.8.3), as bytes with their quotes: `"abc"`, `W/"abc"`.
public enum EntityTag {
  /// How two tags are compared (RFC 9110 §8.8.3.2).
  public enum Comparison: Sendable {
    /// Equal, and neither is weak.
    case strong
    /// Equal but for `W/`.
    case weak
  }

  /// What a list of `If-Match` or `If-None-Match` says about a representation.
  enum ListMatch: Equatable {
    /// `*`, which any representation matches.
    case any
    case member
    case none
  }

  /// Whether a value is exactly one tag.
  static func isTag(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var cursor = ByteCursor(bytes)
    return take(&cursor) != nil && cursor.isAtEnd
  }

  /// Whether two tags are equal.
  static func equal(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, _ comparison: Comparison
  ) -> Bool {
    var (one, other) = (ByteCursor(first), ByteCursor(second))
    guard let one = take(&one), let other = take(&other) else { return false }
    return equal(one, other, comparison)
  }

  /// Looks for a tag in a list, or for `*`.
  ///
  /// What is no list of tags is read as far as it is one: what follows may match nothing.
  ///
  /// - Parameter tag: nil for a representation that has none.
  static func find(
    _ tag: UnsafeRawBufferPointer?, in list: UnsafeRawBufferPointer, _ comparison: Comparison
  ) -> ListMatch {
    var cursor = ByteCursor(list)
    cursor.skipBlanks()
    if cursor.take(ASCII.asterisk) {
      cursor.skipBlanks()
      return cursor.isAtEnd ? .any : .none
    }
    guard let tag else { return .none }
    var tagCursor = ByteCursor(tag)
    guard let wanted = take(&tagCursor) else { return .none }
    while true {
      // Empty members of a list are ignored (RFC 9110 §5.6.1.2).
      while let byte = cursor.next, isBlank(byte) || byte == ASCII.comma { _ = cursor.take(byte) }
      guard let member = take(&cursor) else { return .none }
      cursor.skipBlanks()
      guard cursor.isAtEnd || cursor.next == ASCII.comma else { return .none }
      if equal(member, wanted, comparison) { return .member }
    }
  }

  // MARK: - Parts

  private struct Parts {
    let isWeak: Bool
    /// Without the quotes.
    let opaque: UnsafeRawBufferPointer
  }

  private static func take(_ cursor: inout ByteCursor) -> Parts? {
    let isWeak = cursor.take("W/")
    guard cursor.take(ASCII.quote) else { return nil }
    // etagc: %x21, %x23-7E and obs-text.
    let opaque = cursor.takeWhile { $0 > ASCII.space && $0 != ASCII.quote && $0 != ASCII.delete }
    guard cursor.take(ASCII.quote) else { return nil }
    return Parts(isWeak: isWeak, opaque: opaque)
  }

  private static func equal(_ one: Parts, _ other: Parts, _ comparison: Comparison) -> Bool {
    if comparison == .strong, one.isWeak || other.isWeak { return false }
    guard one.opaque.count == other.opaque.count else { return false }
    for index in 0..<one.opaque.count where one.opaque[index] != other.opaque[index] {
      return false
    }
    return true
  }
}
