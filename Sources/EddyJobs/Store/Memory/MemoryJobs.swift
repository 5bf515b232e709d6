/// What the memory store's lock protects: the jobs, their queues, their keys, and what remains of
/// those that are gone.
struct MemoryJobs {
  let limits: MemoryStore.Limits
  var jobs: [JobID: MemoryJob] = [:]
  var queues: [String: TaskQueue] = [:]
  var queuedInAll = 0
  var keys: [MemoryKey: KeyedSubmission] = [:]
  var finished = FinishedList()
  var tombstones: [JobID: Grave] = [:]
  var graveyard = FIFO<JobID>()
  var heldBytes = 0
  var connections: [Int: WorkerAttachment] = [:]
  /// Workers that have detached, and may have left claimed jobs.
  var lost: Set<WorkerID> = []
  private var wakes: [JobWake] = []

  init(limits: MemoryStore.Limits) { self.limits = limits }

  /// What a record takes beside its bytes, roughly.
  static let recordOverhead = 512

  struct TaskQueue {
    /// Oldest first. Ids of jobs that were cancelled meanwhile stay until they come to the front.
    var order = FIFO<JobID>()
    /// How many of them really wait.
    var count = 0
  }

  struct KeyedSubmission {
    var id: JobID
    var digest: Digest
  }

  struct Grave {
    var tombstone: JobTombstone
    var key: MemoryKey?
  }

  // MARK: Wakes

  struct Delivery: Sendable {
    var wake: JobWake
    var deliver: @Sendable (JobWake) -> Void
  }

  /// Notes a hint for the other connections; costs nothing when there is none.
  mutating func wake(_ wake: @autoclosure () -> JobWake) {
    if connections.count > 1 { wakes.append(wake()) }
  }

  mutating func takeDeliveries(except connection: Int) -> [Delivery] {
    guard !wakes.isEmpty else { return [] }
    defer { wakes.removeAll(keepingCapacity: true) }
    var deliveries: [Delivery] = []
    for (other, attachment) in connections where other != connection {
      for wake in wakes { deliveries.append(Delivery(wake: wake, deliver: attachment.onWake)) }
    }
    return deliveries
  }

  func resultTimeToLive(of connection: Int) -> Duration {
    connections[connection]?.resultTimeToLive ?? .zero
  }

  // MARK: Submission

  mutating func submit(_ submission: JobSubmission, _ now: Timestamp) throws(StoreError)
    -> SubmitOutcome
  {
    let key = submission.idempotency.map {
      MemoryKey(principal: submission.principal, task: submission.task, key: $0.key)
    }
    if let key, let earlier = keys[key] {
      guard earlier.digest == submission.idempotency?.digest else { return .keyReused }
      switch read(earlier.id, principal: submission.principal, result: false, now) {
      case .found(let job, _): return .existing(job)
      case .gone(let tombstone): return .existingGone(earlier.id, tombstone)
      case .unknown: keys[key] = nil
      }
    }

    let bytes = submission.input.count + Self.recordOverhead
    guard heldBytes + bytes <= limits.heldBytes else {
      throw StoreError(
        .outOfSpace, "\(heldBytes) B held; the limit is \(limits.heldBytes) B",
        retryAfter: .seconds(10))
    }

    var job = Job(
      id: submission.id, task: submission.task, principal: submission.principal, created: now)
    let waiting = queues[submission.task]?.count ?? 0
    let isClaimed = submission.claimant != nil && waiting == 0
    if !isClaimed {
      if waiting >= submission.taskQueueLimit {
        return .queueFull(.task(limit: submission.taskQueueLimit))
      }
      if queuedInAll >= submission.totalQueueLimit {
        return .queueFull(.total(limit: submission.totalQueueLimit))
      }
    }
    if isClaimed { Self.start(&job, owner: submission.claimant, now) }

    jobs[job.id] = MemoryJob(
      job: job, input: submission.input, inputContentType: submission.inputContentType, key: key)
    if let key, let digest = submission.idempotency?.digest {
      keys[key] = KeyedSubmission(id: job.id, digest: digest)
    }
    heldBytes += bytes
    if !isClaimed {
      queues[job.task, default: TaskQueue()].order.append(job.id)
      countQueued(1, task: job.task)
      wake(.claimable(task: submission.task))
    }
    return .created(job)
  }

  static func start(_ job: inout Job, owner: WorkerID?, _ now: Timestamp) {
    job.state = .running
    job.attempt += 1
    job.owner = owner
    job.started = now
  }

  mutating func countQueued(_ change: Int, task: String) {
    queues[task, default: TaskQueue()].count += change
    queuedInAll += change
  }

  // MARK: Reading

  /// The principal's job, unless its time has come.
  func live(_ id: JobID, principal: String?, _ now: Timestamp) -> MemoryJob? {
    guard let entry = jobs[id], entry.job.principal == principal else { return nil }
    if let expires = entry.job.expires, expires <= now { return nil }
    return entry
  }

  /// What is left of a job that is not live; nil if nothing is.
  func remains(of id: JobID, principal: String?) -> JobTombstone? {
    let tombstone: JobTombstone
    if let grave = tombstones[id] {
      tombstone = grave.tombstone
    } else if let job = jobs[id]?.job, let expires = job.expires {
      tombstone = JobTombstone(reason: .expired, principal: job.principal, since: expires)
    } else {
      return nil
    }
    return tombstone.principal == principal ? tombstone : nil
  }

  func read(_ id: JobID, principal: String?, result: Bool, _ now: Timestamp) -> JobLookup {
    if let entry = live(id, principal: principal, now) {
      return .found(entry.job, result: result ? entry.result.map(StoredBytes.memory) : nil)
    }
    return remains(of: id, principal: principal).map(JobLookup.gone) ?? .unknown
  }

  func versions(of ids: [JobID], _ now: Timestamp) -> [JobID: Int] {
    var versions: [JobID: Int] = [:]
    versions.reserveCapacity(ids.count)
    for id in ids {
      guard let job = jobs[id]?.job else { continue }
      if let expires = job.expires, expires <= now { continue }
      versions[id] = job.version
    }
    return versions
  }
}

/// One job with its bytes. A class, so that a change touches it in place.
final class MemoryJob {
  var job: Job
  var input: [UInt8]
  var inputContentType: String?
  var result: [UInt8]?
  let key: MemoryKey?
  // FinishedList's links.
  unowned(unsafe) var previous: MemoryJob?
  unowned(unsafe) var next: MemoryJob?

  init(job: Job, input: [UInt8], inputContentType: String?, key: MemoryKey?) {
    self.job = job
    self.input = input
    self.inputContentType = inputContentType
    self.key = key
  }

  var heldBytes: Int { input.count + (result?.count ?? 0) + MemoryJobs.recordOverhead }
}

/// An idempotency key is its principal's and its task's own.
struct MemoryKey: Hashable {
  var principal: String?
  var task: String
  var key: String
}

/// Final jobs in the order in which they ended, which is the order in which they expire.
struct FinishedList {
  private(set) unowned(unsafe) var first: MemoryJob?
  private unowned(unsafe) var last: MemoryJob?

  mutating func append(_ entry: MemoryJob) {
    entry.previous = last
    entry.next = nil
    if let last { last.next = entry } else { first = entry }
    last = entry
  }

  mutating func remove(_ entry: MemoryJob) {
    if let previous = entry.previous { previous.next = entry.next } else { first = entry.next }
    if let next = entry.next { next.previous = entry.previous } else { last = entry.previous }
    entry.previous = nil
    entry.next = nil
  }
}
