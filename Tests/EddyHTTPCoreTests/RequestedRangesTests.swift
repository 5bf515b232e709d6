import Testing

@testable import EddyHTTPCore

/// RFC 9110 §14.1.2 and §14.2.
@Suite struct RequestedRangesTests {
  private func ranges(_ field: String, of length: Int64, atMost limit: Int = 8) -> RequestedRanges {
    withBytes(field) { RequestedRanges(parsing: $0, length: length, atMost: limit) }
  }

  @Test(
    arguments: [
      ("bytes=0-8", [0..<9]), ("bytes=0-0", [0..<1]), ("bytes=999-", [999..<1000]),
      ("bytes=0-", [0..<1000]), ("bytes=0-999", [0..<1000]), ("bytes=0-10001", [0..<1000]),
      ("bytes=990-1990", [990..<1000]), ("bytes=-10", [990..<1000]), ("bytes=-1000", [0..<1000]),
      ("bytes=-5000", [0..<1000]), ("BYTES=1-2", [1..<3]), ("bytes= 1-2 ", [1..<3]),
      ("bytes=0-9, -10, 10-19", [0..<10, 990..<1000, 10..<20]),
      ("bytes=0-9,-10,100000-,10-19", [0..<10, 990..<1000, 10..<20]),
      ("bytes=,, 0-9 ,\t,5-6,", [0..<10, 5..<7]), ("bytes=1-2,-0", [1..<3]),
      ("bytes=0-18446744073709551616", [0..<1000]),
      ("bytes=-99999999999999999999", [0..<1000]), ("bytes=0000-0001", [0..<2]),
    ] as [(String, [Range<Int64>])])
  func partsOfAThousandBytes(_ field: String, _ parts: [Range<Int64>]) {
    #expect(ranges(field, of: 1000) == .parts(parts))
  }

  @Test(arguments: [
    "bytes=1000-", "bytes=1000-1001", "bytes=100000-", "bytes=-0", "bytes=99999999999999999999-",
    "bytes=2000-3000,4000-", "bytes=", "bytes=,",
    // No list of ranges.
    "bytes=alpha", "bytes=10-alpha", "bytes=10", "bytes=-", "bytes=10-11 12-", "bytes=5-4",
    "bytes=0-1,x", "bytes=0-1;2-3", "bytes=+1-2", "bytes=1--2", "bytes=--1", "bytes=1 - 2",
    "bytes=0x1-2",
  ])
  func whatCannotBeSatisfied(_ field: String) {
    #expect(ranges(field, of: 1000) == .unsatisfiable)
  }

  @Test(arguments: [
    "", "bytes", "bytes 0-1", "bytes =0-1", "items=0-1", "byte=0-1", "bytess=0-1", "0-1",
    // Together longer than the whole.
    "bytes=0-10001, 0-0", "bytes=0-,0-", "bytes=0-,-1", "bytes=0-600,300-900",
  ])
  func whatIsIgnored(_ field: String) {
    #expect(ranges(field, of: 1000) == .whole)
  }

  @Test func anEmptyRepresentationHasNoParts() {
    #expect(ranges("bytes=0-", of: 0) == .unsatisfiable)
    #expect(ranges("bytes=0-0", of: 0) == .unsatisfiable)
    #expect(ranges("bytes=-0", of: 0) == .unsatisfiable)
    #expect(ranges("bytes=-1", of: 0) == .whole)
  }

  @Test func moreRangesThanAllowedAreIgnored() {
    #expect(ranges("bytes=0-9,-10", of: 1000, atMost: 2) == .parts([0..<10, 990..<1000]))
    #expect(ranges("bytes=0-9,-10,9999-", of: 1000, atMost: 2) == .parts([0..<10, 990..<1000]))
    #expect(ranges("bytes=0-9,-10,10-19", of: 1000, atMost: 2) == .whole)
    #expect(ranges("bytes=0-9", of: 1000, atMost: 0) == .whole)
    let many = "bytes=" + (0..<2000).map { "\($0)-\($0)" }.joined(separator: ",")
    #expect(ranges(many, of: 1_000_000) == .whole)
  }

  @Test func lengthsUpToTheLargestAreCounted() {
    #expect(ranges("bytes=-1", of: .max) == .parts([.max - 1 ..< .max]))
    #expect(ranges("bytes=0-,0-", of: .max) == .whole)
    #expect(ranges("bytes=9223372036854775806-", of: .max) == .parts([.max - 1 ..< .max]))
  }
}
