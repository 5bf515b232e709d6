import Eddy
import EddyCore
import EddyHTTP

extension JobService {
  /// Claims jobs that wait, as many as there are free slots.
  func refill() {
    guard !isClaiming, canClaim else { return }
    isClaiming = true
    spawn {
      repeat {
        await self.claim(for: self.runners.values.filter(\.canClaim))
        // What came meanwhile has set `hasBacklog` again.
        guard !self.isStoreDown, self.canClaim else { break }
        // Jobs that end as soon as they begin must not keep the loop to themselves.
        await Task.yield()
      } while self.canClaim
      self.isClaiming = false
    }
  }

  private var canClaim: Bool { !isDraining && runners.values.contains(where: \.canClaim) }

  private func claim(for claimants: [TaskRunner]) async {
    var reserved: [(runner: TaskRunner, slots: Int)] = []
    for runner in claimants {
      reserved.append((runner, runner.free))
      runner.busy += runner.free
      runner.hasBacklog = false
    }
    var claimed: [ClaimedJob] = []
    do {
      claimed = try await store.claim(
        reserved.map { TaskSlots(task: $0.runner.definition.name, free: $0.slots) }, owner: owner)
      storeWorked()
    } catch {
      storeFailed(error)
      for runner in claimants { runner.hasBacklog = true }
    }

    var used: [String: Int] = [:]
    for job in claimed { used[job.job.task, default: 0] += 1 }
    for (runner, slots) in reserved {
      let got = used[runner.definition.name] ?? 0
      runner.busy -= slots - got
      if got == slots { runner.hasBacklog = true }
    }
    for job in claimed {
      guard let runner = runners[job.job.task] else { continue }
      // Those who wait for it may wait for just this change; the attempt may end at once.
      deliver(job.job.id, .found(job.job, result: nil), hasResult: false)
      begin(job, runner)
    }
  }

  func freeSlot(of runner: TaskRunner) {
    runner.busy -= 1
    if runner.hasBacklog { refill() }
  }

  /// Begins an attempt; its slot is taken already.
  func begin(_ claimed: ClaimedJob, _ runner: TaskRunner) {
    let attempt = Attempt(
      job: claimed.job, claim: claimed.claim, runner: runner, service: self)
    if isGivingBack {
      // It came too late to be run here.
      spawn { await self.release(attempt) }
      return
    }
    running[claimed.job.id] = attempt
    unfinished[ObjectIdentifier(attempt)] = attempt
    counted.started += 1
    if attempt.isCancelRequested { attempt.cancellation.raise() }
    switch runner.definition.work {
    case .function: deadlines.add(attempt, after: runner.definition.timeLimit)
    case .async:
      attempt.start.set()
      deadlines.add(attempt, after: runner.definition.timeLimit)
    // A command keeps its own time, so that it has ended when its time limit is reported.
    case .command: break
    }
    let task = spawn {
      let outcome = await self.run(attempt, claimed)
      await self.conclude(attempt, outcome)
    }
    // Its task may have ended in `spawn` already.
    if unfinished[ObjectIdentifier(attempt)] != nil { attempt.task = task }
    if attempt.cancellation.isRaised { task.cancel() }
  }

  /// What an attempt came to.
  private enum Conclusion {
    case outcome(JobOutcome)
    /// It did not really run; let it be run again.
    case release
  }

  private func run(_ attempt: Attempt, _ claimed: ClaimedJob) async -> Conclusion {
    let definition = attempt.runner.definition
    do {
      let context = TaskContext(
        jobID: claimed.job.id.description, attempt: claimed.claim.attempt,
        input: try await claimed.input.load(), contentType: claimed.inputContentType,
        cancellation: attempt.cancellation)
      let output: TaskOutput
      switch definition.work {
      case .function(let body):
        output = try await pool.run { [start = attempt.start] in
          start.set()
          return try body(context)
        }
      case .async(let body):
        output = try await body(context)
      case .command(let command):
        return try await run(command, context.input, attempt)
      }
      guard output.bytes.count <= definition.outputLimit else {
        return .outcome(.failed(.outputTooLong(limit: definition.outputLimit)))
      }
      return .outcome(
        .succeeded(output.bytes, contentType: output.contentType ?? definition.contentType))
    } catch {
      return conclusion(of: error, attempt)
    }
  }

