import EddyCore
import Glibc
import Synchronization
import Testing

@testable import EddyJobs

/// What tasks do, and what becomes of it.
@Suite struct TaskTests {
  private func result(_ task: TaskDefinition, _ body: String = "x") throws -> RawResponse {
    let server = try JobServer(tasks: { _ in [task] })
    let response = try server.request(
      "POST", "/tasks/\(task.name)", headers: ["Prefer": "wait=15", "Content-Type": "a/b"],
      body: body)
    // Who comes later is told the same.
    let later = try server.request("GET", try #require(response["content-location"]))
    #expect(later.status == response.status && later.body == response.body)
    return response
  }

  @Test func aTaskIsToldWhatItsClientSent() throws {
    let response = try result(
      .function("t") {
        TaskOutput(
          text: "\($0.attempt) \($0.contentType ?? "-") \($0.input.count) \($0.jobID.count)")
      })
    #expect(response.text == "1 a/b 1 9")
  }

  @Test func aFailureIsAProblemThatSaysWhy() throws {
    let response = try result(
      .async("t") { _ in throw TaskFailure("The page is blank", detail: "Page 3 has no text.") })
    #expect(response.isProblem(500, type: "task-failed"))
    #expect(response.string("title") == "The page is blank")
    #expect(response.string("detail") == "Page 3 has no text.")
    #expect(response.string("task") == "t")
  }

  @Test func anErrorThatWasNotWrittenForClientsIsNotShown() throws {
    struct Secret: Error { let password = "hunter2" }
    let response = try result(.function("t") { _ in throw Secret() })
    #expect(response.isProblem(500, type: "task-failed") && !response.text.contains("hunter2"))
  }

  @Test func aResultThatIsTooLongFailsItsJob() throws {
    for task: TaskDefinition in [
      .function("t") { _ in TaskOutput([UInt8](repeating: 0, count: 101)) },
      .async("t") { _ in TaskOutput([UInt8](repeating: 0, count: 101)) },
      .command("t", CommandDefinition(arguments: ["head", "-c", "101", "/dev/zero"])),
    ] {
      let response = try result(task.with { $0.outputLimit = 100 })
      #expect(response.isProblem(500, type: "task-output-too-long"))
      #expect(response.string("detail")?.contains("100 bytes") == true)
    }
  }

  @Test func anAttemptThatTakesTooLongFails() throws {
    for task: TaskDefinition in [
      .function("t") { context in
        while !context.isCancelled { usleep(1_000) }
        return TaskOutput(text: "late")
      },
      .async("t") { _ in
        try await Task.sleep(for: .seconds(60))
        return TaskOutput(text: "late")
      },
      .command("t", CommandDefinition(arguments: ["sleep", "60"])),
    ] {
      let response = try result(task.with { $0.timeLimit = .milliseconds(200) })
      #expect(response.isProblem(500, type: "task-timed-out"))
    }
  }

  @Test func whatComesAfterTheTimeLimitIsRefusedAndKeepsItsSlot() throws {
    let release = CancellationFlag()
    let task = TaskDefinition.function("stubborn", concurrency: 1) { _ in
      while !release.isRaised { usleep(1_000) }
      return TaskOutput(text: "late")
    }.with { $0.timeLimit = .milliseconds(100) }
    let server = try JobServer(tasks: { _ in [task] })
    let first = try server.submit("stubborn", "x")
    #expect(try server.request("GET", first + "/result").isProblem(500, type: "task-timed-out"))
    // The thread is still busy, so the next job waits.
    let second = try server.submit("stubborn", "x")
    #expect(try server.request("GET", second + "?wait=0.2").string("state") == "queued")
    #expect(server.statistics.running == 1 && server.statistics.failed == 1)
    release.raise()
    #expect(try server.request("GET", second + "/result").text == "late")
    #expect(server.statistics.fenced == 1)
    #expect(try server.request("GET", first + "/result").isProblem(500, type: "task-timed-out"))
  }

  @Test func waitingForAThreadIsNotRunning() throws {
    // Four jobs of 500 ms on two threads: the later two end 1 s after they were claimed.
    let task = TaskDefinition.function("t", concurrency: 4) { context in
      usleep(500_000)
      return TaskOutput(context.input)
    }.with { $0.timeLimit = .milliseconds(900) }
    let server = try JobServer(tasks: { _ in [task] })
    let locations = try (0..<4).map { try server.submit("t", "\($0)") }
    for (index, location) in locations.enumerated() {
      #expect(try server.request("GET", location + "/result").text == "\(index)")
    }
    #expect(server.statistics.failed == 0 && server.statistics.fenced == 0)
  }

  @Test func aCommandReadsTheBodyAndItsOutputIsTheResult() throws {
    let sorted = TaskDefinition.command("sort", CommandDefinition(arguments: ["sort", "-r"]))
      .with { $0.contentType = "text/plain; charset=utf-8" }
    let response = try result(sorted, "a\nc\nb\n")
    #expect(response.status == 200 && response.text == "c\nb\na\n")
    #expect(response["content-type"] == "text/plain; charset=utf-8")
  }

  @Test func aCommandThatFailsShowsTheEndOfItsErrors() throws {
    let response = try result(
      .command(
        "t", CommandDefinition(arguments: ["sh", "-c", "echo 'no \"such\" page' >&2; exit 3"])))
    #expect(response.isProblem(500, type: "task-failed"))
    #expect(response.integer("exitStatus") == 3)
    #expect(response.string("errorOutput") == "no \"such\" page\n")
    let killed = try result(
      .command("t", CommandDefinition(arguments: ["sh", "-c", "kill -9 $$"])))
    #expect(killed.isProblem(500) && killed.integer("signal") == 9)
    let missing = try result(
      .command("t", CommandDefinition(arguments: ["/nonexistent/program"])))
    #expect(missing.isProblem(500))
  }

  @Test func aShortageIsNotTheCommandsFault() {
    for code in [EDDY_EMFILE, EDDY_ENFILE, EDDY_ENOMEM, EDDY_EAGAIN] {
      #expect(EddyError(code: Int32(code)).isShortage)
    }
    for code in [EDDY_ENOENT, EDDY_EACCES, EDDY_EINVAL] {
      #expect(!EddyError(code: Int32(code)).isShortage)
    }
  }

  @Test func aCancelledCommandIsEnded() throws {
    let server = try JobServer(tasks: { _ in
      [.command("t", CommandDefinition(arguments: ["sleep", "60"], graceTime: .milliseconds(200)))]
    })
    let location = try server.submit("t", "")
    #expect(server.eventually { $0.running == 1 })
    #expect(try server.request("DELETE", location).status == 202)
    #expect(try server.request("GET", location + "/result").isProblem(409, type: "job-cancelled"))
    #expect(server.eventually { $0.running == 0 })
  }

  @Test func aFunctionLearnsThatItIsCancelled() throws {
    let server = try JobServer(tasks: { _ in
      [
        .function("t") { context in
          while !context.isCancelled { usleep(1_000) }
          throw TaskFailure("stopped")
        }
      ]
    })
    let location = try server.submit("t", "")
    #expect(try server.request("DELETE", location).status == 202)
    #expect(try server.request("GET", location).string("state") == "cancelled")
  }

  @Test func aCancelledFunctionThatWaitsForAThreadDoesNotWaitForIt() throws {
    let release = CancellationFlag()
    let server = try JobServer(tasks: { _ in
      [
        .function("long") { context in
          while !release.isRaised { usleep(1_000) }
          return TaskOutput(context.input)
        }
      ]
    })
    // Two threads, which the first two take.
    let locations = try (0..<3).map { try server.submit("long", "\($0)") }
    #expect(server.eventually { $0.running == 3 })
    #expect(try server.request("DELETE", locations[2]).status == 202)
    #expect(
      try server.request("GET", locations[2] + "/result?wait=5").isProblem(
        409, type: "job-cancelled"))
    release.raise()
    for index in 0..<2 {
      #expect(try server.request("GET", locations[index] + "/result").text == "\(index)")
    }
    #expect(server.statistics.fenced == 0)
  }

