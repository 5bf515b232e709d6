import CLibev

// The loop keeps its timers itself, in nanoseconds, and asks libev for one timer alone: the earliest.
extension Loop {
  /// Starts a timer, or starts it anew.
  /// - Parameter due: on the clock of `now`.
  @inline(__always)
  func start(_ node: UnsafeMutablePointer<TimerNode>, at due: UInt64) {
    if timers.start(node, at: due) { active &+= 1 }
    if due < armed { attention = true }
  }

  /// When `delay`, counting from this very moment, is over. `now` is no beginning for a limit that
  /// the program sets: after a long callback, or where a host's own loop has long had nothing for this
  /// one, it is old, and the limit would be over at once.
  static func due(after delay: UInt64) -> UInt64 { readClock() &+ delay }

  /// Stops a timer; one that is stopped stays so.
  func stop(_ node: UnsafeMutablePointer<TimerNode>) {
    if timers.stop(node) { active &-= 1 }
  }

  /// Runs what is due, but not what is started meanwhile. A timer that a callback stops, or starts anew
  /// for later, does not run.
  func runDueTimers() {
    guard timers.count > 0 else { return }
    let now = now
    guard timers.earliest <= now else { return }
    let sequence = timers.nextSequence
    while let node = timers.takeDue(now, startedBefore: sequence) {
      active &-= 1
      node.pointee.run()
    }
  }

  /// Has libev's timer end the wait when the earliest timer is due.
  /// - Returns: whether it is due already.
  func armTimer() -> Bool {
    let due = timers.earliest
    guard due != armed else { return due != .max && due <= now }
    armed = due
    guard due != .max else {
      ev_timer_stop(ev, alarm)
      return false
    }
    guard due > now else {
      armed = .max
      ev_timer_stop(ev, alarm)
      return true
    }
    // libev counts from its own reading of the same clock, which may be old: it shows in the time of a
    // timer that is started without delay.
    ev_timer_stop(ev, alarm)  // first: what is set in a timer that runs is lost
    clibev_timer_set(alarm, 0, 0)
    ev_timer_start(ev, alarm)
    let libevNow = alarm.pointee.at
    ev_timer_stop(ev, alarm)
    clibev_timer_set(alarm, Double(due) / 1e9 - libevNow, 0)
    ev_timer_start(ev, alarm)
    return false
  }

  /// libev's timer has ended the wait.
  func alarmRang() {
    armed = .max
    occurrences &-= 1
    attention = true
  }
}