  private func conclusion(of error: any Error, _ attempt: Attempt) -> Conclusion {
    if attempt.isCancelRequested { return .outcome(.cancelled) }
    switch error {
    case is WorkPool.Full:
      holdBack(attempt.runner)
      return .release
    case is StoreError:
      // Its input could not be read.
      holdBack(attempt.runner)
      return .release
    case is CancellationError where attempt.cancellation.isRaised || isDraining:
      // Not by a client: its worker stops, or has lost it.
      return .release
    case let failure as TaskFailure:
      return .outcome(.failed(JobFailure(title: failure.title, detail: failure.detail)))
    case let problem as Problem:
      return .outcome(.failed(JobFailure(title: problem.title, detail: problem.detail)))
    default:
      logger.error(
        "a task failed",
        metadata: [
          "task": "\(attempt.runner.definition.name)", "job": "\(attempt.claim.id)",
          "error": "\(error)",
        ])
      return .outcome(.failed(JobFailure(title: "The task failed")))
    }
  }

  private func run(_ command: CommandDefinition, _ input: [UInt8], _ attempt: Attempt) async throws
    -> Conclusion
  {
    let definition = attempt.runner.definition
    let result: CommandResult
    do {
      result = try await CommandExecution.run(
        Command(
          file: command.arguments[0], arguments: Array(command.arguments.dropFirst()),
          environment: command.environment, directory: command.directory, standardInput: input,
          outputLimit: definition.outputLimit, timeLimit: definition.timeLimit,
          graceTime: command.graceTime), on: loop)
    } catch let error as EddyError where error.isShortage {
      // Nothing is wrong with the task or its input: it may go well in a while, or elsewhere.
      logger.warning(
        "a command has to wait", metadata: ["task": "\(definition.name)", "error": "\(error)"])
      holdBack(attempt.runner)
      return .release
    } catch let error as EddyError {
      logger.error(
        "a command could not be started",
        metadata: ["task": "\(definition.name)", "error": "\(error)"])
      return .outcome(
        .failed(JobFailure(title: "The command could not be started", detail: error.message)))
    }
    if case .cancelled = result.ending, !attempt.isCancelRequested { return .release }
    return .outcome(JobOutcome(result, definition))
  }

  /// The attempt has come to an end: records it, unless that was done at its time limit.
  private func conclude(_ attempt: Attempt, _ conclusion: Conclusion) async {
    deadlines.remove(attempt)
    if attempt.isDecided {
      counted.fenced += 1
    } else {
      attempt.isDecided = true
      await detached {
        switch conclusion {
        case .outcome(let outcome): await self.record(attempt, outcome)
        case .release: await self.release(attempt)
        }
      }
    }
    attempt.task = nil
    unfinished[ObjectIdentifier(attempt)] = nil
    attempt.runner.busy -= 1
    // Only what has really run makes room; what was given back for want of room must not be claimed
    // again at once, over and over.
    if case .outcome = conclusion { endHolding() }
    if attempt.runner.hasBacklog { refill() }
  }

  /// Lets the tasks claim again that found no room in the pool.
  private func endHolding() {
    guard isAnyHeldBack else { return }
    isAnyHeldBack = false
    for runner in runners.values { runner.isHeldBack = false }
    refill()
  }

  /// Takes no more jobs of the attempt's task until an attempt has ended, or a sweep has passed.
  private func holdBack(_ runner: TaskRunner) {
    isAnyHeldBack = true
    runner.isHeldBack = true
  }

  /// Runs `body` where the cancellation of the attempt cannot reach the store's calls.
  private func detached(_ body: @escaping @Sendable () async -> Void) async {
    if Task.isCancelled {
      await spawn(body).value
    } else {
      await body()
    }
  }

  /// An attempt has reached its time limit: the job fails now, whatever the attempt still does.
  func timeOut(_ attempt: Attempt) {
    guard !attempt.isDecided else { return }
    let limit = attempt.runner.definition.timeLimit
    // The time that a function has waited for a thread does not count.
    let rest = limit - (attempt.start.age ?? .zero)
    if rest > .zero { return deadlines.add(attempt, after: rest) }
    attempt.isDecided = true
    attempt.cancel()
    spawn { await self.record(attempt, .failed(.timedOut(limit: limit))) }
  }

