import Dispatch
import Eddy
import Glibc
import Testing

@testable import EddyJobs

@Suite struct DrainTests {
  @Test func drainingAnswersPollsRefusesWorkAndLetsWorkEnd() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let location = try server.submit("gate", "x")
    let state = try server.client()
    try state.send("GET", location + "?wait=30")
    let result = try server.client()
    try result.send("GET", location + "/result?wait=30")
    let tagged = try server.client()
    try tagged.send("GET", location + "?wait=30", headers: ["If-None-Match": "\"1\""])
    #expect(server.eventually { $0.waiting == 3 })

    server.beginDrain(within: .seconds(30))
    #expect(try state.receive().string("state") == "running")
    #expect(try result.receive().status == 202)
    #expect(try tagged.receive().status == 304)
    let refused = try server.request("POST", "/tasks/gate", body: "y")
    #expect(refused.isProblem(503, type: "draining") && refused["retry-after"] == "1")
    // A new poll is answered, but not held.
    #expect(try server.request("GET", location + "?wait=30").string("state") == "running")
    gate.open()
    #expect(server.eventually { $0.succeeded == 1 && $0.running == 0 })
    #expect(try server.request("GET", location + "/result").text == "x")
  }

  @Test func whatDoesNotEndInTimeIsGivenBack() async throws {
    let base = MemoryStore()
    let other = TwoWorkers.Worker(MemoryStore(sharing: base))
    try await other.attach { _ in }
    let server = try JobServer(
      store: base,
      tasks: {
        [
          BuiltinTasks.sleep(on: $0),
          .command(
            "command", CommandDefinition(arguments: ["sleep", "61"], graceTime: .milliseconds(100))),
          .function("function") { context in
            while !context.isCancelled { usleep(1_000) }
            return TaskOutput(text: "late")
          },
        ]
      })
    let paths = try [
      server.submit("sleep", "60"), server.submit("command", ""), server.submit("function", ""),
    ]
    let clock = ContinuousClock()
    let start = clock.now
    server.drain(within: .milliseconds(100))
    #expect(clock.now - start < .seconds(10))
    #expect(server.statistics.released == 3)
    for path in paths {
      let id = try #require(JobID(hex: path.dropFirst(6)))
      let job = try #require(try await other.job(id))
      #expect(job.state == .queued && job.owner == nil && job.attempt == 1 && job.crashes == 0)
    }
    #expect(server.eventually { $0.running == 0 })
  }

  @Test func aFunctionThatHasPassedItsTimeLimitIsNotWaitedFor() throws {
    let release = CancellationFlag()
    let server = try JobServer(tasks: { _ in
      [
        TaskDefinition.function("stubborn") { context in
          while !release.isRaised { usleep(1_000) }
          return TaskOutput(context.input)
        }.with { $0.timeLimit = .milliseconds(100) }
      ]
    })
    let location = try server.submit("stubborn", "")
    #expect(try server.request("GET", location + "/result").isProblem(500, type: "task-timed-out"))
    let clock = ContinuousClock()
    let start = clock.now
    server.drain(within: .seconds(30))
    #expect(clock.now - start < .seconds(10))
    release.raise()
    #expect(server.eventually { $0.running == 0 })
  }

  @Test func aSecondDrainShortensTheFirstAndReturnsWithIt() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    _ = try server.submit("gate", "x")
    server.beginDrain(within: .seconds(60))
    while try server.request("POST", "/tasks/gate", body: "0").status != 503 {}
    let clock = ContinuousClock()
    let start = clock.now
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(300)) { gate.open() }
    server.drain(within: .milliseconds(50))
    #expect(clock.now - start < .seconds(10))
    #expect(server.statistics.released == 1)
  }

  @Test func drainingWhatIsIdleIsImmediateAndMayBeRepeated() throws {
    let server = try JobServer()
    let clock = ContinuousClock()
    let start = clock.now
    server.drain(within: .seconds(30))
    server.drain(within: .seconds(30))
    #expect(clock.now - start < .seconds(5))
  }
}
