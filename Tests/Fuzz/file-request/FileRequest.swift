@testable import EddyHTTPCore

/// What a request for a file has: a path that stays below its folder, ranges that lie within the
/// file, dates that are what they are written as, tags and weights. The first byte chooses the file's
/// length; each parser reads the rest.
@c(LLVMFuzzerTestOneInput) public func fuzzFileRequest(
  _ data: UnsafePointer<UInt8>, _ size: Int
) -> CInt {
  guard size > 1 else { return 0 }
  let lengths: [Int64] = [0, 1, 1000, .max]
  let length = lengths[Int(data[0] & 3)]
  withExactCopy(UnsafeRawBufferPointer(start: data + 1, count: size - 1)) { bytes in
    checkPath(bytes)
    checkRanges(bytes, length)
    checkDate(bytes)
    checkTags(bytes)
    checkConditions(bytes)
    for weight in [
      AcceptEncoding.weight(of: "gzip", in: bytes), AcceptEncoding.weight(of: "br", in: bytes),
    ] {
      require((0...1000).contains(weight), "a weight of \(weight)")
    }
  }
  return 0
}

private func checkPath(_ bytes: UnsafeRawBufferPointer) {
  for allowsHidden in [false, true] {
    guard let path = try? RelativePath(decoding: bytes, allowsHidden: allowsHidden) else {
      continue
    }
    require(!path.bytes.contains(0), "a path with NUL")
    let segments = path.bytes.split(separator: ASCII.slash, omittingEmptySubsequences: false)
    for segment in segments where !path.bytes.isEmpty {
      require(!segment.isEmpty, "an empty segment")
      require(segment.first != ASCII.dot || allowsHidden, "a hidden name")
      require(!segment.allSatisfy { $0 == ASCII.dot } || segment.count > 2, "a dot segment")
    }
  }
}

private func checkRanges(_ bytes: UnsafeRawBufferPointer, _ length: Int64) {
  let limit = 4
  guard
    case .parts(let parts) = RequestedRanges(parsing: bytes, length: length, atMost: limit)
  else { return }
  require(!parts.isEmpty && parts.count <= limit, "\(parts.count) parts")
  var left = length
  for part in parts {
    require(!part.isEmpty && part.lowerBound >= 0 && part.upperBound <= length, "a part outside")
    left -= Int64(part.count)
    require(left >= 0, "more than the whole")
  }
}

private func checkDate(_ bytes: UnsafeRawBufferPointer) {
  let now: Int64 = 1_767_225_600
  guard let time = HTTPDate.parse(bytes, now: now), time >= 0, time <= 253_402_300_799 else {
    return
  }
  let again = HTTPDate.text(time).withUnsafeBytes { HTTPDate.parse($0, now: now) }
  require(again == time, "\(time) is read again as \(String(describing: again))")
}

private func checkTags(_ bytes: UnsafeRawBufferPointer) {
  for tag in ["\"a\"", "W/\"a\""] {
    Array(tag.utf8).withUnsafeBytes { tag in
      let strong = EntityTag.find(tag, in: bytes, .strong)
      let weak = EntityTag.find(tag, in: bytes, .weak)
      require(strong == .none || strong == weak, "a strong match that is no weak one")
      require(tag[0] == ASCII.quote || strong != .member, "a weak tag that matches strongly")
    }
  }
  if EntityTag.isTag(bytes) {
    require(EntityTag.find(bytes, in: bytes, .weak) == .member, "a tag that is not in its own list")
  }
}

private func checkConditions(_ bytes: UnsafeRawBufferPointer) {
  let validator = ConditionalRequest.Validator(entityTag: Array("\"a\"".utf8), lastModified: 0)
  for name in [
    "range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
  ] {
    var request = ConditionalRequest()
    Array(name.utf8).withUnsafeBytes { request.note($0, bytes) }
    let put = request.evaluate(.put, validator, now: 0)
    require(put != .notModified && put != .perform(isPartial: true), "a change that is as a read")
    let head = request.evaluate(.head, validator, now: 0)
    require(head != .perform(isPartial: true), "a part of no content")
    _ = request.evaluate(.get, validator, now: 0)
  }
}
