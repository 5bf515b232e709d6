extension JobService {
  /// Stops: for SIGTERM.
  ///
  /// New submissions get 503 with `Retry-After`. Polls that are held are answered at once with the
  /// present state, and new ones are not held. What runs may finish `within` the time; past it, it is
  /// given back to the store, to be run by another worker, and told to end: commands get TERM, then
  /// KILL, so that none stays behind. Returns when all that has happened and the store is detached;
  /// results can be fetched until then.
  ///
  /// A function on a pool's thread cannot be ended: one that does not look at
  /// ``TaskContext/isCancelled`` is given back and left.
  ///
  /// A second call may shorten the time; it returns when the first does.
  public func drain(within limit: Duration) async {
    loop.preconditionOnLoop()
    loop.core.updateNow()
    drainDeadline = min(drainDeadline, loop.now &+ limit.clampedNanoseconds)
    guard !isDraining else {
      while !isDetached { await pause() }
      return
    }
    isDraining = true
    for waiter in waiters.all where waiter.phase == .parked { endWait(waiter) }
    await waitForAttempts { _ in true }

    // What is left goes back.
    isGivingBack = true
    let late = Array(unfinished.values)
    for attempt in late {
      attempt.cancel()
      guard !attempt.isDecided else { continue }
      attempt.isDecided = true
      await release(attempt)
    }
    let graces = late.map { attempt -> Duration in
      if case .command(let command) = attempt.runner.definition.work {
        command.graceTime
      } else {
        .zero
      }
    }
    if let longest = graces.max() {
      // A command has ended soon after its KILL; the margin is for a busy machine.
      drainDeadline = loop.now &+ (longest + .seconds(1)).clampedNanoseconds
      await waitForAttempts { attempt in
        if case .function = attempt.runner.definition.work { false } else { true }
      }
    }
    await close()
  }

  /// Waits until no attempt of those that `counts` is under way, up to the deadline.
  private func waitForAttempts(where counts: (Attempt) -> Bool) async {
    while loop.now < drainDeadline, unfinished.values.contains(where: counts) { await pause() }
  }

  /// Draining happens once in a life: looking a hundred times a second costs nothing.
  private func pause() async {
    // Who asks for a drain may be cancelled; what was begun is finished all the same.
    let loop = loop
    await spawn { try? await loop.sleep(for: .milliseconds(10)) }.value
  }
}
