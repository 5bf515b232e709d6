import EddyCore
import Glibc

/// A command that runs: a child process in a group of its own, fed and read by the loop.
///
/// However it ends, the child has been reaped and the rest of its group killed (SIGKILL) when the
/// result comes. A
/// command that closes its output and runs on ends within its time limit all the same, and a
/// process that it leaves behind with its output open does not delay the end. Only a process that
/// has left the group (setsid(2)) can survive, and nothing waits for it.
///
/// Confined to the loop's thread, except ``run(_:on:)``.
public final class CommandExecution {
  private let command: Command
  private let loop: EventLoop
  private let pipes: CommandPipes
  /// Counts to the time limit, then to the end of the grace time.
  private let timer: Timer
  private var process: Process?
  /// Why the command is being ended; nil while it may run.
  private var cause: CommandResult.Ending?
  private var completion: ((CommandResult) -> Void)?

  /// Starts a command.
  ///
  /// The execution keeps itself alive until `completion` has been called; keep it if you may want
  /// to cancel.
  ///
  /// - Parameter completion: called once, on the loop's thread, not before this returns.
  /// - Throws: why the program could not be started: `EDDY_ENOENT`, `EDDY_EACCES`, `EDDY_ENOEXEC`,
  ///   `EDDY_E2BIG` and others of execve(2); `EDDY_EMFILE`; `EDDY_EAGAIN` if the system gives no
  ///   more processes; `EDDY_EINVAL` for a text with a zero byte in it.
  @discardableResult
  public init(
    _ command: Command, loop: EventLoop, completion: @escaping (CommandResult) -> Void
  ) throws(EddyError) {
    loop.preconditionOnLoop()
    self.command = command
    self.loop = loop
    self.completion = completion
    pipes = try CommandPipes(command, loop: loop)
    let reference = Reference()
    let context = Unmanaged.passRetained(reference).toOpaque()
    timer = Timer(loop: loop.core, context: context) { _, context in
      Reference.execution(context).timeIsOver()
    }
    reference.execution = self
    pipes.onOverflow = { [unowned self] in end(.outputTooLong) }
    do throws(EddyError) {
      process = try Self.spawn(command, loop, pipes, context)
    } catch {
      close()
      throw error
    }
    pipes.start()
    if let limit = command.timeLimit { start(limit) }
  }

  /// The child's process id, which is its group's too.
  public var processID: Int32 { process?.pid ?? -1 }

  /// Ends the command: SIGTERM to its group, and SIGKILL after the grace time. The result comes
  /// when it has ended. Once it has, this does nothing.
  public func cancel() {
    loop.preconditionOnLoop()
    end(.cancelled)
  }

  private func end(_ reason: CommandResult.Ending) {
    guard cause == nil, let process else { return }
    cause = reason
    if command.graceTime > .zero {
      process.killGroup(SIGTERM)
      start(command.graceTime)
    } else {
      timer.stop()
      process.killGroup(SIGKILL)
    }
  }

  private func timeIsOver() {
    if cause == nil {
      end(.timedOut)
    } else {
      process?.killGroup(SIGKILL)
    }
  }

  private func start(_ duration: Duration) {
    // Starting a process takes milliseconds, by which a limit would be too short.
    loop.core.updateNow()
    timer.start(delay: duration.clampedNanoseconds)
  }

  /// The child has ended, and its group has been killed.
  private func ended(status: Int32, signal: Int32) {
    pipes.readRest()
    let result = CommandResult(
      ending: ending(status: status, signal: signal), output: pipes.output,
      errorTail: pipes.errorTail.bytes)
    let completion = completion
    self.completion = nil
    close()
    completion?(result)
  }

  private func ending(status: Int32, signal: Int32) -> CommandResult.Ending {
    if let cause { return cause }
    if pipes.hasOverflowed { return .outputTooLong }
    return signal != 0 ? .signalled(signal) : .exited(status: status)
  }

  private func close() {
    pipes.close()
    process?.close()
    process = nil
    timer.close { Unmanaged<Reference>.fromOpaque($0.unsafelyUnwrapped).release() }
  }

  /// What the handles' callbacks hold: it is there before the execution is whole, and keeps it
  /// alive until the timer, the last to go, is closed.
  private final class Reference {
    var execution: CommandExecution?

    static func execution(_ context: UnsafeMutableRawPointer?) -> CommandExecution {
      Unmanaged<Reference>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
        .execution.unsafelyUnwrapped
    }
  }

  private static func spawn(
    _ command: Command, _ loop: EventLoop, _ pipes: CommandPipes,
    _ context: UnsafeMutableRawPointer
  ) throws(EddyError) -> Process {
    defer { pipes.closeChildEnds() }
    let arguments = try CStringArray([command.file] + command.arguments)
    let environment = try command.environment.map { (variables) throws(EddyError) in
      try CStringArray(variables.map { "\($0.key)=\($0.value)" })
    }
    let names = try CStringArray([command.file] + (command.directory.map { [$0] } ?? []))
    var configuration = eddy_process_config()
    configuration.size = MemoryLayout<eddy_process_config>.size
    configuration.context = context
    configuration.on_exit = { _, status, signal, context in
      Reference.execution(context).ended(status: status, signal: signal)
    }
    configuration.file = names.pointer[0]
    configuration.directory = command.directory == nil ? nil : names.pointer[1]
    configuration.arguments = arguments.pointer
    configuration.environment = environment?.pointer
    configuration.standard_input = pipes.childInput
    configuration.standard_output = pipes.childOutput
    configuration.standard_error = pipes.childError
    configuration.new_group = 1
    return try withExtendedLifetime((arguments, environment, names)) { () throws(EddyError) in
      try Process(loop: loop.core, configuration: configuration)
    }
  }
}

// MARK: - As a task

extension CommandExecution {
  /// Runs a command to its end. Any thread. A task that is cancelled ends the command.
  ///
  /// - Throws: ``EddyError`` if the program could not be started, see
  ///   ``init(_:loop:completion:)``; `CancellationError` if the task was cancelled, and then the
  ///   command has ended.
  public static func run(_ command: Command, on loop: EventLoop) async throws -> CommandResult {
    let run = CommandRun()
    let result = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        loop.executeOrRun { run.start(command, loop, continuation) }
      }
    } onCancel: {
      loop.executeOrRun { run.cancel() }
    }
    if result.ending == .cancelled { throw CancellationError() }
    return result
  }
}

/// A task that waits for a command. Unchecked, because it is confined to the loop's thread.
private final class CommandRun: @unchecked Sendable {
  private var execution: CommandExecution?
  private var isCancelled = false

  func start(
    _ command: Command, _ loop: EventLoop,
    _ continuation: CheckedContinuation<CommandResult, any Error>
  ) {
    guard !isCancelled else { return continuation.resume(throwing: CancellationError()) }
    do {
      execution = try CommandExecution(command, loop: loop) { [self] result in
        execution = nil
        continuation.resume(returning: result)
      }
    } catch {
      continuation.resume(throwing: error)
    }
  }

  func cancel() {
    isCancelled = true
    execution?.cancel()
  }
}
