import Eddy

/// One attempt at a job, under way on this worker.
final class Attempt: Timed, @unchecked Sendable {
  let claim: JobClaim
  let runner: TaskRunner
  let cancellation = CancellationFlag()
  let start = StartMark()
  /// The task that runs it; nil before it began.
  var task: Task<Void, Never>?
  /// Its outcome is decided: what it still comes to is refused.
  var isDecided = false
  var isCancelRequested: Bool
  /// The job's version that this worker has seen.
  var seen: Int

  private unowned let service: JobService

  init(job: Job, claim: JobClaim, runner: TaskRunner, service: JobService) {
    self.claim = claim
    self.runner = runner
    self.service = service
    isCancelRequested = job.isCancelRequested
    seen = job.version
  }

  override func expire() { service.timeOut(self) }

  /// Asks whatever runs to end.
  func cancel() {
    cancellation.raise()
    task?.cancel()
  }
}
