import CLibev
import Synchronization

/// An event loop over libev's epoll backend (epoll(7)).
///
/// One loop belongs to one thread: the one that runs it. All members are for that thread, except
/// `post`, `stop` and `isOnLoopThread`, which any thread may call.
public final class Loop {
  /// A callback that was posted.
  public typealias Post =
    @convention(c) (
      _ context: UnsafeMutableRawPointer?, _ argument: UnsafeMutableRawPointer?
    ) -> Void

  /// How long `run` runs.
  public enum RunMode: Int32, Sendable {
    /// Until no handle waits for anything, or `stop`.
    case untilIdle = 0
    /// One turn, which blocks until something happens.
    case once = 1
    /// One turn that does not block.
    case nowait = 2
    /// Until `stop`, even if nothing waits: other threads may yet post.
    case untilStopped = 3
  }

  /// Callbacks that one turn runs before it looks at descriptors again: enough to amortise a turn,
  /// few enough that I/O waits for microseconds, not milliseconds.
  public static let defaultPostBatch = 1024
  /// Bytes that one read takes from the kernel at most; the same as libuv and nginx's larger buffers.
  public static let defaultReadBufferSize = 65536
  /// Less would cost a system call a few hundred bytes.
  static let minimumReadBufferSize = 4096

  /// libev's loop.
  let ev: OpaquePointer
  /// Watchers of the loop itself; none of them keeps it alive, except `idle` while it is active.
  private let wake: UnsafeMutablePointer<ev_async>
  private let beforeBlocking: UnsafeMutablePointer<ev_prepare>
  private let afterBlocking: UnsafeMutablePointer<ev_check>
  private let idle: UnsafeMutablePointer<ev_idle>

  private let postBatch: Int
  /// Posted callbacks that this turn may still run.
  private var postsLeft: Int
  private let pushed = PushedPosts()
  private var posts = PostList()
  private var firstClosing: Unmanaged<Handle>?
  private var lastClosing: Unmanaged<Handle>?
  private var mode = RunMode.untilIdle
  private let stopRequested = Atomic<Bool>(false)
  /// The thread that is in `run`, or 0.
  private let runningThread = Atomic<UInt>(0)
  /// The thread that created the loop or last ran it.
  private let lastThread: Atomic<UInt>

  /// Handles that have not been closed.
  var openHandles = 0
  /// Watchers and references that keep the loop alive. libev counts them too, but doesn't tell.
  var active = 0
  /// Where all streams of the loop read to. Its contents are valid during one callback.
  let readBuffer: UnsafeMutableRawBufferPointer
  /// Watchers of each signal number on this loop; allocated with the first.
  var signalWatchers: [Int32] = []
  /// Made with the loop's first lookup.
  var lookups: LookupThreads?

  /// Callbacks of handles that have run.
  public internal(set) var events: UInt64 = 0
  /// Whether callbacks are measured, and what is then done.
  var isMeasuring = false
  var watch = CallbackWatch(threshold: 0, callback: nil, context: nil)
  /// Nanoseconds that the longest callback has taken while they were measured.
  public internal(set) var longestCallback: UInt64 = 0

  /// The loop's clock (CLOCK_MONOTONIC) in nanoseconds, read once a turn just after blocking.
  public private(set) var now: UInt64

  /// - Parameters:
  ///   - postBatch: the most posted callbacks that one turn runs.
  ///   - readBufferSize: bytes; at least 4,096.
  /// - Throws: `EDDY_EINVAL`; `EDDY_ENOTSUP` where epoll is missing; `EDDY_ENOMEM`.
  public convenience init(
    postBatch: Int = defaultPostBatch, readBufferSize: Int = defaultReadBufferSize
  ) throws(EddyError) {
    guard postBatch > 0, readBufferSize >= Self.minimumReadBufferSize else {
      throw EddyError(EDDY_EINVAL)
    }
    guard let ev = ev_loop_new(UInt32(EVBACKEND_EPOLL | EVFLAG_NOENV)) else {
      throw EddyError(EDDY_ENOTSUP)
    }
    guard let buffer = malloc(readBufferSize) else {
      ev_loop_destroy(ev)
      throw EddyError(EDDY_ENOMEM)
    }
    self.init(
      ev, postBatch: postBatch,
      readBuffer: UnsafeMutableRawBufferPointer(start: buffer, count: readBufferSize))
  }

