import CLibev

/// When a stream has been silent for too long. A byte only moves `lastTraffic`; the timer finds that
/// out when it fires, and waits for the rest.
struct IdleDeadline {
  let callback: eddy_stream_idle_cb
  /// Nanoseconds; 0: for ever.
  var timeout: UInt64
  /// On the loop's clock.
  var lastTraffic: UInt64 = 0
  var timer: TimerNode

  static func free(_ deadline: UnsafeMutablePointer<IdleDeadline>, _ loop: Loop) {
    loop.stop(&deadline.pointee.timer)
    loop.timers.giveUpReservation()
    CLibev.free(deadline)
  }
}

extension StreamConfiguration {
  /// What `onIdle` needs, with room for the timer in the loop; nil without `onIdle`.
  func makeIdleDeadline(_ loop: Loop) throws(EddyError) -> UnsafeMutablePointer<IdleDeadline>? {
    guard let onIdle else { return nil }
    guard loop.timers.reserve() else { throw EddyError(EDDY_ENOMEM) }
    guard let memory = malloc(MemoryLayout<IdleDeadline>.size) else {
      loop.timers.giveUpReservation()
      throw EddyError(EDDY_ENOMEM)
    }
    let deadline = memory.bindMemory(to: IdleDeadline.self, capacity: 1)
    deadline.initialize(
      to: IdleDeadline(
        callback: onIdle, timeout: idleTimeout,
        timer: TimerNode { stream in
          Unmanaged<Stream>.fromOpaque(stream)._withUnsafeGuaranteedRef { $0.idleTimerFired() }
        }))
    return deadline
  }
}

extension Stream {
  /// Changes the time without a byte in or out after which `onIdle` is called, counting from now.
  /// - Parameter timeout: nanoseconds, at most `Timer.maximumDelay`; 0 ends it.
  /// - Returns: 0; `EDDY_EINVAL`, also without an `onIdle`; `EDDY_EALREADY` when closing.
  public func setIdleTimeout(_ timeout: UInt64) -> Int32 {
    guard !isClosing else { return code(EDDY_EALREADY) }
    guard let idle, timeout <= Timer.maximumDelay else { return code(EDDY_EINVAL) }
    idle.pointee.timeout = timeout
    startIdleDeadline()
    return 0
  }

  /// Makes the stream the owner of what the configuration has made.
  func adoptIdleDeadline() {
    guard let idle else { return }
    idle.pointee.timer.owner = UnsafeMutableRawPointer(opaque)
    if state == .open { startIdleDeadline() }
  }

  /// The stream closes.
  func freeIdleDeadline() {
    guard let idle else { return }
    detour.remove(.timed)
    self.idle = nil
    IdleDeadline.free(idle, loop)
  }

  /// Counts from now. Before the stream is connected there is nothing to count.
  func startIdleDeadline() {
    guard let idle, state == .open else { return }
    guard idle.pointee.timeout > 0 else { return stopIdleDeadline() }
    detour.insert(.timed)
    let due = Loop.due(after: idle.pointee.timeout)
    idle.pointee.lastTraffic = due &- idle.pointee.timeout
    loop.start(&idle.pointee.timer, at: due)
  }

  private func stopIdleDeadline() {
    guard let idle else { return }
    detour.remove(.timed)
    loop.stop(&idle.pointee.timer)
  }

  /// A byte has come or gone. Only for a stream that is `.timed`.
  @inline(never)
  func noteTraffic() {
    let idle = idle.unsafelyUnwrapped
    // In a turn its time is near enough; but it may be before the deadline's start, and outside of
    // `run` nothing moves it on.
    let now = loop.isRunning ? loop.now : Loop.readClock()
    idle.pointee.lastTraffic = max(idle.pointee.lastTraffic, now)
  }

  fileprivate func idleTimerFired() {
    guard let idle else { return }
    let due = idle.pointee.lastTraffic &+ idle.pointee.timeout
    guard due <= loop.now else { return loop.start(&idle.pointee.timer, at: due) }
    startIdleDeadline()
    let callback = idle.pointee.callback
    loop.dispatch(.idleStream, callback, context) { callback(opaque, context) }
  }
}