  /// A client has asked for the end of an attempt. The attempt decides what that comes to.
  func requestCancel(of attempt: Attempt) {
    guard !attempt.isCancelRequested else { return }
    attempt.isCancelRequested = true
    attempt.cancel()
  }

  // MARK: Recording

  /// How long to wait before an outcome that the store did not take is offered again.
  private static let firstRetry = Duration.milliseconds(50)
  private static let longestRetry = Duration.seconds(5)

  /// Records an outcome under the attempt's fence, however long the store is down, and hands it to
  /// those who wait for it.
  private func record(_ attempt: Attempt, _ outcome: JobOutcome) async {
    var pause = Self.firstRetry
    while !isClosed {
      do throws(StoreError) {
        let transition = try await store.finish(attempt.claim, outcome)
        storeWorked()
        settle(attempt, transition, outcome)
        break
      } catch {
        storeFailed(error)
        try? await loop.sleep(for: pause)
        pause = min(pause * 2, Self.longestRetry)
      }
    }
    forget(attempt)
  }

  private func settle(_ attempt: Attempt, _ transition: TransitionOutcome, _ outcome: JobOutcome) {
    guard case .applied(let job) = transition else {
      counted.fenced += 1
      logger.notice("a late outcome was refused", metadata: ["job": "\(attempt.claim.id)"])
      return
    }
    var result: StoredBytes?
    switch outcome {
    case .succeeded(let bytes, _):
      counted.succeeded += 1
      result = .memory(bytes)
    case .failed: counted.failed += 1
    case .cancelled: counted.cancelled += 1
    }
    attempt.seen = job.version
    deliver(job.id, .found(job, result: result), hasResult: true)
  }

  /// Gives a claimed job back; if the store does not take it, it does when the lease ends.
  func release(_ attempt: Attempt) async {
    do throws(StoreError) {
      if case .applied(let job) = try await store.release(attempt.claim) {
        counted.released += 1
        attempt.seen = job.version
        attempt.runner.hasBacklog = true
        deliver(job.id, .found(job, result: nil), hasResult: job.state.isFinal)
      } else {
        counted.fenced += 1
      }
    } catch {
      storeFailed(error)
    }
    forget(attempt)
  }

  private func forget(_ attempt: Attempt) {
    if running[attempt.claim.id] === attempt { running[attempt.claim.id] = nil }
  }
}

extension EddyError {
  /// Whether the process or the system is out of something that comes back: descriptors, processes,
  /// memory.
  var isShortage: Bool {
    switch code {
    case Int32(EDDY_EMFILE), Int32(EDDY_ENFILE), Int32(EDDY_ENOMEM), Int32(EDDY_EAGAIN): true
    default: false
    }
  }
}

extension JobOutcome {
  /// What a command's end means.
  init(_ result: CommandResult, _ definition: TaskDefinition) {
    let errorOutput =
      result.errorTail.isEmpty ? nil : String(decoding: result.errorTail, as: UTF8.self)
    switch result.ending {
    case .exited(let status) where status == 0:
      self = .succeeded(result.output, contentType: definition.contentType)
    case .exited(let status):
      self = .failed(
        JobFailure(
          title: "The command failed", detail: "It exited with status \(status).",
          exitStatus: Int(status), errorOutput: errorOutput))
    case .signalled(let signal):
      self = .failed(
        JobFailure(
          title: "The command was killed", detail: "Signal \(signal) ended it.",
          signal: Int(signal), errorOutput: errorOutput))
    case .timedOut:
      var failure = JobFailure.timedOut(limit: definition.timeLimit)
      failure.errorOutput = errorOutput
      self = .failed(failure)
    case .outputTooLong:
      var failure = JobFailure.outputTooLong(limit: definition.outputLimit)
      failure.errorOutput = errorOutput
      self = .failed(failure)
    case .cancelled:
      self = .cancelled
    }
  }
}

extension JobFailure {
  static func timedOut(limit: Duration) -> JobFailure {
    JobFailure(
      kind: .timedOut, title: "The task took too long",
      detail: "It ran for \(limit), its task's time limit, and was ended.")
  }

  static func outputTooLong(limit: Int) -> JobFailure {
    JobFailure(
      kind: .outputTooLong, title: "The result is too long",
      detail: "The task's results may have \(limit) bytes; this one had more.")
  }
}
