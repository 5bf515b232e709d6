import CLibev

/// When a stream has been silent for too long. A byte only moves `lastTraffic`; the timer finds that
/// out when it fires, and waits for the rest.
struct IdleDeadline {
  let callback: eddy_stream_idle_cb
  /// Nanoseconds; 0: for ever.
  var timeout: UInt64
  /// By the loop's clock.
  var lastTraffic: UInt64 = 0
  var timer: Deadline
}

extension StreamConfiguration {
  /// What `onIdle` needs; nil without it.
  func makeIdleDeadline() throws(EddyError) -> UnsafeMutablePointer<IdleDeadline>? {
    guard let onIdle else { return nil }
    guard let memory = malloc(MemoryLayout<IdleDeadline>.size) else {
      throw EddyError(EDDY_ENOMEM)
    }
    let deadline = memory.bindMemory(to: IdleDeadline.self, capacity: 1)
    deadline.initialize(
      to: IdleDeadline(
        callback: onIdle, timeout: idleTimeout, timer: Deadline(owner: memory, fire: { _ in })))
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

  /// Makes the stream the owner of the timer.
  func adoptIdleDeadline() {
    guard let idle else { return }
    idle.pointee.timer = Deadline(owner: UnsafeMutableRawPointer(opaque)) { stream in
      Unmanaged<Stream>.fromOpaque(stream)._withUnsafeGuaranteedRef { $0.idleTimerFired() }
    }
    if state == .open { startIdleDeadline() }
  }

  /// Counts from now. Before the stream is connected there is nothing to count.
  func startIdleDeadline() {
    guard let idle, state == .open else { return }
    guard idle.pointee.timeout > 0 else { return stopIdleDeadline() }
    detour.insert(.timed)
    idle.pointee.lastTraffic = loop.now
    loop.start(&idle.pointee.timer, at: loop.now &+ idle.pointee.timeout)
  }

  func stopIdleDeadline() {
    guard let idle else { return }
    detour.remove(.timed)
    loop.stop(&idle.pointee.timer)
  }

  /// A byte has come or gone. Only for a stream that is `.timed`.
  @inline(never)
  func noteTraffic() {
    idle.unsafelyUnwrapped.pointee.lastTraffic = loop.now
  }

  private func idleTimerFired() {
    guard let idle else { return }
    let due = idle.pointee.lastTraffic &+ idle.pointee.timeout
    guard due <= loop.now else { return loop.start(&idle.pointee.timer, at: due) }
    startIdleDeadline()
    let callback = idle.pointee.callback
    loop.dispatch(.idleStream, callback, context) { callback(opaque, context) }
  }
}
