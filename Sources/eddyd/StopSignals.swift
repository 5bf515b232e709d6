import Eddy
import Glibc
import Logging

/// SIGTERM, SIGINT and SIGHUP: the first asks for a graceful stop, a second one ends the program.
///
/// SIGHUP says that the terminal is gone. Its default action would end the program and leave the
/// commands behind, whose process groups no terminal reaches. The kernel and a shell may each send
/// one, so it is never taken for the second; nor for anything where it is ignored: nohup(1).
struct StopSignals {
  private let firsts: AsyncStream<Void>

  /// Takes the signals over. On the loop's thread.
  init(loop: EventLoop, logger: Logger) throws(EddyError) {
    let signals =
      Self.isIgnored(SIGHUP)
      ? try loop.signals(SIGTERM, SIGINT) : try loop.signals(SIGTERM, SIGINT, SIGHUP)
    let (firsts, continuation) = AsyncStream.makeStream(of: Void.self)
    self.firsts = firsts
    Task(executorPreference: loop) {
      var isStopping = false
      for await signal in signals {
        if isStopping {
          guard signal != SIGHUP else { continue }
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

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(signal, nil, &action) == 0 else { return false }
    // SIG_IGN is no function but the number 1 as a pointer to one (signal.h).
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }

  /// Returns when the first signal has come.
  func first() async {
    for await _ in firsts { return }
  }
}
