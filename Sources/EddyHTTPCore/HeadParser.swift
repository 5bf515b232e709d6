/// What a try to read a request's head gave.
enum HeadOutcome: Equatable {
  /// The head ends before this offset.
  case complete(Int)
  /// More bytes are needed.
  case incomplete
  case refused(RequestError)
}

/// Reads a request's head in place, in one pass.
///
/// Lines end with CR LF. A bare LF could be accepted as an end of line (RFC 9112 §2.2 allows, but
/// does not ask for, it); it is refused, because two programs that disagree on where a line ends
/// are what request smuggling needs.
extension RequestHead {
  /// Reads the head at the start of `bytes`, which stay where they are while the head is used.
  ///
  /// Limits are checked on the part that is there too, so that no more than they allow needs to
  /// be kept. An outcome of `refused` or `incomplete` leaves the head without meaning.
  mutating func parse(_ bytes: UnsafeRawBufferPointer, _ limits: HTTPLimits) -> HeadOutcome {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return .incomplete }
    base = start.assumingMemoryBound(to: UInt8.self)
    count = 0
    fieldCount = 0
    known = KnownFields()
    let end = bytes.count

    let line = parseRequestLine(end, limits.requestLine)
    guard case .complete(let fieldsStart) = line else { return line }
    let section = parseFields(fieldsStart, end, limits)
    guard case .complete(let headEnd) = section else { return section }
    if let error = known.check(minorVersion: minorVersion) { return .refused(error) }
    if hostRange.count == 0 { hostRange = known.host }
    count = headEnd
    return .complete(headEnd)
  }

  // MARK: - The request line

  private mutating func parseRequestLine(_ end: Int, _ limit: Int) -> HeadOutcome {
    // A line of `limit` bytes ends, with its CRLF, two bytes later; what lies behind isn't looked at.
    let stop = min(end, limit &+ 2)
    var index = 0
    while index < stop, ByteClass.token.contains(base[index]) { index &+= 1 }
    if index == stop { return partOfRequestLine(end, limit) }
    guard base[index] == ASCII.space, index > 0 else { return .refused(.methodSyntax) }
    methodRange = ByteRange(0, index)
    method = Method(base, count: index)

    index &+= 1
    let target = index
    while index < stop, ByteClass.target.contains(base[index]) { index &+= 1 }
    if index == stop { return partOfRequestLine(end, limit) }
    guard base[index] == ASCII.space else {
      switch base[index] {
      case ASCII.carriageReturn, ASCII.lineFeed: return .refused(.versionMissing)
      default: return .refused(.targetByte)
      }
    }
    guard index > target else { return .refused(.targetMissing) }

    let version = index &+ 1
    if let error = parseVersion(version, stop) { return .refused(error) }
    guard stop &- version >= 10 else { return partOfRequestLine(end, limit) }
    if let error = divideTarget(target, index) { return .refused(error) }
    return .complete(version &+ 10)
  }

  private func partOfRequestLine(_ end: Int, _ limit: Int) -> HeadOutcome {
    end >= limit &+ 2 ? .refused(.requestLineTooLong) : .incomplete
  }

  /// Checks "HTTP/1.x" and the CR LF behind it, or as much of it as there is.
  @inline(__always) private mutating func parseVersion(_ start: Int, _ stop: Int) -> RequestError? {
    let available = min(stop &- start, 10)
    let name: StaticString = "HTTP/"
    for offset in 0..<min(available, 5) where base[start + offset] != name.utf8Start[offset] {
      return base[start + offset] == ASCII.carriageReturn && offset == 0
        ? .versionMissing : .versionSyntax
    }
    if available > 5, !isDigit(base[start + 5]) { return .versionSyntax }
    if available > 6, base[start + 6] != ASCII.dot { return .versionSyntax }
    if available > 7, !isDigit(base[start + 7]) { return .versionSyntax }
    if available > 8, base[start + 8] != ASCII.carriageReturn {
      return base[start + 8] == ASCII.lineFeed ? .bareLineFeed : .versionSyntax
    }
    guard available > 9 else { return nil }
    guard base[start + 9] == ASCII.lineFeed else { return .bareCarriageReturn }
    guard base[start + 5] == ASCII.zero &+ 1 else { return .versionNotSupported }
    minorVersion = base[start + 7] == ASCII.zero ? 0 : 1
    return nil
  }

  // MARK: - Field lines

  private mutating func parseFields(
    _ start: Int, _ end: Int, _ limits: HTTPLimits
  ) -> HeadOutcome {
    let stop = min(end, start &+ limits.fieldsSize)
    let maximum = min(limits.fieldCount, fieldCapacity)
    var index = start
    while index < stop {
      let first = base[index]
      if first == ASCII.carriageReturn {
        guard index &+ 1 < stop else { break }
        guard base[index &+ 1] == ASCII.lineFeed else { return .refused(.bareCarriageReturn) }
        return .complete(index &+ 2)
      }
      let name = index
      while index < stop, ByteClass.token.contains(base[index]) { index &+= 1 }
      if index == stop { break }
      guard base[index] == ASCII.colon, index > name else {
        return .refused(nameError(base[index], isFirst: index == name))
      }
      guard fieldCount < maximum else { return .refused(.tooManyFields) }
      let nameRange = ByteRange(name, index)

      index &+= 1
      while index < stop, isBlank(base[index]) { index &+= 1 }
      let value = index
      index = endOfValue(index, stop)
      if index == stop { break }
      guard base[index] == ASCII.carriageReturn else {
        return .refused(base[index] == ASCII.lineFeed ? .bareLineFeed : .fieldValueByte)
      }
      guard index &+ 1 < stop else { break }
      guard base[index &+ 1] == ASCII.lineFeed else { return .refused(.bareCarriageReturn) }
      var last = index
      while last > value, isBlank(base[last &- 1]) { last &-= 1 }
      index &+= 2

      let ranges = FieldRanges(name: nameRange, value: ByteRange(value, last))
      fields[fieldCount] = ranges
      fieldCount &+= 1
      if let error = known.note(base, ranges) { return .refused(error) }
    }
    return end &- start >= limits.fieldsSize ? .refused(.fieldsTooLarge) : .incomplete
  }

  private func nameError(_ byte: UInt8, isFirst: Bool) -> RequestError {
    switch byte {
    case ASCII.space, ASCII.tab: isFirst ? .foldedLine : .spaceBeforeColon
    case ASCII.lineFeed: .bareLineFeed
    case ASCII.carriageReturn: .noColon
    default: .fieldNameByte
    }
  }

  /// The offset of the first byte that a field value cannot have (RFC 9110 §5.5): a control
  /// character other than the tab. Eight bytes at a time.
  @inline(__always) private func endOfValue(_ start: Int, _ stop: Int) -> Int {
    var index = start
    while index &+ 8 <= stop {
      let word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
      let offset = Word.firstControl(UInt64(littleEndian: word))
      index &+= offset
      if offset < 8 {
        guard base[index] == ASCII.tab else { return index }
        index &+= 1
      }
    }
    while index < stop {
      let byte = base[index]
      if byte < ASCII.space && byte != ASCII.tab || byte == ASCII.delete { break }
      index &+= 1
    }
    return index
  }
}

/// Eight bytes in one register, the first of them lowest.
enum Word {
  private static var ones: UInt64 { 0x0101_0101_0101_0101 }
  private static var highBits: UInt64 { 0x8080_8080_8080_8080 }

  /// Which of the bytes is the first control character; 8 if none is.
  ///
  /// The usual test for "a byte below n" by subtraction. Its borrow may also mark bytes above one
  /// that is marked rightly, so that only the lowest mark can be relied upon.
  @inline(__always) static func firstControl(_ word: UInt64) -> Int {
    let belowSpace = (word &- ones &* UInt64(ASCII.space)) & ~word
    let delete = word ^ (ones &* UInt64(ASCII.delete))
    let isDelete = (delete &- ones) & ~delete
    return ((belowSpace | isDelete) & highBits).trailingZeroBitCount >> 3
  }
}
