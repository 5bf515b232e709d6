import Testing

@testable import EddyJobs

/// Cancellation, acknowledgement, expiry, and who is told of them.
@Suite struct StoreLifeTests {
  @Test(arguments: StoreUnderTest.allCases)
  func aJobThatWaitsIsCancelledAtOnce(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let id = try await workers.first.submit().created.id
    guard case .cancelled(let job) = try await workers.second.store.cancel(id, principal: nil)
    else { Issue.record("not cancelled"); return }
    #expect(job.state == .cancelled && job.finished != nil && job.version == 2)
    #expect(try await workers.first.claim().isEmpty)
    guard case .alreadyFinal = try await workers.first.store.cancel(id, principal: nil) else {
      Issue.record("cancelled twice"); return
    }
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theWorkerOfAJobThatRunsIsAskedToEndIt(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let claim = try await workers.first.run()
    for _ in 0..<2 {
      guard
        case .requested(let job) = try await workers.second.store.cancel(
          claim.id, principal: nil)
      else { Issue.record("not requested"); return }
      // Asking twice changes nothing.
      #expect(job.state == .running && job.isCancelRequested && job.version == 2)
    }
    #expect(workers.first.wakes == [.changed(claim.id, version: 2)])
    // It may still have succeeded: that is then the truth.
    let job = try await workers.first.store.finish(claim, .succeeded([1], contentType: nil)).applied
    #expect(job.state == .succeeded)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aCancelledJobIsNotRunAgain(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    for isCrash in [true, false] {
      let claim = try await workers.first.run()
      _ = try await workers.second.store.cancel(claim.id, principal: nil)
      if isCrash {
        _ = try await workers.second.store.reclaim(.worker(workers.first.owner))
      } else {
        _ = try await workers.first.store.release(claim).applied
      }
      #expect(try await workers.first.job(claim.id)?.state == .cancelled)
      #expect(try await workers.first.claim().isEmpty)
    }
  }

  @Test(arguments: StoreUnderTest.allCases)
  func acknowledgementIsIdempotentAndLeavesATombstone(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let store = workers.first.store
    let claim = try await workers.first.run()
    guard case .notFinal = try await store.acknowledge(claim.id, principal: nil) else {
      Issue.record("acknowledged what has not ended"); return
    }
    _ = try await store.finish(claim, .succeeded([1], contentType: nil))
    guard case .acknowledged = try await store.acknowledge(claim.id, principal: nil) else {
      Issue.record("not acknowledged"); return
    }
    for _ in 0..<2 {
      guard case .gone(let tombstone) = try await store.acknowledge(claim.id, principal: nil)
      else { Issue.record("not gone"); return }
      #expect(tombstone.reason == .acknowledged && tombstone.since == workers.clock.now)
    }
    workers.clock.advance(by: .seconds(601))
    #expect(try await store.purge(limit: 10) == 1)
    guard case .unknown = try await store.read(claim.id, principal: nil, result: true) else {
      Issue.record("the tombstone still stands"); return
    }
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aResultExpiresWhetherOrNotItIsPurged(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let store = workers.first.store
    let claim = try await workers.first.run()
    let waiting = try await workers.first.submit(task: "u").created.id
    _ = try await store.finish(claim, .succeeded([1], contentType: nil))
    workers.clock.advance(by: .seconds(3_599))
    #expect(try await workers.first.job(claim.id) != nil)
    #expect(try await store.versions(of: [claim.id, waiting]) == [claim.id: 2, waiting: 1])
    workers.clock.advance(by: .seconds(1))
    let expiry = workers.clock.now
    for isPurged in [false, true] {
      if isPurged { #expect(try await store.purge(limit: 10) == 1) }
      guard
        case .gone(let tombstone) = try await store.read(
          claim.id, principal: nil, result: true)
      else { Issue.record("not gone; purged: \(isPurged)"); return }
      #expect(tombstone == JobTombstone(reason: .expired, principal: nil, since: expiry))
      #expect(try await store.versions(of: [claim.id, waiting]) == [waiting: 1])
    }
    workers.clock.advance(by: .seconds(600))
    #expect(try await store.purge(limit: 10) == 1)
    guard case .unknown = try await store.read(claim.id, principal: nil, result: true) else {
      Issue.record("the tombstone still stands"); return
    }
    // A job that has not ended does not expire.
    #expect(try await workers.first.job(waiting)?.state == .queued)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aKeyLivesAsLongAsItsTombstone(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let store = workers.first.store
    let job = try await workers.first.submit(key: "k", claiming: true).created
    let claim = JobClaim(id: job.id, attempt: 1, owner: workers.first.owner)
    _ = try await store.finish(claim, .succeeded([1], contentType: nil))
    _ = try await store.acknowledge(job.id, principal: nil)
    guard case .existingGone(job.id, _) = try await workers.first.submit(key: "k") else {
      Issue.record("the work was done a second time"); return
    }
    workers.clock.advance(by: .seconds(601))
    _ = try await store.purge(limit: 10)
    #expect(try await workers.first.submit(key: "k").created.id != job.id)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func purgingStopsAtItsLimit(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    for _ in 0..<5 {
      let claim = try await workers.first.run()
      _ = try await workers.first.store.finish(claim, .cancelled)
    }
    workers.clock.advance(by: .seconds(3_600))
    #expect(try await workers.first.store.purge(limit: 3) == 3)
    #expect(try await workers.first.store.purge(limit: 3) == 2)
    #expect(try await workers.first.store.purge(limit: 3) == 0)
  }

  @Test func oldTombstonesMakeRoom() async throws {
    var limits = MemoryStore.Limits()
    limits.tombstones = 2
    let worker = TwoWorkers.Worker(MemoryStore(limits: limits))
    try await worker.attach { _ in }
    var ids: [JobID] = []
    for _ in 0..<3 {
      let claim = try await worker.run()
      _ = try await worker.store.finish(claim, .cancelled)
      _ = try await worker.store.acknowledge(claim.id, principal: nil)
      ids.append(claim.id)
    }
    guard case .unknown = try await worker.store.read(ids[0], principal: nil, result: false),
      case .gone = try await worker.store.read(ids[1], principal: nil, result: false)
    else { Issue.record("the wrong tombstone went"); return }
  }

  @Test(arguments: StoreUnderTest.allCases)
  func othersAreWokenAfterEachChange(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let id = try await workers.first.submit().created.id
    let claim = try #require(try await workers.first.claim().first).claim
    _ = try await workers.first.store.finish(claim, .failed(JobFailure(title: "no")))
    #expect(
      workers.second.wakes == [
        .claimable(task: "t"), .changed(id, version: 2), .changed(id, version: 3),
      ])
    #expect(workers.first.wakes.isEmpty)
    await workers.second.store.detach()
    _ = try await workers.first.submit()
    #expect(workers.second.wakes.count == 3)
  }

  @Test func cancelledJobsDoNotPileUpInTheirQueue() async throws {
    // 2,000 ids of 16 bytes would show in `order`; that it stays short is not visible from outside.
    var jobs = MemoryJobs(limits: .init())
    for _ in 0..<2_000 {
      let id = JobID()
      _ = try jobs.submit(JobSubmission(id: id, task: "t", input: []), .now())
      _ = jobs.cancel(id, principal: nil, timeToLive: .seconds(1), .now())
    }
    #expect(jobs.queues["t"]!.order.count <= 64)
    #expect(jobs.queues["t"]!.count == 0 && jobs.queuedInAll == 0)
  }
}
