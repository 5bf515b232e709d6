import Testing

@testable import EddyHTTPCore

/// RFC 9110 §5.6.7.
@Suite struct HTTPDateTests {
  /// 2026-01-01 00:00:00.
  private let now: Int64 = 1_767_225_600

  private func parse(_ text: String) -> Int64? {
    withBytes(text) { HTTPDate.parse($0, now: now) }
  }

  @Test(
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
      ("Sun Nov  6 08:49:37 1994", 784_111_777),
      ("Wed Nov 16 08:49:37 1994", 784_975_777),
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
      ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
      ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
      ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
      ("Tue, 19 Jan 2038 03:14:08 GMT", 2_147_483_648),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
      ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
      ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
      // The name of another day says nothing.
      ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
      // Two digits: at most 50 years ahead.
      ("Wednesday, 01-Jan-76 00:00:00 GMT", 3_345_062_400),
      ("Saturday, 01-Jan-77 00:00:00 GMT", 220_924_800),
      ("Monday, 01-Jan-00 00:00:00 GMT", 946_684_800),
    ] as [(String, Int64)])
  func aDateIsSecondsSince1970(_ text: String, _ seconds: Int64) {
    #expect(parse(text) == seconds)
  }

  @Test(arguments: [
    "", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
    "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 32 Oct 1994 08:49:37 GMT",
    "Wed, 29 Feb 2023 00:00:00 GMT", "Thu, 29 Feb 1900 00:00:00 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
    "Xun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Monday, 06-Nov-94 08:49:37 UTC", "Tuesda, 06-Nov-94 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994", "Sun Nov 06 08:49:37 94", "Sun Nov  6 08:49:37 1994 GMT",
    "1994-11-06T08:49:37Z", "784111777", "wrong", "Sun, 06 Nov 1994 08:49:-7 GMT",
  ])
  func whatIsNoDateIsNone(_ text: String) {
    #expect(parse(text) == nil)
  }

  @Test func eachDayOfAWeekHasAName() {
    for (index, day) in [
      "Sunday, 01", "Monday, 02", "Tuesday, 03", "Wednesday, 04", "Thursday, 05", "Friday, 06",
      "Saturday, 07",
    ].enumerated() {
      #expect(parse("\(day)-Jan-95 00:00:00 GMT") == 788_918_400 + Int64(index) * 86_400)
    }
  }

  @Test(
    arguments: [
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (.min, "Thu, 01 Jan 1970 00:00:00 GMT"), (.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] as [(Int64, String)])
  func anyTimeHasAText(_ time: Int64, _ text: String) {
    #expect(String(decoding: HTTPDate.text(time), as: UTF8.self) == text)
  }

  /// What is written in every answer is read back, each day of 400 years.
  @Test func whatIsWrittenIsReadBack() {
    let buffer = OutputBuffer(capacity: 64)
    for day in stride(from: -25_567, to: 120_530, by: 1) {
      let time = day * 86_400 + (day & 0xFFFF)
      buffer.removeAll()
      DateCache.append(time, to: buffer)
      guard HTTPDate.parse(buffer.bytes, now: now) == Int64(time) else {
        Issue.record("\(buffer.bytes.text) is not \(time)")
        return
      }
    }
  }
}
