/// The path of a file below a folder, from the path of a target.
///
/// It is decoded once, and after its segments were split, so that an encoded slash is never one
/// that divides. It has no segment that leads up, and none that starts with a dot unless that is
/// asked for: who opens it below a folder (openat2(2) with RESOLVE_BENEATH) has two locks, not one.
public struct RelativePath: Equatable, Sendable {
  /// Why a path names no file.
  public enum Flaw: Error, Equatable, Sendable {
    /// A percent sign is not followed by two hexadecimal digits.
    case encoding
    /// NUL, or an encoded slash: no file's name has it.
    case byte
    /// A segment `..` or `.`, encoded or not.
    case dotSegment
    /// A name that begins with a dot.
    case hidden
  }

  /// Segments with single slashes between them, none around; empty for the folder itself. No NUL.
  public let bytes: [UInt8]
  /// The path ends in a slash, or is empty: it names a folder.
  public let isFolder: Bool

  /// - Parameters:
  ///   - path: percent-encoded; slashes at its front, or several in a row, count as one.
  ///   - allowsHidden: whether a name may begin with a dot.
  public init(
    decoding path: UnsafeRawBufferPointer, allowsHidden: Bool = false
  ) throws(Flaw) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(path.count)
    var segmentStart = 0
    var index = 0
    while index < path.count {
      var byte = path[index]
      index += 1
      if byte == ASCII.slash {
        try Self.check(bytes, from: segmentStart, allowsHidden)
        if let last = bytes.last, last != ASCII.slash { bytes.append(byte) }
        segmentStart = bytes.count
        continue
      }
      if byte == ASCII.percent {
        guard path.count - index >= 2, let high = hexadecimalValue(path[index]),
          let low = hexadecimalValue(path[index + 1])
        else { throw .encoding }
        byte = UInt8(high << 4 | low)
        index += 2
        if byte == ASCII.slash { throw .byte }
      }
      if byte == 0 { throw .byte }
      bytes.append(byte)
    }
    try Self.check(bytes, from: segmentStart, allowsHidden)
    isFolder = segmentStart == bytes.count
    if bytes.last == ASCII.slash { bytes.removeLast() }
    self.bytes = bytes
  }

  private static func check(
    _ bytes: [UInt8], from start: Int, _ allowsHidden: Bool
  ) throws(Flaw) {
    let count = bytes.count - start
    guard count > 0, bytes[start] == ASCII.dot else { return }
    if count == 1 || count == 2 && bytes[start + 1] == ASCII.dot { throw .dotSegment }
    if !allowsHidden { throw .hidden }
  }
}
