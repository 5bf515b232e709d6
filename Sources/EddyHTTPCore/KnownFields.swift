/// What the fields say that the engine itself acts upon.
struct KnownFields {
  /// -1 without `Content-Length`.
  var contentLength: Int64 = -1
  var hasTransferEncoding = false
  /// The last coding named so far is chunked.
  var isChunked = false
  /// A coding other than chunked is named.
  var hasOtherCoding = false
  var closes = false
  var keepsAlive = false
  var expectsContinue = false
  var hasOtherExpectation = false
  var hasHost = false
  var host = ByteRange()

  /// Takes note of a field line. `ranges` count from `base`.
  @inline(__always) mutating func note(
    _ base: UnsafePointer<UInt8>, _ ranges: FieldRanges
  ) -> RequestError? {
    let name = base + Int(ranges.name.start)
    switch ranges.name.count {
    case 4, 6, 10, 14, 17: return noteByName(base, name, ranges)
    default: return nil
    }
  }

  private mutating func noteByName(
    _ base: UnsafePointer<UInt8>, _ name: UnsafePointer<UInt8>, _ ranges: FieldRanges
  ) -> RequestError? {
    let value = base + Int(ranges.value.start)
    let count = Int(ranges.value.count)
    switch ranges.name.count {
    case 4 where equalIgnoringCase(name, 4, "host"):
      guard !hasHost else { return .hostRepeated }
      guard Authority.isValid(value, count) else { return .hostInvalid }
      hasHost = true
      host = ranges.value
    case 6 where equalIgnoringCase(name, 6, "expect"):
      noteExpectation(value, count)
    case 10 where equalIgnoringCase(name, 10, "connection"):
      noteConnection(value, count)
    case 14 where equalIgnoringCase(name, 14, "content-length"):
      return noteContentLength(value, count)
    case 17 where equalIgnoringCase(name, 17, "transfer-encoding"):
      return noteTransferEncoding(value, count)
    default:
      break
    }
    return nil
  }

  /// RFC 9110 §8.6: digits and nothing else. A list of equal numbers could be taken as one
  /// (RFC 9112 §6.3), but who sends it is confused or an attacker.
  private mutating func noteContentLength(
    _ value: UnsafePointer<UInt8>, _ count: Int
  ) -> RequestError? {
    guard contentLength < 0 else { return .contentLengthRepeated }
    guard count > 0 else { return .contentLengthInvalid }
    var length: Int64 = 0
    for index in 0..<count {
      let byte = value[index]
      guard isDigit(byte) else {
        return byte == ASCII.comma && index > 0 ? .contentLengthRepeated : .contentLengthInvalid
      }
      let (tenfold, overflow) = length.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(Int64(byte &- ASCII.zero))
      guard !overflow, !carry else { return .contentLengthInvalid }
      length = sum
    }
    contentLength = length
    return nil
  }

  /// RFC 9112 §6.1 and §7. Several field lines are one list (RFC 9110 §5.3), and empty members of a
  /// list are ignored (RFC 9110 §5.6.1.2).
  private mutating func noteTransferEncoding(
    _ value: UnsafePointer<UInt8>, _ count: Int
  ) -> RequestError? {
    hasTransferEncoding = true
    var members = ListMembers(value, count)
    while let member = members.next() {
      if isChunked { return .chunkedNotLast }
      var length = 0
      while length < member.count, ByteClass.token.contains(member.base[length]) { length += 1 }
      let isCodingChunked = equalIgnoringCase(member.base, length, "chunked")
      guard length > 0, length == member.count || !isCodingChunked else {
        return .transferEncodingSyntax
      }
      if length < member.count {
        guard isBlank(member.base[length]) || member.base[length] == ASCII.semicolon else {
          return .transferEncodingSyntax
        }
      }
      if isCodingChunked { isChunked = true } else { hasOtherCoding = true }
    }
    return nil
  }

  private mutating func noteConnection(_ value: UnsafePointer<UInt8>, _ count: Int) {
    var members = ListMembers(value, count)
    while let member = members.next() {
      if equalIgnoringCase(member.base, member.count, "close") {
        closes = true
      } else if equalIgnoringCase(member.base, member.count, "keep-alive") {
        keepsAlive = true
      }
    }
  }

  private mutating func noteExpectation(_ value: UnsafePointer<UInt8>, _ count: Int) {
    var members = ListMembers(value, count)
    while let member = members.next() {
      if equalIgnoringCase(member.base, member.count, "100-continue") {
        expectsContinue = true
      } else {
        hasOtherExpectation = true
      }
    }
  }

  /// What can be said only when all fields are known.
  @inline(__always) func check(minorVersion: UInt8) -> RequestError? {
    if hasTransferEncoding {
      if minorVersion == 0 { return .transferEncodingInOldVersion }
      if contentLength >= 0 { return .contentLengthWithTransferEncoding }
      if !isChunked { return hasOtherCoding ? .chunkedNotLast : .transferEncodingEmpty }
      if hasOtherCoding { return .codingNotSupported }
    }
    if !hasHost && minorVersion > 0 { return .hostMissing }
    // An expectation of HTTP/1.0 is ignored (RFC 9110 §10.1.1).
    if hasOtherExpectation && minorVersion > 0 { return .expectationNotSupported }
    return nil
  }
}

/// The members of a comma-separated list (RFC 9110 §5.6.1), without white space and empty members.
///
/// A comma inside a quoted string divides too: none of the lists that the engine reads has
/// members with quoted strings, and a half of one is no name that it knows.
struct ListMembers {
  private var cursor: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>

  init(_ base: UnsafePointer<UInt8>, _ count: Int) {
    cursor = base
    end = base + count
  }

  mutating func next() -> (base: UnsafePointer<UInt8>, count: Int)? {
    while cursor < end {
      var first = cursor
      while cursor < end, cursor.pointee != ASCII.comma { cursor += 1 }
      var last = cursor
      if cursor < end { cursor += 1 }
      while first < last, isBlank(first.pointee) { first += 1 }
      while first < last, isBlank((last - 1).pointee) { last -= 1 }
      if first < last { return (first, last - first) }
    }
    return nil
  }
}
