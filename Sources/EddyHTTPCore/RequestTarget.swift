/// The forms of a request's target (RFC 9112 §3.2).
extension RequestHead {
  /// Takes apart the target that lies between two offsets; its bytes are visible characters.
  ///
  /// Its percent-encoding is not checked: who decodes it knows what a wrong one means to him.
  @inline(__always) mutating func divideTarget(_ start: Int, _ end: Int) -> RequestError? {
    targetRange = ByteRange(start, end)
    hasQuery = false
    queryRange = ByteRange()
    hostRange = ByteRange()
    if method != .connect, base[start] == ASCII.slash {
      targetForm = .origin
      dividePath(start, end)
      return nil
    }
    return divideOtherTarget(start, end)
  }

  @inline(__always) private mutating func dividePath(_ start: Int, _ end: Int) {
    var index = start
    while index < end, ByteClass.targetPath.contains(base[index]) { index &+= 1 }
    pathRange = ByteRange(start, index)
    if index < end {
      hasQuery = true
      queryRange = ByteRange(index + 1, end)
    }
  }

  private mutating func divideOtherTarget(_ start: Int, _ end: Int) -> RequestError? {
    if method == .connect {
      guard Authority.isValid(base + start, end - start, requiresPort: true) else {
        return .targetAuthority
      }
      targetForm = .authority
      hostRange = ByteRange(start, end)
      pathRange = ByteRange(end, end)
      return nil
    }
    if base[start] == ASCII.asterisk, end - start == 1, method == .options {
      targetForm = .asterisk
      pathRange = ByteRange(start, end)
      return nil
    }
    return divideAbsolute(start, end)
  }

  private mutating func divideAbsolute(_ start: Int, _ end: Int) -> RequestError? {
    var index = start
    while index < end, base[index] != ASCII.colon { index += 1 }
    guard index > start, index + 2 < end, base[index + 1] == ASCII.slash,
      base[index + 2] == ASCII.slash
    else { return .targetForm }
    guard
      equalIgnoringCase(base + start, index - start, "http")
        || equalIgnoringCase(base + start, index - start, "https")
    else { return .targetScheme }
    let secondSlash = index + 2
    index += 3
    let authority = index
    while index < end, base[index] != ASCII.slash, base[index] != ASCII.question { index += 1 }
    guard Authority.isValid(base + authority, index - authority) else { return .targetAuthority }
    targetForm = .absolute
    hostRange = ByteRange(authority, index)
    dividePath(index, end)
    if pathRange.count == 0 {
      if method == .options && !hasQuery {
        targetForm = .asterisk
      } else {
        // An empty path is "/" (RFC 9110 §4.2.3); the slash before the authority lends its byte.
        pathRange = ByteRange(secondSlash, secondSlash + 1)
      }
    }
    return nil
  }
}
