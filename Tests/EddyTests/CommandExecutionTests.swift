import Eddy
import Glibc
import Synchronization
import Testing

/// Each test runs real programs, and checks that none of them is left.
@Suite(.timeLimit(.minutes(1))) struct CommandExecutionTests {
  private struct Run {
    let result: CommandResult
    let group: Int32
    let took: Duration
    var text: String { String(decoding: result.output, as: UTF8.self) }
    var errorText: String { String(decoding: result.errorTail, as: UTF8.self) }
  }

  /// What is far longer than any of the limits below, and yet ends a test that would hang.
  private static let patience = Duration.seconds(20)

  private static func shell(
    _ script: String, input: [UInt8] = [], outputLimit: Int = 1 << 20,
    timeLimit: Duration? = patience, graceTime: Duration = .seconds(5)
  ) -> Command {
    Command(
      file: "/bin/sh", arguments: ["-c", script], standardInput: input, outputLimit: outputLimit,
      timeLimit: timeLimit, graceTime: graceTime)
  }

  /// Runs a command on a loop of its own. `whileRunning` is called with the group once it runs.
  private func run(
    _ command: Command,
    whileRunning: @escaping @Sendable (CommandExecution, Int32) -> Void = { _, _ in }
  ) async throws -> Run {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let loop = thread.loop
    let group = Mutex<Int32>(0)
    let (result, took) = try await withCheckedThrowingContinuation {
      (continuation: CheckedContinuation<(CommandResult, Duration), any Error>) in
      loop.execute {
        let start = ContinuousClock.now
        do {
          let execution = try CommandExecution(command, loop: loop) {
            continuation.resume(returning: ($0, ContinuousClock.now - start))
          }
          group.withLock { $0 = execution.processID }
          whileRunning(execution, execution.processID)
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
    let leader = group.withLock { $0 }
    #expect(leader > 0)
    #expect(
      ProcessTable.isEmpty(group: leader), "\(ProcessTable.running(inGroup: leader)) are left.")
    return Run(result: result, group: leader, took: took)
  }

  @Test func outputErrorAndStatusComeBack() async throws {
    let run = try await run(Self.shell("echo out; echo err >&2; exit 3"))
    #expect(run.result.ending == .exited(status: 3))
    #expect(run.text == "out\n")
    #expect(run.errorText == "err\n")
  }

  @Test func argumentsEnvironmentAndDirectoryArePassedAsTheyAre() async throws {
    let command = Command(
      file: "sh", arguments: ["-c", "pwd; printf '%s|' \"$WORD\" \"$@\"", "sh", "a b", "", "*"],
      environment: ["WORD": "x=y z", "PATH": "/usr/bin:/bin"], directory: "/usr",
      outputLimit: 1000, timeLimit: Self.patience)
    let run = try await run(command)
    #expect(run.text == "/usr\nx=y z|a b||*|")
  }

  @Test func tenMegabytesGoInAndComeOut() async throws {
    let input = (0..<10_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    let command = Command(
      file: "cat", standardInput: input, outputLimit: 10_000_000, timeLimit: Self.patience)
    let run = try await run(command)
    #expect(run.result.ending == .exited(status: 0))
    #expect(run.result.output == input)
  }

  @Test func anEmptyInputIsAnEnd() async throws {
    let run = try await run(Self.shell("cat; echo end"))
    #expect(run.text == "end\n")
  }

  @Test func aCommandThatReadsPartOfItsInputIsNoFailure() async throws {
    let input = [UInt8](repeating: UInt8(ascii: "a"), count: 10_000_000)
    let command = Command(
      file: "head", arguments: ["-c", "10"], standardInput: input, outputLimit: 100,
      timeLimit: Self.patience)
    let run = try await run(command)
    #expect(run.result.ending == .exited(status: 0))
    #expect(run.text == "aaaaaaaaaa")
  }

  @Test func aCommandThatNeverReadsItsInputEndsAtItsTimeLimit() async throws {
    let input = [UInt8](repeating: 0, count: 10_000_000)
    let run = try await run(
      Self.shell("exec sleep 60", input: input, timeLimit: .milliseconds(300)))
    #expect(run.result.ending == .timedOut)
    #expect(run.took >= .milliseconds(300) && run.took < .seconds(4))
  }

  @Test func aCommandThatIgnoresTERMIsKilledAfterTheGraceTime() async throws {
    let run = try await run(
      Self.shell(
        "trap '' TERM; echo ready; while :; do sleep 1; done", timeLimit: .seconds(1),
        graceTime: .milliseconds(200)))
    #expect(run.result.ending == .timedOut)
    #expect(run.text == "ready\n")
    #expect(run.took >= .milliseconds(1200) && run.took < .seconds(4))
  }

  @Test func aCommandThatEndsInItsGraceTimeCanTidyUp() async throws {
    let run = try await run(
      Self.shell(
        "trap 'echo tidy; exit 0' TERM; while :; do sleep 0.05; done",
        timeLimit: .seconds(1), graceTime: .seconds(10)))
    #expect(run.result.ending == .timedOut)
    #expect(run.text == "tidy\n")
    #expect(run.took < .seconds(5))
  }

  @Test func withoutGraceTimeItIsKilledAtOnce() async throws {
    let run = try await run(
      Self.shell(
        "trap '' TERM; while :; do sleep 1; done", timeLimit: .milliseconds(300), graceTime: .zero))
    #expect(run.result.ending == .timedOut)
    #expect(run.took < .seconds(4))
  }

  @Test func aGigabyteOfOutputEndsAtTheOutputLimit() async throws {
    let run = try await run(
      Self.shell("head -c 1000000000 /dev/zero; sleep 60", outputLimit: 100_000))
    #expect(run.result.ending == .outputTooLong)
    #expect(run.result.output == [UInt8](repeating: 0, count: 100_000))
    #expect(run.took < .seconds(4))
  }

  @Test func outputOfJustTheLimitIsWhole() async throws {
    let run = try await run(Self.shell("head -c 100000 /dev/zero", outputLimit: 100_000))
    #expect(run.result.ending == .exited(status: 0))
    #expect(run.result.output.count == 100_000)
  }

  @Test func aByteOverTheLimitWrittenJustBeforeTheEndIsSeen() async throws {
    let run = try await run(Self.shell("printf 12345", outputLimit: 4))
    #expect(run.result.ending == .outputTooLong)
    #expect(run.text == "1234")
  }

  @Test func aGigabyteOfErrorsKeepsItsEnd() async throws {
    let run = try await run(
      Self.shell("head -c 1000000000 /dev/zero >&2; printf end >&2"))
    #expect(run.result.ending == .exited(status: 0))
    #expect(run.result.errorTail.count == Command.defaultErrorTailLimit)
    #expect(run.result.errorTail.suffix(4) == [0] + Array("end".utf8))
  }

  @Test func aCommandThatClosesItsOutputAndSleepsEndsAtItsTimeLimit() async throws {
    let run = try await run(
      Self.shell("exec >&- 2>&-; exec sleep 60", timeLimit: .milliseconds(300)))
    #expect(run.result.ending == .timedOut)
    #expect(run.took >= .milliseconds(300) && run.took < .seconds(4))
  }

  @Test func aProcessLeftBehindWithTheOutputOpenGoesWithItsLeader() async throws {
    let run = try await run(Self.shell("sleep 60 & sleep 60 & echo done"))
    #expect(run.result.ending == .exited(status: 0))
    #expect(run.text == "done\n")
    #expect(run.took < .seconds(4))
  }

  @Test func aProcessThatHasLeftTheGroupDoesNotDelayTheEnd() async throws {
    let run = try await run(
      Self.shell("setsid sh -c 'echo $$; exec sleep 60' & sleep 1; echo done"))
    #expect(run.result.ending == .exited(status: 0))
    #expect(run.took < .seconds(4))
    let lines = run.text.split(separator: "\n")
    try #require(lines.count == 2 && lines[1] == "done")
    let survivor = try #require(Int32(lines[0]))
    #expect(kill(survivor, SIGKILL) == 0)
  }

  @Test func killingTheGroupFromOutsideIsASignal() async throws {
    let run = try await run(Self.shell("sleep 60 & sleep 60")) { _, group in
      #expect(kill(-group, SIGKILL) == 0)
    }
    #expect(run.result.ending == .signalled(SIGKILL))
    #expect(run.took < .seconds(4))
  }

  @Test func aCommandThatKillsItsOwnGroupIsASignal() async throws {
    let run = try await run(Self.shell("sleep 60 & kill -KILL -$$"))
    #expect(run.result.ending == .signalled(SIGKILL))
  }

  @Test func cancelEndsTheCommandAndASecondOneDoesNothing() async throws {
    let run = try await run(Self.shell("sleep 60 & wait")) { execution, _ in
      execution.cancel()
      execution.cancel()
    }
    #expect(run.result.ending == .cancelled)
    #expect(run.took < .seconds(4))
  }

  @Test func cancellingTheTaskEndsTheCommand() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let task = Task {
      try await CommandExecution.run(Self.shell("echo; exec sleep 60"), on: thread.loop)
    }
    try await thread.loop.sleep(for: .milliseconds(100))
    task.cancel()
    // By its time limit it would end otherwise.
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func aProgramThatIsNotThereIsAnError() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let notFound = await #expect(throws: EddyError.self) {
      try await CommandExecution.run(
        Command(file: "no-such-program", outputLimit: 1, timeLimit: nil), on: thread.loop)
    }
    #expect(notFound?.name == "EDDY_ENOENT")
    let notExecutable = await #expect(throws: EddyError.self) {
      try await CommandExecution.run(
        Command(file: "/etc/passwd", outputLimit: 1, timeLimit: nil), on: thread.loop)
    }
    #expect(notExecutable?.name == "EDDY_EACCES")
    let zeroByte = await #expect(throws: EddyError.self) {
      try await CommandExecution.run(
        Command(file: "echo", arguments: ["a\0b"], outputLimit: 1, timeLimit: nil),
        on: thread.loop)
    }
    #expect(zeroByte?.name == "EDDY_EINVAL")
  }

  @Test func aHundredCommandsLeaveNoDescriptorBehind() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let before = ProcessTable.openDescriptors
    for number in 0..<100 {
      let command = Self.shell("cat", input: Array("\(number)".utf8))
      let result = try await CommandExecution.run(command, on: thread.loop)
      #expect(
        result
          == CommandResult(
            ending: .exited(status: 0), output: Array("\(number)".utf8), errorTail: []))
      _ = try? await CommandExecution.run(
        Command(file: "no-such-program", outputLimit: 1, timeLimit: nil), on: thread.loop)
    }
    // Other tests run beside this one and have a few open; a leak would be hundreds.
    #expect(ProcessTable.openDescriptors - before < 90)
  }
}
