import Synchronization
import Testing

@testable import EddyJobs

/// The stores that have to keep ``JobStore``'s promises. Each has its tests for free once it is here.
enum StoreUnderTest: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case memory

  var testDescription: String { rawValue }

  /// A new place for jobs and two workers' connections to it.
  func workers(_ change: (inout WorkerAttachment) -> Void = { _ in }) async throws -> TwoWorkers {
    let clock = ManualClock()
    switch self {
    case .memory:
      let store = MemoryStore(clock: { clock.now })
      return try await TwoWorkers(store, MemoryStore(sharing: store), clock, change)
    }
  }
}

/// A clock that a test sets.
final class ManualClock: Sendable {
  private let time = Mutex(Timestamp(microseconds: 1_000_000_000_000))

  var now: Timestamp { time.withLock { $0 } }
  func advance(by interval: Duration) { time.withLock { $0 = $0 + interval } }
}

/// Two workers on the same jobs, and the wakes that each was sent.
struct TwoWorkers: Sendable {
  let first: Worker
  let second: Worker
  let clock: ManualClock

  final class Worker: Sendable {
    let store: any JobStore
    let owner = WorkerID()
    private let inbox = Inbox()

    init(_ store: any JobStore) { self.store = store }

    var wakes: [JobWake] { inbox.received.withLock { $0 } }

    private final class Inbox: Sendable {
      let received = Mutex<[JobWake]>([])
    }

    func attach(_ change: (inout WorkerAttachment) -> Void) async throws {
      var attachment = WorkerAttachment(
        owner: owner, lease: .seconds(10), resultTimeToLive: .seconds(3_600),
        tombstoneTimeToLive: .seconds(600), maximumCrashes: 3
      ) { [inbox] wake in inbox.received.withLock { $0.append(wake) } }
      change(&attachment)
      try await store.attach(attachment)
    }
  }

  init(
    _ first: any JobStore, _ second: any JobStore, _ clock: ManualClock,
    _ change: (inout WorkerAttachment) -> Void
  ) async throws {
    self.first = Worker(first)
    self.second = Worker(second)
    self.clock = clock
    try await self.first.attach(change)
    try await self.second.attach(change)
  }
}

extension TwoWorkers.Worker {
  /// Submits a job that waits.
  func submit(
    task: String = "t", input: [UInt8] = [1, 2, 3], principal: String? = nil, key: String? = nil,
    claiming: Bool = false, taskQueueLimit: Int = .max, totalQueueLimit: Int = .max
  ) async throws -> SubmitOutcome {
    try await store.submit(
      JobSubmission(
        id: JobID(), task: task, principal: principal, input: input, inputContentType: "a/b",
        idempotency: key.map { .init(key: $0, digest: Digest(of: input)) },
        taskQueueLimit: taskQueueLimit, totalQueueLimit: totalQueueLimit,
        claimant: claiming ? owner : nil))
  }

  /// Submits a job and takes it.
  func run(task: String = "t") async throws -> JobClaim {
    let job = try await submit(task: task, claiming: true).created
    return JobClaim(id: job.id, attempt: job.attempt, owner: owner)
  }

  func claim(_ task: String = "t", _ count: Int = 1) async throws -> [ClaimedJob] {
    try await store.claim([TaskSlots(task: task, free: count)], owner: owner)
  }

  func job(_ id: JobID, principal: String? = nil) async throws -> Job? {
    guard case .found(let job, _) = try await store.read(id, principal: principal, result: false)
    else { return nil }
    return job
  }
}

struct Unexpected<Value: Sendable>: Error {
  let value: Value
}

extension SubmitOutcome {
  var created: Job {
    get throws {
      guard case .created(let job) = self else { throw Unexpected(value: self) }
      return job
    }
  }

  var existing: Job {
    get throws {
      guard case .existing(let job) = self else { throw Unexpected(value: self) }
      return job
    }
  }
}

extension TransitionOutcome {
  var applied: Job {
    get throws {
      guard case .applied(let job) = self else { throw Unexpected(value: self) }
      return job
    }
  }

  var isRefused: Bool { if case .refused = self { true } else { false } }
}
