import Eddy
import Glibc
import Testing

@testable import EddyJobs

/// Register, read, park: whenever a job ends, whoever waits for it is told at once.
///
/// The job runs on another worker of the same store. The sweep is a minute away, so that only the
/// protocol itself can be what answers.
@Suite struct WaitRaceTests {
  /// A server, and another worker that holds a running job.
  private struct Setup {
    let store: ScriptedStore
    let server: JobServer
    let other: TwoWorkers.Worker
    let claim: JobClaim
    var path: String { "/jobs/\(claim.id.hex)" }

    init(sweepInterval: Duration = .seconds(60)) async throws {
      let base = MemoryStore()
      store = ScriptedStore(base)
      other = TwoWorkers.Worker(MemoryStore(sharing: base))
      try await other.attach { _ in }
      claim = try await other.run()
      server = try JobServer(store: store, configure: { $0.sweepInterval = sweepInterval })
    }

    func finish() async throws {
      _ = try await other.store.finish(claim, .succeeded([0x78], contentType: nil)).applied
    }

    /// A poll that has to be answered long before its wait is over.
    func poll(_ target: String, then body: () async throws -> Void = {}) async throws
      -> RawResponse
    {
      let clock = ContinuousClock()
      let start = clock.now
      let client = try server.client()
      try client.send("GET", target)
      try await body()
      let response = try client.receive()
      #expect(clock.now - start < .seconds(10))
      #expect(server.statistics.waiting == 0)
      #expect(server.statistics.wakesMissed == 0)
      return response
    }
  }

  @Test func anEndBetweenRegisteringAndReadingIsSeen() async throws {
    let setup = try await Setup()
    let (other, claim) = (setup.other, setup.claim)
    setup.store.change {
      $0.beforeRead = { number in
        if number == 1 {
          _ = try? await other.store.finish(claim, .succeeded([0x78], contentType: nil))
        }
      }
    }
    #expect(try await setup.poll(setup.path + "/result?wait=30").text == "x")
    #expect(setup.server.statistics.pollsAnswered == 0)
  }

  @Test func anEndBetweenReadingAndParkingIsSeenWhenItsWakeComesBefore() async throws {
    let setup = try await Setup()
    let (other, claim, loop) = (setup.other, setup.claim, setup.server.loop)
    setup.store.change {
      $0.afterRead = { number in
        guard number == 1 else { return }
        _ = try? await other.store.finish(claim, .succeeded([0x78], contentType: nil))
        // The reading is on its way back while the wake is handled.
        try? await loop.sleep(for: .milliseconds(50))
      }
    }
    #expect(try await setup.poll(setup.path + "/result?wait=30").text == "x")
    // It was read a second time instead of being parked.
    #expect(setup.server.statistics.pollsAnswered == 0)
  }

  @Test func anEndBetweenReadingAndParkingIsSeenWhenItsWakeComesAfter() async throws {
    let setup = try await Setup()
    let (other, claim) = (setup.other, setup.claim)
    setup.store.change {
      $0.afterRead = { number in
        guard number == 1 else { return }
        _ = try? await other.store.finish(claim, .succeeded([0x78], contentType: nil))
      }
    }
    #expect(try await setup.poll(setup.path + "/result?wait=30").text == "x")
  }

  @Test func anEndAfterParkingIsSeen() async throws {
    let setup = try await Setup()
    let response = try await setup.poll(setup.path + "?wait=30") {
      #expect(setup.server.eventually { $0.waiting == 1 })
      try await setup.finish()
    }
    #expect(response.string("state") == "succeeded")
    #expect(setup.server.statistics.pollsAnswered == 1)
  }

