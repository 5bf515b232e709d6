import Foundation
import Testing

@testable import EddyJobs

@Suite struct JobDocumentTests {
  private func decode(_ job: Job) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(JobDocument.render(job)))
    return try #require(object as? [String: Any])
  }

  @Test func aNewJobHasNoMemberThatDoesNotApply() throws {
    let job = Job(
      id: JobID(), task: "sleep", principal: "p", created: Timestamp(microseconds: 1_500_000))
    let document = try decode(job)
    #expect(Set(document.keys) == ["id", "task", "state", "version", "attempt", "created"])
    #expect(document["id"] as? String == job.id.hex)
    #expect(document["task"] as? String == "sleep")
    #expect(document["state"] as? String == "queued")
    #expect(document["version"] as? Int == 1)
    #expect(document["attempt"] as? Int == 0)
    #expect(document["created"] as? String == "1970-01-01T00:00:01.500Z")
  }

  @Test func aResultIsLinked() throws {
    var job = Job(id: JobID(), task: "t", principal: nil, created: .now())
    job.state = .succeeded
    job.started = .now()
    job.finished = .now()
    job.expires = .now()
    job.result = ResultDescription(contentType: "text/plain; charset=\"utf-8\"", count: 8)
    let document = try decode(job)
    let result = try #require(document["result"] as? [String: Any])
    #expect(result["href"] as? String == "/jobs/\(job.id.hex)/result")
    #expect(result["contentType"] as? String == "text/plain; charset=\"utf-8\"")
    #expect(result["length"] as? Int == 8)
    #expect(document["finished"] is String && document["expires"] is String)
  }

  @Test func anyTextOfAFailureIsEscaped() throws {
    var job = Job(id: JobID(), task: "t", principal: nil, created: .now())
    job.state = .failed
    let text =
      String(String.UnicodeScalarView((0...0x2FF).map { UnicodeScalar($0)! })) + "\u{1F600}"
    job.failure = JobFailure(title: text, detail: text, exitStatus: 3, signal: 9)
    let failure = try #require(try decode(job)["error"] as? [String: Any])
    #expect(failure["title"] as? String == text)
    #expect(failure["detail"] as? String == text)
    #expect(failure["exitStatus"] as? Int == 3)
    #expect(failure["signal"] as? Int == 9)
    #expect(failure["type"] as? String == "/problems/task-failed")
  }

  @Test func aCancellationThatIsUnderWayShows() throws {
    var job = Job(id: JobID(), task: "t", principal: nil, created: .now())
    job.state = .running
    job.isCancelRequested = true
    job.crashes = 1
    #expect(try decode(job)["cancelRequested"] as? Bool == true)
    #expect(try decode(job)["crashes"] as? Int == 1)
    job.state = .cancelled
    #expect(try decode(job)["cancelRequested"] == nil)
  }
}
