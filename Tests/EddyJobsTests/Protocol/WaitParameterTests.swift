import EddyHTTP
import Testing

@testable import EddyJobs

@Suite struct WaitParameterTests {
  @Test(arguments: [
    ("0", 0), ("30", 30_000), ("0.25", 250), ("180", 180_000), ("180.000", 180_000),
    ("007", 7_000), ("1.0000000001", 1_000), ("2.5", 2_500),
  ])
  func aNumberOfSecondsIsTaken(_ text: String, _ milliseconds: Int) throws {
    let wait = try WaitParameter.parse(Query("wait=\(text)"), JobsConfiguration())
    #expect(wait == .milliseconds(milliseconds))
  }

  @Test func withoutOneTheDefaultHolds() throws {
    #expect(try WaitParameter.parse(Query(""), JobsConfiguration()) == .seconds(30))
    #expect(try WaitParameter.parse(Query("other=1"), JobsConfiguration()) == .seconds(30))
  }

  @Test(arguments: [
    ("abc", "not a decimal number"), ("-1", "negative"), ("99999", "too large"),
    ("180.001", "too large"), ("", "empty"), ("1e3", "not a decimal"), ("0x10", "not a decimal"),
    ("%2B5", "not a decimal"), ("5+", "not a decimal"), ("1.", "not a decimal"),
    (".5", "not a decimal"), ("-", "empty"), ("-x", "not a decimal"), ("inf", "not a decimal"),
    ("nan", "not a decimal"), ("1,5", "not a decimal"), ("99999999999999999999", "too large"),
    ("1&wait=2", "not a decimal"), ("%D9%A3", "not a decimal"),
  ])
  func anythingElseIsRefusedWithAWord(_ text: String, _ word: String) throws {
    let problem = #expect(throws: Problem.self) {
      try WaitParameter.parse(Query("wait=\(text)"), JobsConfiguration())
    }
    #expect(problem?.status == .badRequest)
    let detail = try #require(problem?.detail)
    #expect(detail.contains(word))
    #expect(detail.contains("wait=0 to wait=180"))
  }
}
