/// The field `If-None-Match` (RFC 9110 §13.1.2): which versions of a job its client has.
enum EntityTags: Equatable {
  /// `*`: whichever it is.
  case any
  /// Those that are versions of a job; other tags can match none.
  case versions([Int])

  /// The strong tag of a version: `"3"`.
  static func tag(_ version: Int) -> String { "\"\(version)\"" }

  init(parsing value: String) {
    let bytes = Array(value.utf8)
    var versions: [Int] = []
    var isAny = false
    for member in bytes.split(separator: UInt8(ascii: ",")) {
      var tag = Self.trimmed(member)
      if tag.elementsEqual("*".utf8) { isAny = true }
      // The comparison is weak: a proxy that compresses makes our tags weak ones.
      if tag.starts(with: "W/".utf8) { tag = tag.dropFirst(2) }
      guard tag.count > 2,
        let version = Int(String(decoding: tag.dropFirst().dropLast(), as: UTF8.self)),
        // The comparison is of characters: `"03"` is another tag.
        tag.elementsEqual(Self.tag(version).utf8)
      else { continue }
      versions.append(version)
    }
    self = isAny ? .any : .versions(versions)
  }

  func contains(_ version: Int) -> Bool {
    switch self {
    case .any: true
    case .versions(let versions): versions.contains(version)
    }
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes
    while let byte = bytes.first, byte == 0x20 || byte == 0x09 { bytes = bytes.dropFirst() }
    while let byte = bytes.last, byte == 0x20 || byte == 0x09 { bytes = bytes.dropLast() }
    return bytes
  }
}
