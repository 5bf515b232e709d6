import CLibev
import Synchronization

// A turn: hooks before blocking; libev looks for events, blocking for them if nothing else waits;
// hooks after blocking; the events' callbacks; timers; posts; close callbacks; idle hooks.
//
// I/O comes before timers, so that what has arrived in time is seen before the timeout that it was to
// beat. While there is nothing but I/O to do, libev turns by itself, and a turn costs what it costs
// in a program that uses libev alone, but for the few instructions of `handleEvents`.
extension Loop {
  /// Runs the loop on the calling thread.
  /// - Returns: whether something still keeps the loop alive.
  /// - Throws: `EDDY_EBUSY` if it runs already, on this thread or another; `EDDY_EFORKED` in a child
  ///   of fork(2) that has not called `forked`.
  @discardableResult
  public func run(_ mode: RunMode = .untilIdle) throws(EddyError) -> Bool {
    guard getpid() == owner else { throw EddyError(EDDY_EFORKED) }
    let thread = UInt(bitPattern: clibev_thread())
    guard
      runningThread.compareExchange(expected: 0, desired: thread, ordering: .acquiring).exchanged
    else { throw EddyError(EDDY_EBUSY) }
    lastThread.store(thread, ordering: .relaxed)
    isNowStale = true
    putEarlierPostsFirst()
    let idleLevel = mode == .untilIdle ? 0 : Int.min
    switch mode {
    case .nowait: turn(mayBlock: false)
    case .once: turnOnce()
    case .untilIdle:
      repeat {
        turn(mayBlock: isAlive, turningOnAbove: idleLevel)
      } while isAlive && !isStopRequested
    case .untilStopped:
      repeat {
        turn(mayBlock: true, turningOnAbove: idleLevel)
      } while !isStopRequested
    }
    stopRequested.store(false, ordering: .relaxed)
    isNowStale = true  // a host may come back after hours
    isSleeping.store(true, ordering: .sequentiallyConsistent)
    runningThread.store(0, ordering: .releasing)
    return isAlive
  }

  private var isStopRequested: Bool { stopRequested.load(ordering: .acquiring) }

  /// A wait may end for nothing: a timer was moved to a later time, a signal handler of the host has
  /// run, or libev has waited as long as it ever does, a minute. Then the turn begins again.
  private func turnOnce() {
    ev_set_invoke_pending_cb(ev) { ev in
      Loop.with(ev_userdata(ev)) { loop in
        loop.occurrences &+= Int(ev_pending_count(ev))
        loop.handleEvents()
      }
    }
    let (before, handles) = (callbacksButHooks, openHandles)
    occurrences = 0
    repeat {
      turn(mayBlock: isAlive)
    } while occurrences <= 0 && before == callbacksButHooks && handles == openHandles
      && isAlive && !isStopRequested
    installEventHandler()
  }

  /// Has libev leave the events' callbacks to `handleEvents`.
  func installEventHandler() {
    ev_set_invoke_pending_cb(ev) { ev in
      Loop.with(ev_userdata(ev)) { $0.handleEvents() }
    }
  }

  /// One turn.
  /// - Parameter level: libev may go on with further turns as long as there is only I/O, and `active`
  ///   is above this.
  private func turn(mayBlock: Bool, turningOnAbove level: Int = .max) {
    attention = false
    postsLeft = postBatch
    let before = callbacksButHooks
    if !hooksBefore.isEmpty { runHooksBefore() }
    let isDue = armTimer()
    let hasWork = isDue || firstClosing != nil || !hooksIdle.isEmpty || expectsPosts
    isSleeping.store(true, ordering: .sequentiallyConsistent)
    let mustGoOn = hasWork || hasPosts || isStopRequested
    let blocks = mayBlock && !mustGoOn
    // Hooks that are due before each wait are not libev's to call.
    idleLevel = blocks && hooksBefore.isEmpty ? level : .max
    ev_run(ev, blocks ? 0 : Int32(EVRUN_NOWAIT))
    runDueTimers()
    _ = runPosts()
    expectsPosts = postBatch - postsLeft >= Self.postBurst
    _ = runCloseCallbacks()
    if !hooksIdle.isEmpty, before == callbacksButHooks {
      occurrences &+= 1
      runHooksIdle()
    }
  }

  private var callbacksButHooks: UInt64 { events &+ postsRun &- hooksRun }

  /// libev has just returned from epoll_wait(2).
  @inline(__always)
  func hasLookedForEvents() {
    isSleeping.store(false, ordering: .relaxed)
    turns &+= 1
    isNowStale = true
    hasPolled = true
    hasChanged = false
  }

  /// Runs the callbacks of the events, and decides whether libev may go on by itself.
  @inline(__always)
  func handleEvents() {
    guard hasPolled else { return ev_invoke_pending(ev) }  // libev asks before its first turn, too
    hasPolled = false
    if !hooksAfter.isEmpty { runHooksAfter() }
    ev_invoke_pending(ev)
    if attention || active <= idleLevel { return ev_break(ev, Int32(EVBREAK_ONE)) }
    isSleeping.store(true, ordering: .sequentiallyConsistent)
    guard hasForeignPosts || isStopRequested else { return }
    isSleeping.store(false, ordering: .relaxed)
    ev_break(ev, Int32(EVBREAK_ONE))
  }

  /// Makes `run` return at the end of the turn; one that has not begun yet runs one turn. Any thread.
  public func stop() {
    stopRequested.store(true, ordering: .sequentiallyConsistent)
    if isRunningHere {
      attention = true
    } else {
      wakeIfSleeping()
    }
  }

  /// Whether something keeps the loop alive: a handle that waits, a post, a close callback.
  public var isAlive: Bool {
    active > 0 || hasPosts || firstClosing != nil
  }

  /// Whether the calling thread is in `run`. Any thread.
  var isRunningHere: Bool {
    runningThread.load(ordering: .relaxed) == UInt(bitPattern: clibev_thread())
  }

  /// Whether a thread is in `run`. Any thread.
  public var isRunning: Bool { runningThread.load(ordering: .relaxed) != 0 }

  /// Whether the calling thread is the loop's: the one that runs it, or, while none does, the one
  /// that ran it last or created it. Any thread.
  public var isOnLoopThread: Bool {
    let running = runningThread.load(ordering: .relaxed)
    return (running != 0 ? running : lastThread.load(ordering: .relaxed))
      == UInt(bitPattern: clibev_thread())
  }
}
