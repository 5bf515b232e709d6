/// What `Accept-Encoding` says about content codings (RFC 9110 §12.5.3).
public enum AcceptEncoding {
  /// The weight of a coding, in thousandths: 0 if it is not acceptable.
  ///
  /// - Parameters:
  ///   - coding: its name in lower case; not identity, which needs no permission.
  ///   - list: the field's value, of several lines joined by commas. What can't be read as a
  ///     member is passed over, for it permits nothing.
  public static func weight(of coding: StaticString, in list: UnsafeRawBufferPointer) -> Int {
    guard let base = list.baseAddress else { return 0 }
    var members = ListMembers(base.assumingMemoryBound(to: UInt8.self), list.count)
    var wildcard = 0
    while let member = members.next() {
      var cursor = ByteCursor(UnsafeRawBufferPointer(start: member.base, count: member.count))
      let name = cursor.takeWhile(ByteClass.token.contains)
      guard !name.isEmpty, let weight = weight(&cursor) else { continue }
      if name.count == 1, name[0] == ASCII.asterisk {
        wildcard = weight
      } else if equalIgnoringCase(member.base, name.count, coding) {
        return weight
      }
    }
    return wildcard
  }

  /// `;q=0.8` or nothing (RFC 9110 §12.4.2); nil if it is neither.
  private static func weight(_ cursor: inout ByteCursor) -> Int? {
    cursor.skipBlanks()
    if cursor.isAtEnd { return 1000 }
    guard cursor.take(ASCII.semicolon) else { return nil }
    cursor.skipBlanks()
    guard cursor.take(ignoringCase: "q="), let whole = cursor.digits(1), whole <= 1 else {
      return nil
    }
    var thousandths = whole * 1000
    if cursor.take(ASCII.dot) {
      var unit = 100
      while unit > 0, let digit = cursor.digits(1) {
        thousandths += digit * unit
        unit /= 10
      }
    }
    guard cursor.isAtEnd, thousandths <= 1000 else { return nil }
    return thousandths
  }
}
