import EddyCore

extension EventLoop {
  /// Runs a program: a loop on the calling thread, and `main` as a task on it. Returns when `main`
  /// has, with what it returns or throws.
  ///
  /// - Throws: what `main` throws, or ``EddyError`` if there can be no loop.
  public static func run<Value: Sendable>(
    _ main: @escaping @Sendable (EventLoop) async throws -> Value
  ) throws -> Value {
    let loop = try EventLoop()
    let outcome = Outcome<Value>()
    Task(executorPreference: loop) {
      do {
        outcome.result = .success(try await main(loop))
      } catch {
        outcome.result = .failure(error)
      }
      loop.stop()
    }
    // `main` may stop the loop itself; it is the end of `main` that counts.
    while outcome.result == nil { try loop.run(.untilStopped) }
    // Handles that `main` closed at its end get their close callbacks.
    try loop.run(.nowait)
    return try outcome.result!.get()
  }
}

/// What `main` came to. Unchecked, because it is confined to the loop's thread.
private final class Outcome<Value>: @unchecked Sendable {
  var result: Result<Value, any Error>?
}