  private init(_ ev: OpaquePointer, postBatch: Int, readBuffer: UnsafeMutableRawBufferPointer) {
    self.ev = ev
    self.postBatch = postBatch
    postsLeft = postBatch
    self.readBuffer = readBuffer
    wake = .allocate(capacity: 1)
    beforeBlocking = .allocate(capacity: 1)
    afterBlocking = .allocate(capacity: 1)
    idle = .allocate(capacity: 1)
    now = Self.readClock()
    lastThread = Atomic(UInt(pthread_self()))

    let context = Unmanaged.passUnretained(self).toOpaque()
    clibev_async_init(wake) { _, watcher, _ in Loop.of(watcher?.pointee.data).woken() }
    wake.pointee.data = context
    ev_async_start(ev, wake)
    clibev_prepare_init(beforeBlocking) { _, watcher, _ in
      Loop.of(watcher?.pointee.data).willBlock()
    }
    beforeBlocking.pointee.data = context
    ev_prepare_start(ev, beforeBlocking)
    clibev_check_init(afterBlocking) { _, watcher, _ in
      Loop.of(watcher?.pointee.data).now = Loop.readClock()
    }
    afterBlocking.pointee.data = context
    clibev_check_set_first(afterBlocking)
    ev_check_start(ev, afterBlocking)
    clibev_idle_init(idle) { _, watcher, _ in Loop.of(watcher?.pointee.data).nothingElsePending() }
    idle.pointee.data = context
    for _ in 0..<3 { ev_unref(ev) }  // wake, beforeBlocking, afterBlocking
  }

  deinit {
    ev_loop_destroy(ev)
    free(readBuffer.baseAddress)
    wake.deallocate()
    beforeBlocking.deallocate()
    afterBlocking.deallocate()
    idle.deallocate()
  }

  @inline(__always)
  private static func of(_ data: UnsafeMutableRawPointer?) -> Loop {
    Unmanaged<Loop>.fromOpaque(data.unsafelyUnwrapped).takeUnretainedValue()
  }

  static func readClock() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}

// MARK: - Running

extension Loop {
  /// Runs the loop on the calling thread.
  /// - Returns: whether something still keeps the loop alive.
  /// - Throws: `EDDY_EBUSY` if it runs already, on this thread or another.
  @discardableResult
  public func run(_ mode: RunMode = .untilIdle) throws(EddyError) -> Bool {
    let thread = UInt(pthread_self())
    guard
      runningThread.compareExchange(expected: 0, desired: thread, ordering: .acquiring).exchanged
    else { throw EddyError(EDDY_EBUSY) }
    lastThread.store(thread, ordering: .relaxed)
    self.mode = mode
    updateNow()
    if stopRequested.load(ordering: .acquiring) {
      runTurns(EVRUN_NOWAIT)
    } else {
      switch mode {
      case .once: runTurns(EVRUN_ONCE)
      case .nowait: runTurns(EVRUN_NOWAIT)
      case .untilIdle:
        repeat {
          runTurns(0)
        } while isAlive && !stopRequested.load(ordering: .acquiring)
      case .untilStopped:
        ev_ref(ev)
        repeat {
          runTurns(0)
        } while !stopRequested.load(ordering: .acquiring)
        ev_unref(ev)
      }
    }
    stopRequested.store(false, ordering: .relaxed)
    runningThread.store(0, ordering: .releasing)
    return isAlive
  }

  private func runTurns(_ flags: Int) {
    if !pushed.isEmpty { keepTurning() }
    ev_run(ev, Int32(flags))
  }

  /// Makes `run` return at the end of the turn; one that has not begun yet runs one turn. Any thread.
  public func stop() {
    stopRequested.store(true, ordering: .releasing)
    if isRunningHere {
      ev_break(ev, Int32(EVBREAK_ONE))
    } else {
      ev_async_send(ev, wake)
    }
  }

  /// Whether something keeps the loop alive: a handle that waits, a post, a close callback.
  public var isAlive: Bool {
    active > 0 || !posts.isEmpty || firstClosing != nil || !pushed.isEmpty
  }

  /// Whether the calling thread is in `run`. Any thread.
  private var isRunningHere: Bool {
    runningThread.load(ordering: .relaxed) == UInt(pthread_self())
  }

  /// Whether a thread is in `run`. Any thread.
  public var isRunning: Bool { runningThread.load(ordering: .relaxed) != 0 }

