import Synchronization

/// Keeps jobs in this process's memory: for one process, and for tests. A restart forgets them.
///
/// Several workers of one process share the jobs through ``init(sharing:)``. Every call takes a lock
/// for a few hundred nanoseconds and never suspends.
public final class MemoryStore: JobStore {
  /// What the memory may hold.
  public struct Limits: Sendable {
    /// Inputs, results and records in all, in bytes; past it a submission is refused as
    /// ``StoreError/Kind/outOfSpace``. Default 1 GiB.
    public var heldBytes: Int = 1 << 30
    /// Tombstones past this number go early, the oldest first, and their jobs answer 404 where they
    /// would have answered 410. Default 100,000, about 20 MB.
    public var tombstones: Int = 100_000

    public init() {}
  }

  private let shared: Shared
  private let connection: Int

  /// A new, empty place for jobs.
  ///
  /// - Parameter clock: what the store stamps with; a test gives its own.
  public convenience init(
    limits: Limits = Limits(), clock: @escaping @Sendable () -> Timestamp = Timestamp.now
  ) {
    self.init(Shared(limits: limits, clock: clock))
  }

  /// Another worker's connection to the same jobs.
  public convenience init(sharing other: MemoryStore) {
    self.init(other.shared)
  }

  private init(_ shared: Shared) {
    self.shared = shared
    connection = shared.nextConnection.add(1, ordering: .relaxed).newValue
  }

  private final class Shared: Sendable {
    let jobs: Mutex<MemoryJobs>
    let clock: @Sendable () -> Timestamp
    let nextConnection = Atomic<Int>(0)

    init(limits: Limits, clock: @escaping @Sendable () -> Timestamp) {
      jobs = Mutex(MemoryJobs(limits: limits))
      self.clock = clock
    }
  }

  /// Runs one transaction; then, outside the lock, tells the other connections.
  private func transaction<Value: Sendable>(
    _ body: (inout MemoryJobs, Timestamp) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    let now = shared.clock()
    let connection = connection
    let (value, wakes) = try shared.jobs.withLock {
      (jobs) throws(StoreError) -> (Value, [MemoryJobs.Delivery]) in
      let value = try body(&jobs, now)
      return (value, jobs.takeDeliveries(except: connection))
    }
    for wake in wakes { wake.deliver(wake.wake) }
    return value
  }

  public func attach(_ attachment: WorkerAttachment) async throws(StoreError) {
    let connection = connection
    try transaction { (jobs, _) throws(StoreError) in
      guard jobs.connections[connection] == nil else {
        throw StoreError(.unusable, "this connection is attached already; open another")
      }
      jobs.connections[connection] = attachment
      jobs.lost.remove(attachment.owner)
    }
  }

  public func detach() async {
    let connection = connection
    shared.jobs.withLock { jobs in
      guard let attachment = jobs.connections.removeValue(forKey: connection) else { return }
      // Worker and store share a process, so that a lease can end in no other way.
      jobs.lost.insert(attachment.owner)
    }
  }

  public func submit(_ submission: JobSubmission) async throws(StoreError) -> SubmitOutcome {
    try transaction { (jobs, now) throws(StoreError) in try jobs.submit(submission, now) }
  }

  public func read(_ id: JobID, principal: String?, result: Bool) async throws(StoreError)
    -> JobLookup
  {
    try transaction { (jobs, now) throws(StoreError) in
      jobs.read(id, principal: principal, result: result, now)
    }
  }

  public func versions(of ids: [JobID]) async throws(StoreError) -> [JobID: Int] {
    try transaction { (jobs, now) throws(StoreError) in jobs.versions(of: ids, now) }
  }

  public func claim(_ slots: [TaskSlots], owner: WorkerID) async throws(StoreError) -> [ClaimedJob]
  {
    try transaction { (jobs, now) throws(StoreError) in jobs.claim(slots, owner: owner, now) }
  }

  public func finish(_ claim: JobClaim, _ outcome: JobOutcome) async throws(StoreError)
    -> TransitionOutcome
  {
    let connection = connection
    return try transaction { (jobs, now) throws(StoreError) in
      jobs.finish(claim, outcome, timeToLive: jobs.resultTimeToLive(of: connection), now)
    }
  }

  public func release(_ claim: JobClaim) async throws(StoreError) -> TransitionOutcome {
    let connection = connection
    return try transaction { (jobs, now) throws(StoreError) in
      jobs.release(claim, timeToLive: jobs.resultTimeToLive(of: connection), now)
    }
  }

  public func reclaim(_ scope: ReclaimScope) async throws(StoreError) -> Int {
    let connection = connection
    return try transaction { (jobs, now) throws(StoreError) in
      jobs.reclaim(scope, policy: jobs.connections[connection], now)
    }
  }

  public func cancel(_ id: JobID, principal: String?) async throws(StoreError) -> CancelOutcome {
    let connection = connection
    return try transaction { (jobs, now) throws(StoreError) in
      jobs.cancel(
        id, principal: principal, timeToLive: jobs.resultTimeToLive(of: connection), now)
    }
  }

  public func acknowledge(_ id: JobID, principal: String?) async throws(StoreError)
    -> AcknowledgeOutcome
  {
    try transaction { (jobs, now) throws(StoreError) in
      jobs.acknowledge(id, principal: principal, now)
    }
  }

  public func purge(limit: Int) async throws(StoreError) -> Int {
    let connection = connection
    return try transaction { (jobs, now) throws(StoreError) in
      jobs.purge(
        limit: limit,
        tombstoneTimeToLive: jobs.connections[connection]?.tombstoneTimeToLive ?? .zero,
        now)
    }
  }
}
