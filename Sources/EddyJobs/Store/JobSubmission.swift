/// A job to be added to a store.
public struct JobSubmission: Sendable {
  public var id: JobID
  public var task: String
  public var principal: String?
  public var input: [UInt8]
  public var inputContentType: String?
  /// With a key, a second submission finds the first one's job.
  public var idempotency: Idempotency?
  /// Refused when so many jobs of this task wait already.
  public var taskQueueLimit: Int
  /// Refused when so many jobs wait in all.
  public var totalQueueLimit: Int
  /// The worker that submits, if it has a free slot: the store gives it the job in the same
  /// transaction (attempt 1, running), unless older jobs of the task wait. It spares a write.
  public var claimant: WorkerID?

  public init(
    id: JobID, task: String, principal: String? = nil, input: [UInt8],
    inputContentType: String? = nil, idempotency: Idempotency? = nil, taskQueueLimit: Int = .max,
    totalQueueLimit: Int = .max, claimant: WorkerID? = nil
  ) {
    self.id = id
    self.task = task
    self.principal = principal
    self.input = input
    self.inputContentType = inputContentType
    self.idempotency = idempotency
    self.taskQueueLimit = taskQueueLimit
    self.totalQueueLimit = totalQueueLimit
    self.claimant = claimant
  }

  /// A key, unique to the principal and the task, and what was sent under it.
  public struct Idempotency: Sendable, Hashable {
    public var key: String
    /// SHA-256 of the body.
    public var digest: Digest

    public init(key: String, digest: Digest) {
      self.key = key
      self.digest = digest
    }
  }
}

/// What became of a submission.
public enum SubmitOutcome: Sendable {
  /// A new job; it is running, and the claimant's, if the claim was granted.
  case created(Job)
  /// The job that was submitted with the same key and the same body.
  case existing(Job)
  /// The same, but its result is gone already.
  case existingGone(JobID, JobTombstone)
  /// The key was used with another body.
  case keyReused
  /// Nothing was added: this bound of waiting jobs is reached.
  case queueFull(QueueBound)
}

/// Which bound of waiting jobs was reached.
public enum QueueBound: Sendable, Equatable {
  case task(limit: Int)
  case total(limit: Int)
}
