import EddyCore

/// An event loop that Swift's concurrency runs on.
///
/// It is a serial executor, so an actor can live on it, and a task executor, so that tasks which
/// prefer it run on its thread. Timers, sockets and child processes wait in the same loop.
///
/// ```swift
/// try EventLoop.run { loop in
///   try await loop.sleep(for: .milliseconds(250))
/// }
/// ```
///
/// One loop belongs to one thread: the one that runs it. What may be called from any thread says
/// so; all else is for the loop's thread. The loop has to outlive what was started on it.
public final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
  // Unchecked, because `core` is confined to the loop's thread: from another thread only its
  // members `post`, `stop` and `isOnLoopThread` are used, which are made for that.

  /// How long ``run(_:)`` runs.
  public typealias RunMode = Loop.RunMode

  /// The reactor's loop. The loop's thread only, but for the members that say otherwise.
  public let core: Loop

  /// A loop of the calling thread, until another thread runs it.
  ///
  /// - Throws: `EDDY_ENOTSUP` where epoll is missing; `EDDY_ENOMEM`.
  public init() throws(EddyError) {
    core = try Loop()
  }

  deinit {
    do {
      try core.destroy()
    } catch {
      // A handle that is still open refers to the loop: better that both stay than that the
      // handle outlives it.
      _ = Unmanaged.passRetained(core)
    }
  }

  /// Runs the loop on the calling thread.
  ///
  /// - Returns: whether something still keeps the loop alive.
  /// - Throws: `EDDY_EBUSY` if it runs already.
  @discardableResult
  public func run(_ mode: RunMode = .untilStopped) throws(EddyError) -> Bool {
    try core.run(mode)
  }

  /// Makes ``run(_:)`` return at the end of the turn. Any thread.
  public func stop() {
    core.stop()
  }

  /// The loop's clock in nanoseconds: monotonic, read once a turn.
  public var now: UInt64 { core.now }

  /// Whether the calling thread is the loop's. Any thread.
  public var isOnLoop: Bool { core.isOnLoopThread }

  /// Traps unless the calling thread is the loop's.
  public func preconditionOnLoop(file: StaticString = #fileID, line: UInt = #line) {
    precondition(isOnLoop, "This is for the loop's thread only.", file: file, line: line)
  }

  /// Queues `body` for the loop's thread and wakes the loop. Any thread.
  public func execute(_ body: @escaping @Sendable () -> Void) {
    core.post(
      { context, _ in
        Unmanaged<PostedClosure>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue().body()
      }, Unmanaged.passRetained(PostedClosure(body)).toOpaque())
  }

  /// Runs `body` at once on the loop's thread, else queues it. Any thread.
  func executeOrRun(_ body: @escaping @Sendable () -> Void) {
    if isOnLoop {
      body()
    } else {
      execute(body)
    }
  }

  /// Runs `body` on the loop's thread and gives back what it returns. Any thread.
  public func submit<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      execute { continuation.resume(with: Result { try body() }) }
    }
  }
}

private final class PostedClosure {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
  }
}
