import CLibev

/// A one-shot or repeating timer on the loop's monotonic clock. The loop's thread.
public final class Timer: Handle {
  /// 2^62 ns, 146 years: past any use, and the sum of two of them is still a time.
  public static let maximumDelay: UInt64 = 1 << 62

  private final var storage: TimerNode
  private final var interval: UInt64 = 0
  private final let callback: eddy_timer_cb

  public convenience init(
    loop: Loop, context: UnsafeMutableRawPointer?, _ callback: @escaping eddy_timer_cb
  ) {
    let isReserved = loop.timers.reserve()
    precondition(isReserved, "out of memory")
    self.init(reservedIn: loop, context: context, callback)
  }

  /// - Parameter loop: has reserved room for the timer, so that to start it can't fail.
  init(
    reservedIn loop: Loop, context: UnsafeMutableRawPointer?, _ callback: @escaping eddy_timer_cb
  ) {
    self.callback = callback
    storage = TimerNode { timer in
      Unmanaged<Timer>.fromOpaque(timer)._withUnsafeGuaranteedRef { $0.fire() }
    }
    super.init(loop: loop, context: context)
    storage.owner = Unmanaged.passUnretained(self).toOpaque()
  }

  /// A stored property of a final class does not move.
  private var node: UnsafeMutablePointer<TimerNode> {
    @inline(__always) get { withUnsafeMutablePointer(to: &storage) { $0 } }
  }

  /// Starts the timer, or starts it anew if it runs.
  /// - Parameters:
  ///   - delay: nanoseconds from `Loop.now`, at most `maximumDelay`; 0: when the loop next comes
  ///     to its timers.
  ///   - repeat: nanoseconds between further callbacks; 0: no others. Callbacks that the loop was
  ///     too busy for are skipped, not bunched.
  public func start(delay: UInt64, repeat interval: UInt64 = 0) {
    guard !isClosing else { return }
    self.interval = min(interval, Self.maximumDelay)
    unmanagedLoop._withUnsafeGuaranteedRef { loop in
      loop.start(node, at: loop.now &+ min(delay, Self.maximumDelay))
    }
  }

  public func stop() {
    unmanagedLoop._withUnsafeGuaranteedRef { $0.stop(node) }
  }

  public var isActive: Bool { node.pointee.isActive }

  /// When it is due, on the clock of `Loop.now`; nil if it is stopped.
  public var due: UInt64? { isActive ? node.pointee.due : nil }

  /// Stops and frees the timer.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    stop()
    loop.timers.giveUpReservation()
    beginClosing(callback, context)
    finishClosing()
  }

  private func fire() {
    unmanagedLoop._withUnsafeGuaranteedRef { loop in
      if interval > 0 {
        let due = node.pointee.due
        let missed = (loop.now - due) / interval
        loop.start(node, at: due + (missed + 1) * interval)
      }
      loop.dispatch(.timer, callback, context) { callback(opaque, context) }
    }
  }
}
