import CLibev

/// Looks for the end of a head that comes in pieces.
///
/// It remembers how far it has looked, so that a head that comes a byte at a time costs as much as
/// one that comes whole; the head is parsed once, when its end is there.
struct HeadScanner {
  /// Bytes that have been looked at.
  private var scanned: UInt32 = 0
  /// Where the line begins that isn't complete.
  private var lineStart: UInt32 = 0
  /// Where the field lines begin; 0 in the request line.
  private var fieldsStart: UInt32 = 0
  private var lines: UInt32 = 0

  /// Looks at what is new in `bytes`, which begin with the head's first byte.
  mutating func scan(_ bytes: UnsafeRawBufferPointer, _ limits: HTTPLimits) -> HeadOutcome {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
      return .incomplete
    }
    while Int(scanned) < bytes.count {
      let from = base + Int(scanned)
      guard let found = memchr(from, Int32(ASCII.lineFeed), bytes.count - Int(scanned)) else {
        scanned = UInt32(bytes.count)
        break
      }
      let lineFeed = Int(bitPattern: found) - Int(bitPattern: base)
      let length = lineFeed - Int(lineStart)
      guard length > 0, base[lineFeed - 1] == ASCII.carriageReturn else {
        return .refused(.bareLineFeed)
      }
      scanned = UInt32(lineFeed + 1)
      lineStart = scanned
      if fieldsStart == 0 {
        guard length - 1 <= limits.requestLine else { return .refused(.requestLineTooLong) }
        fieldsStart = scanned
        continue
      }
      guard Int(scanned - fieldsStart) <= limits.fieldsSize else {
        return .refused(.fieldsTooLarge)
      }
      if length == 1 { return .complete(lineFeed + 1) }
      lines += 1
      guard lines <= limits.fieldCount else { return .refused(.tooManyFields) }
    }
    if fieldsStart == 0 {
      return bytes.count >= limits.requestLine + 2 ? .refused(.requestLineTooLong) : .incomplete
    }
    return bytes.count - Int(fieldsStart) >= limits.fieldsSize
      ? .refused(.fieldsTooLarge) : .incomplete
  }
}