  @Test func anEndDuringTheReadingOfAFormerWakeIsSeen() async throws {
    let setup = try await Setup()
    let (other, claim, loop) = (setup.other, setup.claim, setup.server.loop)
    setup.store.change {
      $0.afterRead = { number in
        // Read 2 is the one that the cancellation's wake causes; it says "running".
        guard number == 2 else { return }
        _ = try? await other.store.finish(claim, .succeeded([0x78], contentType: nil))
        try? await loop.sleep(for: .milliseconds(50))
      }
    }
    let response = try await setup.poll(setup.path + "/result?wait=30") {
      #expect(setup.server.eventually { $0.waiting == 1 })
      _ = try await other.store.cancel(claim.id, principal: nil)
    }
    #expect(response.text == "x")
    // The slow reading comes back to find everybody gone.
    try await Task.sleep(for: .milliseconds(100))
    #expect(setup.server.statistics.pollsAnswered == 1)
  }

  @Test func aLostWakeIsFoundBySweepAndCounted() async throws {
    let setup = try await Setup(sweepInterval: .milliseconds(50))
    setup.store.change { $0.losesWakes = true }
    let client = try setup.server.client()
    try client.send("GET", setup.path + "/result?wait=30")
    #expect(setup.server.eventually { $0.waiting == 1 })
    #expect(setup.server.statistics.wakesMissed == 0)
    try await setup.finish()
    #expect(try client.receive().text == "x")
    #expect(setup.server.statistics.wakesMissed == 1)
  }

  @Test func whatConcernsNoPollerOfAResultIsNoMissedWake() throws {
    let gates = [Gate(), Gate()]
    let server = try JobServer(
      tasks: { _ in
        [
          .async("t", concurrency: 1) { context in
            await gates[context.input == [0x31] ? 0 : 1].pass()
            return TaskOutput(context.input)
          }
        ]
      }, configure: { $0.sweepInterval = .milliseconds(20) })
    _ = try server.submit("t", "1")
    let second = try server.submit("t", "2")
    let client = try server.client()
    try client.send("GET", second + "/result?wait=30")
    #expect(server.eventually { $0.waiting == 1 })
    // The claim of the second is told to the poll, which waits on through some sweeps.
    gates[0].open()
    #expect(server.eventually { $0.started == 2 })
    usleep(200_000)
    gates[1].open()
    #expect(try client.receive().text == "2")
    #expect(server.statistics.wakesMissed == 0)
  }

  @Test func aPollOfAJobThatIsAcknowledgedElsewhereIsToldThatItIsGone() async throws {
    let setup = try await Setup(sweepInterval: .milliseconds(50))
    setup.store.change { $0.losesWakes = true }
    let client = try setup.server.client()
    try client.send("GET", setup.path + "?wait=30")
    #expect(setup.server.eventually { $0.waiting == 1 })
    try await setup.finish()
    _ = try await setup.other.store.acknowledge(setup.claim.id, principal: nil)
    #expect(try client.receive().isProblem(410))
  }

  @Test func aSlowStoreHoldsNobodyElseUp() async throws {
    let setup = try await Setup()
    let gate = Gate()
    setup.store.change { $0.beforeRead = { if $0 == 1 { await gate.pass() } } }
    let slow = try setup.server.client()
    try slow.send("GET", setup.path + "?wait=0")
    while gate.entered == 0 { try await Task.sleep(for: .milliseconds(5)) }
    #expect(try setup.server.request("GET", setup.path + "?wait=0").string("state") == "running")
    gate.open()
    #expect(try slow.receive().string("state") == "running")
  }

  @Test func aClientThatGoesDuringTheReadingLeavesNoWaiter() async throws {
    let setup = try await Setup()
    let gate = Gate()
    setup.store.change { $0.afterRead = { if $0 == 1 { await gate.pass() } } }
    let client = try setup.server.client()
    try client.send("GET", setup.path + "?wait=30")
    while gate.entered == 0 { try await Task.sleep(for: .milliseconds(5)) }
    #expect(setup.server.statistics.waiting == 1)
    client.reset()
    try await Task.sleep(for: .milliseconds(100))
    gate.open()
    #expect(setup.server.eventually { $0.waiting == 0 && $0.pollsAbandoned == 1 })
  }
}
