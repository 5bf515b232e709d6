// command: runs a program with a time limit, gives it an input, and shows what it writes.
//
//   swift run command 5 'some text' tr a-z A-Z
//   swift run command 1 '' sh -c 'sleep 60 & sleep 60'
//
// It shows a child process as a task: to cancel the task is to end the process, and what it has
// started with it.

import Eddy
import Glibc

/// Between the request to end (SIGTERM) and the order to (SIGKILL).
let grace = Duration.seconds(1)
/// What is kept of the output, in bytes.
let outputLimit = 1 << 20

func warn(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

/// False if not all of it could be written.
func show(_ bytes: [UInt8], on descriptor: Int32) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard count > 0 else { return false }
    rest = rest.dropFirst(count)
  }
  return true
}

let arguments = CommandLine.arguments
guard arguments.count > 3, let seconds = Double(arguments[1]), seconds > 0, seconds < 1e6 else {
  warn("usage: command SECONDS INPUT PROGRAM [ARGUMENT]...")
  exit(2)
}
let command = Command(
  file: arguments[3], arguments: Array(arguments[4...]), standardInput: Array(arguments[2].utf8),
  outputLimit: outputLimit, timeLimit: .seconds(seconds), graceTime: grace)

/// The exit status, as a shell reports it.
@Sendable func run(_ command: Command, on loop: EventLoop) async throws -> Int32 {
  let run = Task(executorPreference: loop) { try await CommandExecution.run(command, on: loop) }
  let signals = Task(executorPreference: loop) {
    for await _ in try loop.signals(SIGINT, SIGTERM) { run.cancel() }
  }
  defer { signals.cancel() }
  let result = try await run.value
  let isShown = show(result.output, on: STDOUT_FILENO)
  _ = show(result.errorTail, on: STDERR_FILENO)
  guard isShown else {
    warn("command: the output could not be written")
    return 1
  }
  switch result.ending {
  case .exited(let status):
    return status
  case .signalled(let signal):
    warn("command: ended by signal \(signal)")
    return 128 + signal
  case .timedOut:
    warn("command: time is up")
    return 128 + SIGTERM
  case .outputTooLong:
    warn("command: more than \(outputLimit) bytes of output")
    return 1
  case .cancelled:  // `run` throws then
    return 128 + SIGTERM
  }
}

do {
  exit(try EventLoop.run { loop in try await run(command, on: loop) })
} catch is CancellationError {
  exit(128 + SIGTERM)
} catch let error as EddyError {
  warn("command: \(command.file): \(error.message)")
  exit(1)
}
