/// A query's pairs: they survive being written and read again; and percent-decoding is the reverse
/// of encoding, and fails only where a percent sign is malformed.
@c(LLVMFuzzerTestOneInput) public func fuzzQuery(
  _ data: UnsafePointer<UInt8>, _ size: Int
) -> CInt {
  let bytes = UnsafeBufferPointer(start: data, count: size)
  require(PercentDecoding.decode(encoded(bytes)) == Array(bytes), "encoding and decoding differ")

  let decoded = PercentDecoding.decode(bytes, plusIsSpace: true)
  require((decoded == nil) == hasMalformedPercent(bytes), "a malformed percent sign")
  if let decoded {
    let percents = bytes.count { $0 == UInt8(ascii: "%") }
    require(decoded.count == bytes.count - 2 * percents, "another length")
  }

  let query = Query(bytes: bytes)
  require(
    query.items.count == bytes.split(separator: UInt8(ascii: "&")).count, "another count of pairs")
  let again = query.items.map {
    encoded($0.name.utf8) + [UInt8(ascii: "=")] + encoded($0.value.utf8)
  }
  require(
    Query(bytes: Array(again.joined(separator: [UInt8(ascii: "&")]))) == query, "another query")
  for item in query.items {
    require(query[values: item.name].contains(item.value), "a value that its name does not find")
  }
  return 0
}

/// Every byte as a percent sign and two digits (RFC 3986 §2.1).
private func encoded(_ bytes: some Sequence<UInt8>) -> [UInt8] {
  let digits = Array("0123456789ABCDEF".utf8)
  return bytes.flatMap { [UInt8(ascii: "%"), digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
}

private func hasMalformedPercent(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
  var index = 0
  while index < bytes.count {
    guard bytes[index] == UInt8(ascii: "%") else {
      index += 1
      continue
    }
    guard index + 2 < bytes.count,
      bytes[index + 1...index + 2].allSatisfy({ Character(UnicodeScalar($0)).isHexDigit })
    else { return true }
    index += 3
  }
  return false
}
