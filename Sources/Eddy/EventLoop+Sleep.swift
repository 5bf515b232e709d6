import EddyCore

extension EventLoop {
  /// Waits on a timer of the loop. Any thread.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  public func sleep(for duration: Duration) async throws {
    let sleep = Sleep(loop: self)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        executeOrRun { sleep.start(duration, continuation) }
      }
    } onCancel: {
      executeOrRun { sleep.cancel() }
    }
  }
}

/// A task that waits for a timer. Unchecked, because it is confined to the loop's thread.
private final class Sleep: @unchecked Sendable {
  private let loop: EventLoop
  private var timer: Timer?
  private var continuation: CheckedContinuation<Void, any Error>?
  private var isCancelled = false

  init(loop: EventLoop) {
    self.loop = loop
  }

  func start(_ duration: Duration, _ continuation: CheckedContinuation<Void, any Error>) {
    guard !isCancelled else { return continuation.resume(throwing: CancellationError()) }
    self.continuation = continuation
    // The timer's reference is given back by `finish`.
    let context = Unmanaged.passRetained(self).toOpaque()
    let timer = Timer(loop: loop.core, context: context) { _, context in
      let sleep = Unmanaged<Sleep>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
      sleep.finish(.success(()))
    }
    self.timer = timer
    // A turn that has taken long is not to count as time slept.
    loop.core.updateNow()
    timer.start(delay: duration.clampedNanoseconds)
  }

  func cancel() {
    isCancelled = true
    finish(.failure(CancellationError()))
  }

  private func finish(_ result: Result<Void, any Error>) {
    guard let continuation, let timer else { return }
    self.continuation = nil
    self.timer = nil
    timer.close()
    continuation.resume(with: result)
    Unmanaged.passUnretained(self).release()
  }
}
