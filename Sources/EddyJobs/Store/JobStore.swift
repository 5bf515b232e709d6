/// One worker's connection to the place where jobs are kept.
///
/// The store, not any process's memory, is the truth. Several workers have a connection each to the
/// same jobs; the store decides every race between them.
///
/// What every implementation promises:
///
/// - **Durable, then true.** A call returns when what it did is as durable as the store ever makes
///   it. Calls are independent of each other, and many are under way at once: a store gathers those
///   that arrive together into one transaction and resumes all of them after its commit.
/// - **All or nothing.** Each call is one transaction. ``submit(_:)`` decides the idempotency key,
///   the queue's bounds, the insertion and the first claim in the same one.
/// - **Fenced.** A transition of a claimed job compares owner and attempt with the job as it is, and
///   is refused when they differ. The state only moves along ``JobState``'s arrows; a final state
///   stays.
/// - **Timed by itself.** The store stamps times and decides expiry by its own clock, so that
///   workers with different clocks agree.
/// - **Wakes are hints.** After the commit, the other connections are told by `onWake` what changed;
///   the connection that made the change is not, because it has the answer in hand. A wake may be
///   lost, late, doubled, or out of order: who waits for a job registers first, reads then.
/// - **Leases are the worker's.** From ``attach(_:)`` to ``detach()`` the store renews the worker's
///   lease without the loop's help (a loop that is busy for a minute must not lose it).
///
/// Methods may be called from any executor, and must not block the one that they are called on.
public protocol JobStore: AnyObject, Sendable {
  /// Opens the store if need be, takes a lease for the worker, and begins to deliver wakes.
  ///
  /// Called once, before any other method.
  func attach(_ attachment: WorkerAttachment) async throws(StoreError)

  /// Ends the lease and the wakes. What the worker still has claimed is reclaimed by others.
  func detach() async

  /// Adds a job, or finds the one that was submitted with the same idempotency key.
  func submit(_ submission: JobSubmission) async throws(StoreError) -> SubmitOutcome

  /// The job as it is now; with `result`, and if it succeeded, its bytes too, from the same instant.
  ///
  /// Somebody else's job, here and below, is unknown: `principal` has to be the one that submitted
  /// it.
  func read(_ id: JobID, principal: String?, result: Bool) async throws(StoreError) -> JobLookup

  /// The present versions of those of `ids` that exist and have neither expired nor been
  /// acknowledged.
  func versions(of ids: [JobID]) async throws(StoreError) -> [JobID: Int]

  /// Takes jobs that wait, the oldest first, for the worker to run: attempt + 1, running.
  func claim(_ slots: [TaskSlots], owner: WorkerID) async throws(StoreError) -> [ClaimedJob]

  /// Records how an attempt ended. Refused unless the job is running under exactly this claim.
  func finish(_ claim: JobClaim, _ outcome: JobOutcome) async throws(StoreError)
    -> TransitionOutcome

  /// Gives a claimed job back, to be run by whoever claims it next; not counted as a crash.
  ///
  /// Refused unless the job is running under exactly this claim. A job whose cancellation was
  /// requested becomes cancelled instead.
  func release(_ claim: JobClaim) async throws(StoreError) -> TransitionOutcome

  /// Takes back what lost workers had claimed, counting a crash for each; answers how many.
  ///
  /// A job that has crashed ``WorkerAttachment/maximumCrashes`` times becomes dead, one whose
  /// cancellation was requested becomes cancelled, any other is retrying.
  func reclaim(_ scope: ReclaimScope) async throws(StoreError) -> Int

  /// Cancels a job that waits, or asks the worker of one that runs to end it.
  func cancel(_ id: JobID, principal: String?) async throws(StoreError) -> CancelOutcome

  /// Lets a final job's result go. Idempotent as long as the tombstone stands.
  func acknowledge(_ id: JobID, principal: String?) async throws(StoreError)
    -> AcknowledgeOutcome

  /// Turns up to `limit` expired jobs into tombstones and drops tombstones past their time; answers
  /// how many it touched. Expiry does not depend on it: an expired job reads as gone at once.
  func purge(limit: Int) async throws(StoreError) -> Int
}

/// What a worker tells its store when it begins.
public struct WorkerAttachment: Sendable {
  public var owner: WorkerID
  /// How long the worker's jobs stay its own without a sign of life.
  public var lease: Duration
  /// How long a result stays after its job ended.
  public var resultTimeToLive: Duration
  /// How long "gone" can be told from "never was".
  public var tombstoneTimeToLive: Duration
  /// A job that has lost this many workers is dead.
  public var maximumCrashes: Int
  /// Called on any thread, after the commit; must return at once.
  public var onWake: @Sendable (JobWake) -> Void

  public init(
    owner: WorkerID, lease: Duration, resultTimeToLive: Duration, tombstoneTimeToLive: Duration,
    maximumCrashes: Int, onWake: @escaping @Sendable (JobWake) -> Void
  ) {
    self.owner = owner
    self.lease = lease
    self.resultTimeToLive = resultTimeToLive
    self.tombstoneTimeToLive = tombstoneTimeToLive
    self.maximumCrashes = maximumCrashes
    self.onWake = onWake
  }
}

/// A hint that something changed in the store.
public enum JobWake: Sendable, Equatable {
  /// The job has at least this version now.
  case changed(JobID, version: Int)
  /// A job of this task waits to be claimed.
  case claimable(task: String)
}

/// Whose jobs to take back.
public enum ReclaimScope: Sendable, Equatable {
  /// Every worker whose lease has run out.
  case expiredLeases
  /// One worker, known to be dead by whoever saw its process end.
  case worker(WorkerID)
}
