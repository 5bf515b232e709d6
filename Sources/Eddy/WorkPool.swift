import EddyCore

/// Threads for work that would hold the loop up: that computes for long, or blocks.
///
/// ```swift
/// let pool = try WorkPool(loop: loop)
/// let digest = try await pool.run { sha256(of: bytes) }
/// ```
///
/// ``run(_:)`` and ``close()`` are for any thread. Close a pool that is no longer used: its threads
/// wait for work until then.
public final class WorkPool: @unchecked Sendable {
  // Unchecked, because the reactor's pool is confined to the loop's thread; elsewhere it is only
  // handed on to it.

  /// The queue is full, and nothing was taken.
  public struct Full: Error {}

  private let loop: EventLoop
  private let pool: Pool

  /// - Parameters:
  ///   - threads: 1 to 1,024.
  ///   - queueCapacity: the most works that wait for a thread; at least 1.
  /// - Throws: `EDDY_EINVAL`; `EDDY_EAGAIN` if the system gives no more threads.
  /// - Precondition: called on the loop's thread.
  public init(
    loop: EventLoop, threads: Int = Pool.defaultThreads,
    queueCapacity: Int = Pool.defaultQueueCapacity
  ) throws(EddyError) {
    loop.preconditionOnLoop()
    self.loop = loop
    pool = try Pool(loop: loop.core, threads: threads, queueCapacity: queueCapacity)
  }

  /// Runs `work` on a thread of the pool, with every signal blocked.
  ///
  /// A task that is cancelled before its work has begun throws at once, the work is left out, and
  /// its place in the queue is free. What has begun runs to its end.
  ///
  /// - Throws: what `work` throws; ``Full``; `CancellationError` if the task was cancelled or the
  ///   pool was closed before the work began.
  public func run<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    let item = WorkItem(work)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        loop.executeOrRun { [self] in submit(item, continuation) }
      }
    } onCancel: {
      loop.executeOrRun { item.cancel() }
    }
  }

  /// Ends the threads. What waits is cancelled, what runs runs to its end; returns after that.
  /// A second call returns at once.
  public func close() async {
    await withCheckedContinuation { continuation in
      loop.executeOrRun { [self] in
        guard !pool.isClosing else { return continuation.resume() }
        let box = ContinuationBox(continuation)
        pool.close(
          { context in
            Unmanaged<ContinuationBox>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue()
              .continuation.resume()
          }, context: Unmanaged.passRetained(box).toOpaque())
      }
    }
  }

  private func submit<Value>(
    _ item: WorkItem<Value>, _ continuation: CheckedContinuation<Value, any Error>
  ) {
    item.continuation = continuation
    guard !item.isCancelled else { return item.complete(Int32(EDDY_ECANCELED)) }
    let context = Unmanaged<AnyWorkItem>.passRetained(item)
    let status = pool.submit(
      work: { context in
        Unmanaged<AnyWorkItem>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue().run()
      },
      done: { status, context in
        Unmanaged<AnyWorkItem>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue()
          .complete(status)
      },
      context: context.toOpaque(), accepted: &item.work)
    guard status != 0 else { return }
    context.takeRetainedValue().complete(status)
  }
}

/// Work on its way to a thread of the pool and back.
private class AnyWorkItem: @unchecked Sendable {
  // Unchecked, because one thread at a time has what the work is and comes to: the loop's, then the
  // pool's, then the loop's again, and the pool's queue orders what they do. All else is confined to
  // the loop's thread.

  /// What the pool knows it by, from its submission to its completion.
  final var work: OpaquePointer?
  final private(set) var isCancelled = false

  /// Sees to it that the work does not begin, if it has not.
  final func cancel() {
    isCancelled = true
    if let work { Pool.cancel(work) }
  }

  /// The pool's thread.
  func run() {}

  /// Resumes whoever waits. The loop's thread.
  ///
  /// - Parameter status: 0 if the work has run; else why it has not.
  func complete(_ status: Int32) {}
}

private final class WorkItem<Value: Sendable>: AnyWorkItem, @unchecked Sendable {
  var continuation: CheckedContinuation<Value, any Error>?
  private let body: @Sendable () throws -> Value
  private var result: Result<Value, any Error>?

  init(_ body: @escaping @Sendable () throws -> Value) {
    self.body = body
  }

  override func run() {
    result = Result { try body() }
  }

  override func complete(_ status: Int32) {
    work = nil
    continuation?.resume(with: result ?? .failure(reason(status)))
    continuation = nil
  }

  private func reason(_ status: Int32) -> any Error {
    switch Int(status) {
    case Int(EDDY_EAGAIN): WorkPool.Full()
    case Int(EDDY_ECANCELED), Int(EDDY_EALREADY): CancellationError()
    default: EddyError(code: status)
    }
  }
}

private final class ContinuationBox {
  let continuation: CheckedContinuation<Void, Never>

  init(_ continuation: CheckedContinuation<Void, Never>) {
    self.continuation = continuation
  }
}
