import Testing

@testable import EddyJobs

@Suite struct StoreSubmitTests {
  @Test(arguments: StoreUnderTest.allCases)
  func theOldestIsClaimedFirst(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    var ids: [JobID] = []
    for _ in 0..<5 { ids.append(try await workers.first.submit().created.id) }
    _ = try await workers.first.submit(task: "other")
    let claimed = try await workers.second.claim("t", 3)
    #expect(claimed.map(\.claim.id) == Array(ids[0..<3]))
    // One that was given back is older than those that still wait.
    _ = try await workers.second.store.release(claimed[1].claim).applied
    #expect(try await workers.first.claim("t", 9).map(\.claim.id) == [ids[1], ids[3], ids[4]])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aClaimantIsGivenItsJobUnlessOthersWait(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let taken = try await workers.first.submit(claiming: true).created
    #expect(taken.state == .running && taken.attempt == 1 && taken.version == 1)
    #expect(taken.owner == workers.first.owner && taken.started != nil)
    _ = try await workers.first.submit()
    let later = try await workers.first.submit(claiming: true).created
    #expect(later.state == .queued && later.owner == nil)
    #expect(try await workers.first.submit(task: "u", claiming: true).created.state == .running)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func queuesHaveBounds(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    func submit(_ task: String, claiming: Bool = false) async throws -> SubmitOutcome {
      try await workers.first.submit(
        task: task, claiming: claiming, taskQueueLimit: 2, totalQueueLimit: 3)
    }
    for task in ["a", "a", "b"] { _ = try await submit(task).created }
    guard case .queueFull(.task(limit: 2)) = try await submit("a") else {
      Issue.record("the task's bound did not hold"); return
    }
    guard case .queueFull(.total(limit: 3)) = try await submit("b") else {
      Issue.record("the total bound did not hold"); return
    }
    // One that need not wait is not bounded by queues.
    #expect(try await submit("c", claiming: true).created.state == .running)
    // Each way out of a queue makes room: a claim and a cancellation.
    let claimed = try #require(try await workers.first.claim("a").first)
    _ = try await submit("a").created
    guard case .queueFull = try await submit("a") else { Issue.record("no bound"); return }
    _ = try await workers.first.store.cancel(
      try #require(try await workers.first.claim("b").first).claim.id, principal: nil)
    _ = try await submit("b").created
    _ = try await workers.first.store.finish(claimed.claim, .cancelled)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theSameKeyFindsTheSameJob(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let job = try await workers.first.submit(key: "k").created
    // By any worker, at any bound, whatever has become of it.
    #expect(try await workers.second.submit(key: "k", taskQueueLimit: 0).existing.id == job.id)
    let claim = try #require(try await workers.first.claim().first).claim
    #expect(try await workers.second.submit(key: "k").existing.state == .running)
    _ = try await workers.first.store.finish(claim, .succeeded([], contentType: nil))
    #expect(try await workers.second.submit(key: "k").existing.state == .succeeded)
    guard case .keyReused = try await workers.second.submit(input: [4], key: "k") else {
      Issue.record("another body passed for the same"); return
    }
    // The key is the principal's and the task's own.
    #expect(try await workers.first.submit(task: "u", key: "k").created.id != job.id)
    #expect(try await workers.first.submit(principal: "p", key: "k").created.id != job.id)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theSameKeyAtOnceMakesOneJob(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let ids = try await withThrowingTaskGroup { group in
      for index in 0..<64 {
        let worker = index % 2 == 0 ? workers.first : workers.second
        group.addTask {
          switch try await worker.submit(key: "once", claiming: true) {
          case .created(let job): (job.id, 1)
          case .existing(let job): (job.id, 0)
          case let other: throw Unexpected(value: other)
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(ids.map(\.0)).count == 1)
    #expect(ids.map(\.1).reduce(0, +) == 1)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func somebodyElsesJobIsUnknown(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let store = workers.first.store
    let id = try await workers.first.submit(principal: "alice").created.id
    for principal in [nil, "bob", ""] {
      #expect(try await workers.first.job(id, principal: principal) == nil)
      guard case .unknown = try await store.cancel(id, principal: principal) else {
        Issue.record("cancelled by \(principal ?? "nobody")"); return
      }
      guard case .unknown = try await store.acknowledge(id, principal: principal) else {
        Issue.record("acknowledged by \(principal ?? "nobody")"); return
      }
    }
    guard case .cancelled = try await store.cancel(id, principal: "alice") else {
      Issue.record("not cancelled by its own"); return
    }
    guard case .acknowledged = try await store.acknowledge(id, principal: "alice") else {
      Issue.record("not acknowledged by its own"); return
    }
    guard case .unknown = try await store.read(id, principal: "bob", result: false) else {
      Issue.record("the tombstone was shown"); return
    }
  }

  @Test func memoryThatIsFullRefusesAndRecovers() async throws {
    var limits = MemoryStore.Limits()
    limits.heldBytes = 4_096
    let worker = TwoWorkers.Worker(MemoryStore(limits: limits))
    try await worker.attach { _ in }
    let big = [UInt8](repeating: 0, count: 3_000)
    let id = try await worker.submit(input: big).created.id
    let error = await #expect(throws: StoreError.self) { try await worker.submit(input: big) }
    #expect(error?.kind == .outOfSpace)
    _ = try await worker.store.cancel(id, principal: nil)
    _ = try await worker.submit(input: big).created
  }
}
