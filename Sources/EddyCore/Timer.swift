import CLibev

/// A one-shot or repeating timer on the loop's monotonic clock. The loop's thread.
public final class Timer: Handle {
  /// libev takes seconds as a double, and 2^62 ns (146 years) is past any use.
  public static let maximumDelay: UInt64 = 1 << 62

  private let watcher: UnsafeMutablePointer<ev_timer>
  private let callback: eddy_timer_cb
  /// When to call, by the loop's clock. libev counts from its own reading of the clock, which is
  /// up to microseconds older than ours, so it may come early by as much.
  private var deadline: UInt64 = 0
  private var interval: UInt64 = 0

  public init(
    loop: Loop, context: UnsafeMutableRawPointer?, _ callback: @escaping eddy_timer_cb
  ) {
    watcher = .allocate(capacity: 1)
    self.callback = callback
    super.init(loop: loop, context: context)
    clibev_timer_init(
      watcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Timer>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.fire() }
      }, 0, 0)
    watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    watcher.deallocate()
  }

  /// Starts the timer, or starts it anew if it runs.
  /// - Parameters:
  ///   - delay: nanoseconds from `Loop.now`, at most `maximumDelay`; 0: in the next turn.
  ///   - repeat: nanoseconds between further callbacks; 0: no others. Callbacks that the loop was
  ///     too busy for are skipped, not bunched.
  public func start(delay: UInt64, repeat interval: UInt64 = 0) {
    guard !isClosing else { return }
    deadline = loop.now &+ min(delay, Self.maximumDelay)
    self.interval = min(interval, Self.maximumDelay)
    loop.start(watcher, delay: min(delay, Self.maximumDelay))
  }

  public func stop() {
    loop.stop(watcher)
  }

  public var isActive: Bool {
    clibev_timer_active(watcher) != 0 || clibev_timer_pending(watcher) != 0
  }

  /// Stops and frees the timer.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    stop()
    beginClosing(callback, context)
    finishClosing()
  }

  private func fire() {
    loop.watcherHasStopped()
    let now = loop.now
    guard now >= deadline else { return loop.start(watcher, delay: deadline - now) }
    if interval > 0 {
      let missed = (now - deadline) / interval
      deadline += (missed + 1) * interval
      loop.start(watcher, delay: deadline - now)
    }
    callback(opaque, context)
  }
}
