/// The fence: who runs a job, and which attempt at it this is. Both are compared at every transition.
public struct JobClaim: Sendable, Hashable {
  public var id: JobID
  public var attempt: Int
  public var owner: WorkerID

  public init(id: JobID, attempt: Int, owner: WorkerID) {
    self.id = id
    self.attempt = attempt
    self.owner = owner
  }
}

/// How many more jobs of a task a worker can take now.
public struct TaskSlots: Sendable {
  public var task: String
  public var free: Int

  public init(task: String, free: Int) {
    self.task = task
    self.free = free
  }
}

/// A job that a worker was given to run.
public struct ClaimedJob: Sendable {
  public var claim: JobClaim
  public var job: Job
  public var input: StoredBytes
  public var inputContentType: String?

  public init(claim: JobClaim, job: Job, input: StoredBytes, inputContentType: String?) {
    self.claim = claim
    self.job = job
    self.input = input
    self.inputContentType = inputContentType
  }
}

/// How an attempt ended.
public enum JobOutcome: Sendable {
  case succeeded([UInt8], contentType: String?)
  case failed(JobFailure)
  case cancelled
}

/// Whether a fenced transition took place.
public enum TransitionOutcome: Sendable {
  /// It did, and is committed; the job as it is now.
  case applied(Job)
  /// It did not: the claim is not, or no longer, the one that the job runs under.
  case refused
}

/// A job, if there is one.
public enum JobLookup: Sendable {
  case found(Job, result: StoredBytes?)
  case gone(JobTombstone)
  case unknown
}

/// What became of a cancellation.
public enum CancelOutcome: Sendable {
  /// It waited; it is cancelled.
  case cancelled(Job)
  /// It runs; its worker has to end it.
  case requested(Job)
  /// It had ended already; it stays as it is.
  case alreadyFinal(Job)
  case gone(JobTombstone)
  case unknown
}

/// What became of an acknowledgement.
public enum AcknowledgeOutcome: Sendable {
  /// The result is gone now.
  case acknowledged
  /// The result was gone before.
  case gone(JobTombstone)
  /// There is no result yet to be let go.
  case notFinal(Job)
  case unknown
}
