import HTTPTypes
import Testing

@testable import EddyHTTP

@Suite struct ProblemTests {
  private func text(_ problem: Problem) -> String {
    String(decoding: problem.document, as: UTF8.self)
  }

  @Test func aStatusAloneIsADocument() {
    #expect(
      text(Problem(.notFound)) == #"{"type":"about:blank","title":"Not Found","status":404}"#)
  }

  @Test func membersComeInTheirOrderAndExtensionsByName() {
    let problem = Problem(
      .tooManyRequests, "Ten wait already.", type: "/problems/queue-full", title: "Queue full",
      instance: "/jobs/1", extensions: ["waiting": 10, "again": true, "a": "b", "status": 7])
    #expect(
      text(problem) == """
        {"type":"/problems/queue-full","title":"Queue full","status":429,\
        "detail":"Ten wait already.","instance":"/jobs/1","a":"b","again":true,"waiting":10}
        """)
  }

  @Test func textIsEscaped() {
    let problem = Problem(.badRequest, "a\"b\\c\nd\re\tf\u{1}g\u{1f}hü€\u{1F600}/")
    #expect(
      text(problem).contains(#""detail":"a\"b\\c\nd\re\tf\u0001g\u001fhü€😀/"}"#))
  }

  @Test func aStatusWithoutAPhraseGetsItsStandardTitle() {
    #expect(Problem(422).title == "Unprocessable Content")
    #expect(Problem(499).title == "Status 499")
  }

  @Test func theAnswerHasTheStatusTheTypeAndTheHeaders() {
    let response = Problem(.serviceUnavailable, headers: [.retryAfter: "1"]).response
    #expect(response.status == .serviceUnavailable)
    #expect(response.headers[.contentType] == "application/problem+json")
    #expect(response.headers[.retryAfter] == "1")
  }
}
