import Testing

@testable import EddyJobs

/// Every transition compares owner and attempt.
@Suite struct StoreFenceTests {
  @Test(arguments: StoreUnderTest.allCases)
  func anAttemptEndsOnce(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let claim = try await workers.first.run()
    let store = workers.first.store
    let job = try await store.finish(claim, .succeeded([9], contentType: "x/y")).applied
    #expect(job.state == .succeeded && job.version == 2 && job.owner == nil)
    #expect(job.result == ResultDescription(contentType: "x/y", count: 1))

    #expect(try await store.finish(claim, .succeeded([8], contentType: nil)).isRefused)
    #expect(try await store.finish(claim, .failed(JobFailure(title: "late"))).isRefused)
    #expect(try await store.finish(claim, .cancelled).isRefused)
    #expect(try await store.release(claim).isRefused)
    guard
      case .found(let after, let result?) = try await store.read(
        claim.id, principal: nil, result: true)
    else { throw Unexpected(value: claim.id.hex) }
    #expect(after.version == 2)
    #expect(try await result.load() == [9])
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theLateFinishOfALostWorkerIsRefused(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let old = try await workers.first.run()
    #expect(try await workers.second.store.reclaim(.worker(workers.first.owner)) == 1)
    #expect(try await workers.second.job(old.id)?.state == .retrying)

    // Neither before the next attempt begins, nor while it runs, nor after it.
    #expect(try await workers.first.store.finish(old, .succeeded([1], contentType: nil)).isRefused)
    let new = try #require(try await workers.second.claim().first)
    #expect(new.claim == JobClaim(id: old.id, attempt: 2, owner: workers.second.owner))
    #expect(new.inputContentType == "a/b")
    #expect(try await new.input.load() == [1, 2, 3])
    #expect(try await workers.first.store.finish(old, .succeeded([1], contentType: nil)).isRefused)
    #expect(try await workers.first.store.release(old).isRefused)
    _ = try await workers.second.store.finish(new.claim, .succeeded([2], contentType: nil)).applied
    #expect(try await workers.first.store.finish(old, .succeeded([1], contentType: nil)).isRefused)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func theSameWorkersFormerAttemptIsRefused(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let old = try await workers.first.run()
    _ = try await workers.first.store.release(old).applied
    let new = try #require(try await workers.first.claim().first).claim
    #expect(new.attempt == 2 && new.owner == old.owner)
    #expect(try await workers.first.store.finish(old, .cancelled).isRefused)
    _ = try await workers.first.store.finish(new, .cancelled).applied
  }

  @Test(arguments: StoreUnderTest.allCases)
  func anotherOwnerIsRefused(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    var claim = try await workers.first.run()
    claim.owner = workers.second.owner
    #expect(try await workers.second.store.finish(claim, .cancelled).isRefused)
    #expect(try await workers.second.store.release(claim).isRefused)
    claim.owner = workers.first.owner
    claim.id = JobID()
    #expect(try await workers.first.store.finish(claim, .cancelled).isRefused)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aJobThatCrashesItsWorkerTooOftenIsDead(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let id = try await workers.first.submit().created.id
    for crash in 1...3 {
      let claimed = try #require(try await workers.first.claim().first)
      #expect(claimed.claim.attempt == crash)
      #expect(try await workers.second.store.reclaim(.worker(workers.first.owner)) == 1)
      let job = try #require(try await workers.second.job(id))
      #expect(job.crashes == crash)
      #expect(job.state == (crash == 3 ? .dead : .retrying))
    }
    #expect(try await workers.first.claim().isEmpty)
    let job = try #require(try await workers.first.job(id))
    #expect(job.failure?.kind == .crashed && job.expires != nil)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func givingBackIsNoCrash(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let id = try await workers.first.submit().created.id
    for attempt in 1...5 {
      let claim = try #require(try await workers.first.claim().first).claim
      #expect(claim.attempt == attempt)
      #expect(try await workers.first.store.release(claim).applied.state == .queued)
    }
    #expect(try await workers.first.job(id)?.crashes == 0)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aWorkerThatDetachedLosesWhatItHad(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    let claim = try await workers.first.run()
    #expect(try await workers.second.store.reclaim(.expiredLeases) == 0)
    await workers.first.store.detach()
    #expect(try await workers.second.store.reclaim(.expiredLeases) == 1)
    #expect(try await workers.second.claim().first?.claim.id == claim.id)
    #expect(try await workers.second.store.reclaim(.expiredLeases) == 0)
  }

  @Test(arguments: StoreUnderTest.allCases)
  func aJobIsClaimedOnce(_ kind: StoreUnderTest) async throws {
    let workers = try await kind.workers()
    for _ in 0..<200 { _ = try await workers.first.submit() }
    let claims = try await withThrowingTaskGroup { group in
      for worker in [workers.first, workers.second, workers.first, workers.second] {
        group.addTask {
          var claims: [JobClaim] = []
          while true {
            let some = try await worker.claim("t", 7)
            if some.isEmpty { return claims }
            claims += some.map(\.claim)
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(claims.count == 200)
    #expect(Set(claims.map(\.id)).count == 200)
  }
}
