import EddyHTTP
import HTTPTypes

/// The problem documents (RFC 9457) of the job protocol.
enum JobProblem {
  /// The URI reference of a kind of problem.
  static func type(_ name: String) -> String { "/problems/\(name)" }

  static func unknownTask(_ name: String) -> Problem {
    Problem(
      .notFound, "There is no task '\(name.prefix(100))' here.", type: type("unknown-task"),
      title: "Unknown task")
  }

  static let unknownJob = Problem(
    .notFound, "There is no such job here; use the path that the submission answered in Location.",
    type: type("unknown-job"), title: "Unknown job")

  static func gone(_ tombstone: JobTombstone) -> Problem {
    let what =
      switch tombstone.reason {
      case .expired: "Its time to live ended"
      case .acknowledged: "Its result was acknowledged"
      }
    return Problem(
      .gone, "\(what) at \(tombstone.since).", type: type("job-\(tombstone.reason.rawValue)"),
      title: "The job is gone")
  }

  static func queueFull(_ bound: QueueBound, task: String, retryAfter: Duration) -> Problem {
    let detail =
      switch bound {
      case .task(let limit): "\(limit) jobs of the task '\(task)' wait already; that is its limit."
      case .total(let limit): "\(limit) jobs wait already; that is the server's limit."
      }
    return Problem(
      .tooManyRequests, detail, type: type("queue-full"), title: "Too many jobs wait",
      headers: [.retryAfter: seconds(retryAfter)])
  }

  static let keyReused = Problem(
    .unprocessableContent,
    "This Idempotency-Key was used for this task with another body; use a new key for new work.",
    type: type("idempotency-key-reused"), title: "Idempotency key reused")

  static func storeDown(_ error: StoreError) -> Problem {
    Problem(
      .serviceUnavailable, "The job store cannot be used at the moment; nothing was changed.",
      type: type("store-unavailable"), title: "Store unavailable",
      headers: [.retryAfter: seconds(error.retryAfter)])
  }

  static func draining(retryAfter: Duration) -> Problem {
    Problem(
      .serviceUnavailable, "This server is stopping and takes no new jobs.",
      type: type("draining"), title: "Stopping", headers: [.retryAfter: seconds(retryAfter)])
  }

  static func notFinal(_ job: Job) -> Problem {
    Problem(
      .conflict,
      "The job is \(job.state.rawValue), so there is nothing to acknowledge yet; "
        + "DELETE /jobs/{id} cancels it.",
      type: type("job-not-final"), title: "The job has not ended")
  }

  /// What the result of a job that ended without one is.
  ///
  /// A failure is the server's side of the bargain unkept, so it is in the 500 class; the client that
  /// cancelled meets the state that it brought about, 409.
  static func noResult(_ job: Job) -> Problem {
    if job.state == .cancelled {
      return Problem(
        .conflict, "The job was cancelled; it has no result.", type: type("job-cancelled"),
        title: "The job was cancelled")
    }
    let failure = job.failure ?? JobFailure(title: "The task failed")
    var extensions: [String: Problem.Value] = ["task": .string(job.task)]
    extensions["exitStatus"] = failure.exitStatus.map(Problem.Value.integer)
    extensions["signal"] = failure.signal.map(Problem.Value.integer)
    extensions["errorOutput"] = failure.errorOutput.map(Problem.Value.string)
    return Problem(
      .internalServerError, failure.detail, type: type(failure.kind.rawValue),
      title: failure.title, extensions: extensions)
  }

  /// `Retry-After` in whole seconds, rounded up, never "now".
  static func seconds(_ interval: Duration) -> String {
    let (seconds, attoseconds) = interval.components
    return String(max(1, attoseconds > 0 ? seconds + 1 : seconds))
  }
}
