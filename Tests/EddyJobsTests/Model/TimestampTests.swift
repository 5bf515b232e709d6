import Foundation
import Testing

@testable import EddyJobs

@Suite struct TimestampTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"),
    (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
    (1_709_251_199_999_999, "2024-02-29T23:59:59.999Z"),
    (4_107_542_400_123_000, "2100-03-01T00:00:00.123Z"),
    (-1, "1969-12-31T23:59:59.999Z"),
  ])
  func textIsRFC3339(_ microseconds: Int, _ text: String) {
    #expect("\(Timestamp(microseconds: Int64(microseconds)))" == text)
  }

  @Test func everyDayOfFourCenturiesIsTheCalendars() throws {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    for day in stride(from: -40_000, to: 110_000, by: 1) {
      let seconds = day * 86_400 + 45_296
      let ours = "\(Timestamp(microseconds: Int64(seconds) * 1_000_000))"
      // A formatter a day would take a minute: every 17th is enough to meet each date.
      if day % 17 == 0 {
        let theirs = Date(timeIntervalSince1970: Double(seconds)).formatted(style)
        try #require(ours == theirs)
      }
    }
  }

  @Test func additionSaturates() {
    let now = Timestamp(microseconds: 1_000)
    #expect(now + .milliseconds(2) == Timestamp(microseconds: 3_000))
    #expect(now + .seconds(Int64.max) == Timestamp(microseconds: .max))
    #expect(now + .seconds(Int64.min) == Timestamp(microseconds: .min))
  }

  @Test func nowIsNow() {
    let drift = Double(Timestamp.now().microseconds) / 1e6 - Date().timeIntervalSince1970
    #expect(abs(drift) < 1)
  }
}