  /// Whether the calling thread is the loop's: the one that runs it, or, while none does, the one
  /// that ran it last or created it. Any thread.
  public var isOnLoopThread: Bool {
    let running = runningThread.load(ordering: .relaxed)
    return (running != 0 ? running : lastThread.load(ordering: .relaxed)) == UInt(pthread_self())
  }

  /// Reads the clock again, after a callback that took long.
  public func updateNow() {
    ev_now_update(ev)
    now = Self.readClock()
  }

  /// Keeps the loop alive without a handle, until `unref`.
  public func ref() {
    ev_ref(ev)
    active += 1
  }

  /// Undoes one `ref`.
  public func unref() {
    ev_unref(ev)
    active -= 1
  }

  /// Gives the loop up. Posts that wait are run first, and close callbacks that are due.
  /// - Throws: `EDDY_EBUSY` while it runs, or while a handle has not been closed.
  public func destroy() throws(EddyError) {
    let thread = UInt(pthread_self())
    guard
      runningThread.compareExchange(expected: 0, desired: thread, ordering: .acquiring).exchanged
    else { throw EddyError(EDDY_EBUSY) }
    defer { runningThread.store(0, ordering: .releasing) }
    repeat {
      postsLeft = postBatch
    } while runPosts() || runCloseCallbacks()
    guard openHandles == 0 else { throw EddyError(EDDY_EBUSY) }
  }
}

// MARK: - Posts and close callbacks

extension Loop {
  /// Queues a callback for the loop's thread and wakes the loop if it blocks. Any thread, but not
  /// a signal handler. Callbacks of one thread keep their order.
  public func post(
    _ function: @escaping Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer? = nil
  ) {
    let isQueued = tryPost(function, context, argument)
    precondition(isQueued, "out of memory")
  }

  /// The same, or false when there is no memory.
  func tryPost(
    _ function: @escaping Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> Bool {
    if isRunningHere {
      guard posts.append(function, context, argument) else { return false }
      keepTurning()
      return true
    }
    guard let mustWake = pushed.push(function, context, argument) else { return false }
    if mustWake { ev_async_send(ev, wake) }
    return true
  }

  func enqueueClosing(_ handle: Handle) {
    let handle = Unmanaged.passUnretained(handle)
    if let lastClosing {
      lastClosing._withUnsafeGuaranteedRef { $0.nextClosing = handle }
    } else {
      firstClosing = handle
    }
    lastClosing = handle
    keepTurning()
  }

  /// Runs the posted callbacks that this turn still may. True if any ran.
  private func runPosts() -> Bool {
    posts.append(reversing: pushed.takeAll())
    var didRun = false
    while postsLeft > 0, let post = posts.pop() {
      postsLeft -= 1
      post.function(post.context, post.argument)
      didRun = true
    }
    return didRun
  }

  /// Runs the close callbacks that are due now; those that they cause wait for the next call.
  private func runCloseCallbacks() -> Bool {
    guard var next = firstClosing else { return false }
    firstClosing = nil
    lastClosing = nil
    while true {
      let handle = next.takeUnretainedValue()
      let following = handle.nextClosing
      handle.runCloseCallback()
      guard let following else { return true }
      next = following
    }
  }

  /// Keeps the next turn from blocking, because something waits that no descriptor tells of.
  private func keepTurning() {
    if clibev_idle_active(idle) == 0 { ev_idle_start(ev, idle) }
  }

  /// Another thread has posted, or asked for a stop.
  private func woken() {
    if stopRequested.load(ordering: .acquiring) { ev_break(ev, Int32(EVBREAK_ONE)) }
    _ = runPosts()
    if !posts.isEmpty { keepTurning() }
  }

  /// The start of a turn: what the last one left runs before the loop blocks.
  private func willBlock() {
    postsLeft = postBatch
    guard clibev_idle_active(idle) != 0 else { return }
    let didRun = runPosts()
    let didClose = runCloseCallbacks()
    let isDone = posts.isEmpty && firstClosing == nil
    // One turn ends when something has happened; in a run of many it may block right away.
    if isDone && !(mode == .once && (didRun || didClose)) { ev_idle_stop(ev, idle) }
    if stopRequested.load(ordering: .acquiring) { ev_break(ev, Int32(EVBREAK_ONE)) }
  }

  private func nothingElsePending() {
    if posts.isEmpty && firstClosing == nil { ev_idle_stop(ev, idle) }
  }
}