  @Test func jobsThatEndAtOnceDoNotRunInsideOfEachOther() throws {
    let gate = Gate()
    let depths = Mutex<[UInt]>([])
    let server = try JobServer(tasks: { _ in
      [
        .async("t", concurrency: 1) { context in
          if context.input == Array("first".utf8) { await gate.pass() }
          let depth = stackPosition(context.input.count)
          depths.withLock { $0.append(depth) }
          return TaskOutput(context.input)
        }
      ]
    })
    _ = try server.submit("t", "first")
    let client = try server.client()
    let count = 500
    for _ in 0..<count {
      try client.send("POST", "/tasks/t", body: "x")
      #expect(try client.receive().status == 202)
    }
    gate.open()
    #expect(server.eventually { $0.succeeded == count + 1 })
    let (least, most) = depths.withLock { ($0.min()!, $0.max()!) }
    // One that begins inside of another's end takes 1.5 KB of stack.
    #expect(most - least < 64 * 1024)
  }

  @Test func onlySoManyRunAtOnce() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task("narrow", concurrency: 3)] })
    let locations = try (0..<10).map { try server.submit("narrow", "\($0)") }
    usleep(100_000)
    #expect(gate.entered == 3 && server.statistics.running == 3)
    gate.open()
    for (index, location) in locations.enumerated() {
      #expect(try server.request("GET", location + "/result").text == "\(index)")
    }
    #expect(server.statistics.started == 10)
  }

  @Test func aPoolWithoutRoomDelaysJobsAndLosesNone() throws {
    let server = try JobServer(
      poolQueue: 1,
      tasks: { _ in
        [
          .function("t", concurrency: 8) { context in
            usleep(2_000)
            return TaskOutput(context.input)
          }
        ]
      }, configure: { $0.sweepInterval = .milliseconds(20) })
    let locations = try (0..<40).map { try server.submit("t", "\($0)") }
    for (index, location) in locations.enumerated() {
      #expect(try server.request("GET", location + "/result").text == "\(index)")
    }
    #expect(server.statistics.succeeded == 40)
  }

  @Test func aPoolWithoutRoomIsNotAskedOverAndOver() throws {
    let release = CancellationFlag()
    let server = try JobServer(
      poolQueue: 1,
      tasks: { _ in
        [
          .function("long", concurrency: 2) { context in
            while !release.isRaised { usleep(1_000) }
            return TaskOutput(context.input)
          }, .function("short", concurrency: 8) { TaskOutput($0.input) },
        ]
      }, configure: { $0.sweepInterval = .seconds(60) })
    // Both threads are taken, and then the one place of the queue.
    let long = try (0..<2).map { try server.submit("long", "\($0)") }
    let short = try (0..<20).map { try server.submit("short", "\($0)") }
    usleep(200_000)
    #expect(server.statistics.started < 50)
    #expect(server.statistics.released > 0)
    release.raise()
    for locations in [long, short] {
      for (index, location) in locations.enumerated() {
        #expect(try server.request("GET", location + "/result").text == "\(index)")
      }
    }
  }

  @Test(arguments: ["", "a/b", "ä", "a b", "..", String(repeating: "a", count: 101)])
  func aNameThatCannotBePartOfAPathIsRefused(_ name: String) throws {
    let error = #expect(throws: JobsConfigurationError.self) {
      try JobServer(tasks: { _ in [.async(name) { TaskOutput($0.input) }] })
    }
    #expect(error?.description.contains("'\(name)'") == true)
  }

  @Test func definitionsThatCannotWorkAreRefused() throws {
    let good = TaskDefinition.async("t") { TaskOutput($0.input) }
    for tasks in [
      [good, good], [good.with { $0.concurrency = 0 }], [good.with { $0.timeLimit = .zero }],
      [good.with { $0.outputLimit = -1 }],
      [.command("c", CommandDefinition(arguments: []))],
    ] {
      #expect(throws: JobsConfigurationError.self) { try JobServer(tasks: { _ in tasks }) }
    }
    for change: @Sendable (inout JobsConfiguration) -> Void in [
      { $0.waitJitter = 0.6 }, { $0.defaultWait = .seconds(181) }, { $0.maximumCrashes = 0 },
      { $0.sweepInterval = .zero }, { $0.maximumQueued = -1 },
    ] {
      #expect(throws: JobsConfigurationError.self) { try JobServer(configure: change) }
    }
  }
}

/// Where the calling thread's stack ends now.
///
/// - Parameter size: bytes, not a constant: AddressSanitizer keeps what has a constant size elsewhere.
@inline(never)
private func stackPosition(_ size: Int) -> UInt {
  withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { UInt(bitPattern: $0.baseAddress) }
}
