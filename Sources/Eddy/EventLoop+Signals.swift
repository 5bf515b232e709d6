import EddyCore

extension EventLoop {
  /// The arrivals of some signals, for as long as the stream is listened to.
  ///
  /// The signals are taken over from their dispositions when this returns, and are back to the
  /// default once the stream has ended. They do not keep the loop alive.
  ///
  /// ```swift
  /// for await signal in try loop.signals(SIGTERM, SIGINT) { … }
  /// ```
  ///
  /// - Throws: `EDDY_EINVAL` for a number that is no signal, or one that can't be caught;
  ///   `EDDY_EBUSY` if another loop of this process watches one of them.
  public func signals(_ numbers: Int32...) throws(EddyError) -> AsyncStream<Int32> {
    preconditionOnLoop()
    let (stream, continuation) = AsyncStream.makeStream(
      of: Int32.self, bufferingPolicy: .bufferingNewest(numbers.count * SignalFeed.kept))
    let feed = SignalFeed(continuation)
    do {
      for number in numbers { try feed.watch(number, on: self) }
    } catch {
      feed.close()
      throw error
    }
    continuation.onTermination = { [self] _ in
      executeOrRun { feed.close() }
    }
    return stream
  }
}

/// Hands signals of the loop to a stream. Unchecked, because it is confined to the loop's thread.
private final class SignalFeed: @unchecked Sendable {
  /// Arrivals that wait for a listener, for each signal: as with a pending signal itself, the
  /// second of a kind tells little that the first did not.
  static let kept = 4

  private let continuation: AsyncStream<Int32>.Continuation
  private var watchers: [Signal] = []

  init(_ continuation: AsyncStream<Int32>.Continuation) {
    self.continuation = continuation
  }

  func watch(_ number: Int32, on loop: EventLoop) throws(EddyError) {
    // Given back by the close callback.
    let context = Unmanaged.passRetained(self).toOpaque()
    let watcher = Signal(loop: loop.core, context: context) { _, number, context in
      Unmanaged<SignalFeed>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
        .continuation.yield(number)
    }
    watchers.append(watcher)
    try watcher.start(number)
  }

  func close() {
    for watcher in watchers {
      watcher.close { Unmanaged<SignalFeed>.fromOpaque($0.unsafelyUnwrapped).release() }
    }
    watchers = []
  }
}
