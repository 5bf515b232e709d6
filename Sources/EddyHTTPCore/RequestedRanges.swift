/// What a `Range` field asks for, seen against a representation's length (RFC 9110 §14.1, §14.2).
public enum RequestedRanges: Equatable, Sendable {
  /// All of it: the field is to be ignored.
  case whole
  /// These parts, in the order in which they were asked for; at least one.
  case parts([Range<Int64>])
  /// 416.
  case unsatisfiable

  /// Reads the field.
  ///
  /// A unit other than bytes is ignored, as it has to be. What is no list of ranges is refused as
  /// unsatisfiable, which RFC 9110 §14.2 allows, and which shows a client its mistake where the
  /// whole would hide it. More than `limit` ranges, or ranges that together are longer than the
  /// whole, can only overlap or waste: the whole is sent instead (RFC 9110 §17.15).
  ///
  /// - Parameters:
  ///   - length: of the representation, in bytes.
  ///   - limit: the largest number of ranges that is heeded; 0: none is.
  init(parsing value: UnsafeRawBufferPointer, length: Int64, atMost limit: Int) {
    var cursor = ByteCursor(value)
    guard cursor.take(ignoringCase: "bytes"), cursor.take(ASCII.equals), limit > 0 else {
      self = .whole
      return
    }
    var parts: [Range<Int64>] = []
    var total: Int64 = 0
    var asksForEmptyWhole = false
    while true {
      // Empty members of a list are ignored (RFC 9110 §5.6.1.2).
      while let byte = cursor.next, isBlank(byte) || byte == ASCII.comma { _ = cursor.take(byte) }
      if cursor.isAtEnd { break }
      guard let spec = Spec(&cursor) else {
        self = .unsatisfiable
        return
      }
      cursor.skipBlanks()
      guard cursor.isAtEnd || cursor.next == ASCII.comma else {
        self = .unsatisfiable
        return
      }
      if case .last(let suffix) = spec, suffix > 0, length == 0 { asksForEmptyWhole = true }
      guard let part = spec.resolved(length) else { continue }
      let count = part.upperBound - part.lowerBound
      guard parts.count < limit, count <= length - total else {
        self = .whole
        return
      }
      total += count
      parts.append(part)
    }
    if !parts.isEmpty {
      self = .parts(parts)
    } else {
      // The last bytes of nothing are satisfiable, but no Content-Range can say so.
      self = asksForEmptyWhole ? .whole : .unsatisfiable
    }
  }

  private enum Spec {
    /// The last bytes, so many.
    case last(Int64)
    /// From the first position to the last one, both included.
    case between(Int64, Int64)

    init?(_ cursor: inout ByteCursor) {
      let hyphen: UInt8 = 0x2D
      if cursor.take(hyphen) {
        guard let count = cursor.number() else { return nil }
        self = .last(count)
        return
      }
      guard let first = cursor.number(), cursor.take(hyphen) else { return nil }
      let last = cursor.next.map(isDigit) ?? false ? cursor.number() ?? .max : .max
      guard first <= last else { return nil }
      self = .between(first, last)
    }

    /// Nil if no byte of the representation is in it.
    func resolved(_ length: Int64) -> Range<Int64>? {
      switch self {
      case .last(let count):
        guard count > 0, length > 0 else { return nil }
        return max(0, length - count)..<length
      case .between(let first, let last):
        guard first < length else { return nil }
        return first..<(last < length ? last + 1 : length)
      }
    }
  }
}
