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
    await waitForAttempts()

    // What is left goes back.
    isGivingBack = true
    let late = Array(unfinished.values)
    // All at once, so that the store can take them in one transaction.
    let releases = late.compactMap { attempt -> Task<Void, Never>? in
      attempt.cancel()
      guard !attempt.isDecided else { return nil }
      attempt.isDecided = true
      return spawn { await self.release(attempt) }
    }
    for release in releases { await release.value }
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
      await waitForAttempts()
    }
    await close()
  }

  /// Waits until no attempt is under way whose end can be awaited, up to the deadline.
  private func waitForAttempts() async {
    while loop.now < drainDeadline, unfinished.values.contains(where: isAwaited) { await pause() }
  }

  /// A function that goes on after its outcome was recorded may do so for ever.
  private func isAwaited(_ attempt: Attempt) -> Bool {
    guard case .function = attempt.runner.definition.work else { return true }
    return running[attempt.claim.id] === attempt
  }

  /// Draining happens once in a life: looking a hundred times a second costs nothing.
  private func pause() async {
    // Who asks for a drain may be cancelled; what was begun is finished all the same.
    let loop = loop
    await spawn { try? await loop.sleep(for: .milliseconds(10)) }.value
  }
}
