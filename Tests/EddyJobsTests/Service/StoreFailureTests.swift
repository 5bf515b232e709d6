import Synchronization
import Testing

@testable import EddyJobs

/// A store that is down: no promise that is not durable, nothing lost.
@Suite struct StoreFailureTests {
  private static let down = StoreError(.unavailable, "scripted", retryAfter: .seconds(7))

  @Test func everyCallAnswers503AndRecovers() throws {
    let store = ScriptedStore(MemoryStore())
    let server = try JobServer(store: store)
    let location = try server.submit("sha256", "x")
    _ = try server.request("GET", location)
    store.change { $0.before = { _ throws(StoreError) in throw Self.down } }
    for (method, target) in [
      ("POST", "/tasks/sha256"), ("GET", location), ("GET", location + "/result"),
      ("DELETE", location), ("DELETE", location + "/result"),
    ] {
      let response = try server.request(method, target, body: method == "POST" ? "y" : nil)
      #expect(response.isProblem(503, type: "store-unavailable"), "\(method) \(target)")
      #expect(response["retry-after"] == "7" && response["location"] == nil)
      #expect(!response.text.contains("scripted"))
    }
    #expect(server.statistics.storeErrors >= 5 && server.statistics.submitted == 1)
    store.change { $0.before = nil }
    #expect(try server.request("GET", location + "/result").status == 200)
    // The slot of the submission that failed is free again.
    #expect(
      try server.request("POST", "/tasks/sha256", headers: ["Prefer": "wait=9"], body: "y").status
        == 200)
  }

  @Test func aResultIsKeptUntilTheStoreTakesIt() throws {
    let store = ScriptedStore(MemoryStore())
    let runs = Counter()
    let server = try JobServer(
      store: store,
      tasks: { _ in
        [.function("once") { _ in TaskOutput(text: "run \(runs.next())") }]
      })
    store.change {
      $0.before = { call throws(StoreError) in if case .finish = call { throw Self.down } }
    }
    let location = try server.submit("once", "x")
    let client = try server.client()
    try client.send("GET", location + "/result?wait=30")
    #expect(server.eventually { $0.storeErrors >= 2 })
    #expect(server.statistics.running == 1)
    store.change { $0.before = nil }
    #expect(try client.receive().text == "run 1")
    #expect(server.statistics.succeeded == 1 && server.statistics.started == 1)
  }

  @Test func parkedPollsWaitThroughAnOutage() async throws {
    let base = MemoryStore()
    let store = ScriptedStore(base)
    let other = TwoWorkers.Worker(MemoryStore(sharing: base))
    try await other.attach { _ in }
    let claim = try await other.run()
    let server = try JobServer(store: store, configure: { $0.sweepInterval = .milliseconds(50) })
    let client = try server.client()
    try client.send("GET", "/jobs/\(claim.id.hex)/result?wait=30")
    #expect(server.eventually { $0.waiting == 1 })
    store.change { $0.before = { _ throws(StoreError) in throw Self.down } }
    _ = try await other.store.finish(claim, .succeeded([0x78], contentType: nil))
    #expect(server.eventually { $0.storeErrors >= 2 })
    #expect(client.isSilent(milliseconds: 50) && server.statistics.waiting == 1)
    store.change { $0.before = nil }
    #expect(try client.receive().text == "x")
  }

  @Test func aPollWhoseWaitEndsInAnOutageGets503() async throws {
    let store = ScriptedStore(MemoryStore())
    let gate = Gate()
    let server = try JobServer(store: store, tasks: { _ in [gate.task()] })
    let location = try server.submit("gate", "x")
    let client = try server.client()
    try client.send("GET", location + "?wait=0.5")
    #expect(server.eventually { $0.waiting == 1 })
    store.change { $0.before = { _ throws(StoreError) in throw Self.down } }
    #expect(try client.receive().isProblem(503))
    store.change { $0.before = nil }
    gate.open()
  }

  @Test func aWorkerThatLostItsLeaseCannotRecord() async throws {
    let base = MemoryStore()
    let store = ScriptedStore(base)
    let other = TwoWorkers.Worker(MemoryStore(sharing: base))
    try await other.attach { _ in }
    let gate = Gate()
    let server = try JobServer(
      store: store, tasks: { _ in [gate.task()] }, configure: { $0.sweepInterval = .seconds(60) })
    store.change { $0.losesWakes = true }
    let location = try server.submit("gate", "x")
    let id = try #require(JobID(hex: location.dropFirst(6)))
    let owner = try #require(try await other.job(id)?.owner)
    // Somebody else declares it dead and runs its job.
    #expect(try await other.store.reclaim(.worker(owner)) == 1)
    let claim = try #require(try await other.claim("gate").first).claim
    gate.open()
    #expect(server.eventually { $0.fenced == 1 && $0.running == 0 })
    #expect(try await other.job(id)?.state == .running)
    _ = try await other.store.finish(claim, .succeeded([0x79], contentType: nil)).applied
    #expect(try server.request("GET", location + "/result").text == "y")
    #expect(server.statistics.succeeded == 0)
  }

  @Test func aWorkerThatLearnsThatItLostAJobStopsIt() async throws {
    let base = MemoryStore()
    let other = TwoWorkers.Worker(MemoryStore(sharing: base))
    try await other.attach { _ in }
    let server = try JobServer(store: base, configure: { $0.sweepInterval = .seconds(60) })
    let location = try server.submit("sleep", "60")
    let id = try #require(JobID(hex: location.dropFirst(6)))
    let owner = try #require(try await other.job(id)?.owner)
    // Draining, it claims nothing again.
    server.beginDrain(within: .seconds(30))
    while try server.request("POST", "/tasks/sleep", body: "0").status != 503 {}
    #expect(try await other.store.reclaim(.worker(owner)) == 1)
    #expect(server.eventually { $0.running == 0 && $0.fenced == 1 })
    #expect(try await other.job(id)?.state == .retrying)
  }

  @Test func aCancellationByAnotherWorkerReachesTheOneThatRuns() async throws {
    for losesWakes in [false, true] {
      let base = MemoryStore()
      let store = ScriptedStore(base)
      let other = TwoWorkers.Worker(MemoryStore(sharing: base))
      try await other.attach { _ in }
      let server = try JobServer(
        store: store,
        configure: { $0.sweepInterval = losesWakes ? .milliseconds(50) : .seconds(60) })
      store.change { $0.losesWakes = losesWakes }
      let location = try server.submit("sleep", "60")
      let id = try #require(JobID(hex: location.dropFirst(6)))
      _ = try await other.store.cancel(id, principal: nil)
      #expect(server.eventually { $0.cancelled == 1 && $0.running == 0 })
      #expect(try await other.job(id)?.state == .cancelled)
      #expect(server.statistics.wakesMissed == (losesWakes ? 1 : 0))
    }
  }

  @Test func aJobOfAnotherWorkerIsClaimedAsSoonAsItIsThere() async throws {
    let base = MemoryStore()
    let other = TwoWorkers.Worker(MemoryStore(sharing: base))
    try await other.attach { _ in }
    let server = try JobServer(store: base, configure: { $0.sweepInterval = .seconds(60) })
    let id = try await other.submit(task: "sha256", input: [0x61]).created.id
    #expect(
      try server.request("GET", "/jobs/\(id.hex)/result?wait=10").text
        == Digest(of: [0x61]).hex)
  }

  @Test func aResultOutsideOfMemoryIsStreamed() throws {
    let store = ScriptedStore(MemoryStore(), .init(hasExternalResults: true))
    let server = try JobServer(
      store: store,
      tasks: { _ in [.function("echo") { TaskOutput($0.input, contentType: "text/plain") }] })
    let body = String((0..<200_000).map { Character(UnicodeScalar(UInt8(97 + $0 % 26))) })
    let location = try server.submit("echo", body)
    _ = try server.request("GET", location)
    let response = try server.request("GET", location + "/result")
    #expect(response.status == 200 && response["content-length"] == "200000")
    #expect(response.text == body)
  }
}

private final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}
