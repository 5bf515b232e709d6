import Synchronization

@testable import EddyJobs

/// A store that misbehaves as a test says, around one that does not.
final class ScriptedStore: JobStore {
  struct Script: Sendable {
    /// Before and after each read, which it may delay: the number of the read counts from 1.
    var beforeRead: (@Sendable (Int) async -> Void)?
    var afterRead: (@Sendable (Int) async -> Void)?
    /// Called before the named call; what it throws is the call's error.
    var before: (@Sendable (Call) async throws(StoreError) -> Void)?
    /// Wakes do not arrive.
    var losesWakes = false
    /// Results are handed on piece by piece, from outside memory.
    var hasExternalResults = false
  }

  enum Call: Sendable {
    case submit, read, versions, claim, finish, release, cancel, acknowledge
  }

  private let base: any JobStore
  private let script: Mutex<Script>
  private let reads = Atomic<Int>(0)

  init(_ base: any JobStore, _ script: Script = Script()) {
    self.base = base
    self.script = Mutex(script)
  }

  func change(_ change: @Sendable (inout Script) -> Void) { script.withLock { change(&$0) } }

  private func prepare(_ call: Call) async throws(StoreError) {
    if let before = script.withLock({ $0.before }) { try await before(call) }
  }

  func attach(_ attachment: WorkerAttachment) async throws(StoreError) {
    var attachment = attachment
    let deliver = attachment.onWake
    attachment.onWake = { [self] wake in
      if !script.withLock({ $0.losesWakes }) { deliver(wake) }
    }
    try await base.attach(attachment)
  }

  func detach() async { await base.detach() }

  func submit(_ submission: JobSubmission) async throws(StoreError) -> SubmitOutcome {
    try await prepare(.submit)
    return try await base.submit(submission)
  }

  func read(_ id: JobID, principal: String?, result: Bool) async throws(StoreError) -> JobLookup {
    try await prepare(.read)
    let number = reads.add(1, ordering: .relaxed).newValue
    let script = script.withLock { $0 }
    await script.beforeRead?(number)
    var lookup = try await base.read(id, principal: principal, result: result)
    await script.afterRead?(number)
    if script.hasExternalResults, case .found(let job, .memory(let bytes)?) = lookup {
      lookup = .found(
        job,
        result: .external(count: bytes.count) { offset, maximum throws(StoreError) in
          Array(bytes[offset..<min(offset + min(maximum, 1_000), bytes.count)])
        })
    }
    return lookup
  }

  func versions(of ids: [JobID]) async throws(StoreError) -> [JobID: Int] {
    try await prepare(.versions)
    return try await base.versions(of: ids)
  }

  func claim(_ slots: [TaskSlots], owner: WorkerID) async throws(StoreError) -> [ClaimedJob] {
    try await prepare(.claim)
    return try await base.claim(slots, owner: owner)
  }

  func finish(_ claim: JobClaim, _ outcome: JobOutcome) async throws(StoreError)
    -> TransitionOutcome
  {
    try await prepare(.finish)
    return try await base.finish(claim, outcome)
  }

  func release(_ claim: JobClaim) async throws(StoreError) -> TransitionOutcome {
    try await prepare(.release)
    return try await base.release(claim)
  }

  func reclaim(_ scope: ReclaimScope) async throws(StoreError) -> Int {
    try await base.reclaim(scope)
  }

  func cancel(_ id: JobID, principal: String?) async throws(StoreError) -> CancelOutcome {
    try await prepare(.cancel)
    return try await base.cancel(id, principal: principal)
  }

  func acknowledge(_ id: JobID, principal: String?) async throws(StoreError)
    -> AcknowledgeOutcome
  {
    try await prepare(.acknowledge)
    return try await base.acknowledge(id, principal: principal)
  }

  func purge(limit: Int) async throws(StoreError) -> Int { try await base.purge(limit: limit) }
}
