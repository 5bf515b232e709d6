import Testing

@testable import EddyJobs

@Suite struct JobIDTests {
  @Test func idsAreAllDifferentAndUseAllTheirBits() {
    let ids = (0..<10_000).map { _ in JobID() }
    #expect(Set(ids).count == ids.count)
    // Each bit is set in about half of them: 10,000 draws stray from 5,000 by 350 (7 σ) once in
    // 10^11 runs.
    for bit in 0..<64 {
      for half in [\JobID.high, \JobID.low] {
        let set = ids.count { $0[keyPath: half] >> UInt64(bit) & 1 == 1 }
        #expect((4_650...5_350).contains(set))
      }
    }
  }

  @Test func hexGoesThereAndBack() throws {
    let id = JobID(high: 0x0123_4567_89AB_CDEF, low: 0xF)
    #expect(id.hex == "0123456789abcdef000000000000000f")
    #expect(JobID(hex: id.hex) == id)
    let random = JobID()
    #expect(JobID(hex: random.hex) == random)
  }

  @Test(arguments: [
    "", "0", String(repeating: "0", count: 31), String(repeating: "0", count: 33),
    "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdeg",
    "0123456789abcdef0123456789abcde ", "+123456789abcdef0123456789abcdef",
    "٠123456789abcdef0123456789abcdef",
  ])
  func whatIsNoIDIsRefused(_ text: String) {
    #expect(JobID(hex: text) == nil)
  }

  @Test func aLogLineDoesNotGiveTheIDAway() {
    let id = JobID()
    #expect("\(id)" == id.hex.prefix(8) + "…")
    #expect(!"\(["job": id])".contains(id.hex))
  }
}
