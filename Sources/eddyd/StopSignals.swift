import Eddy
import Glibc
import Logging

/// SIGTERM and SIGINT: the first asks for a graceful stop, the second ends the program.
struct StopSignals {
  private let firsts: AsyncStream<Void>

  /// Takes the signals over. On the loop's thread.
  init(loop: EventLoop, logger: Logger) throws(EddyError) {
    let signals = try loop.signals(SIGTERM, SIGINT)
    let (firsts, continuation) = AsyncStream.makeStream(of: Void.self)
    self.firsts = firsts
    Task(executorPreference: loop) {
      var isStopping = false
      for await signal in signals {
        if isStopping {
          logger.error("a second signal: ending at once", metadata: ["signal": "\(signal)"])
          ChildGroups.kill()
          // No destructor runs: other threads may be in the middle of their work.
          _exit(EXIT_FAILURE)
        }
        isStopping = true
        continuation.yield()
      }
    }
  }

  /// Returns when the first signal has come.
  func first() async {
    for await _ in firsts { return }
  }
}
