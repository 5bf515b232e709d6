import CLibev
import Synchronization

/// An event loop over libev's epoll backend (epoll(7)).
///
/// One loop belongs to one thread: the one that runs it. All members are for that thread, except
/// `post`, `stop` and `isOnLoopThread`, which any thread may call.
public final class Loop {
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
  /// After a turn with so many posts the next one does not block: where many come, more are likely to
  /// be on their way, and to be woken for each few of them would cost more than to look again.
  static let postBurst = 16
  /// Less would cost a system call a few hundred bytes.
  static let minimumReadBufferSize = 4096

  // MARK: What a turn looks at

  /// libev's loop.
  let ev: OpaquePointer
  /// Watchers and references that keep the loop alive.
  var active = 0
  /// Libev turns by itself while `active` is above this.
  var idleLevel = Int.max
  /// Something waits that libev doesn't know of: the next turn begins with it.
  var attention = false
  /// libev has looked for events, and their callbacks have not been run.
  var hasPolled = false
  /// `cachedNow` is older than the turn.
  var isNowStale = true
  /// Watchers were started or stopped since libev has last told the kernel.
  var hasChanged = false
  /// The loop blocks for events, is about to, or is not in `run`: who posts must wake it.
  let isSleeping = Atomic<Bool>(true)
  let stopRequested = Atomic<Bool>(false)
  var cachedNow: UInt64 = 0

  // MARK: Counters

  /// Times that the loop has looked for events.
  public internal(set) var turns: UInt64 = 0
  /// Callbacks of handles that have run.
  public internal(set) var events: UInt64 = 0
  /// Posted callbacks that have run.
  public internal(set) var postsRun: UInt64 = 0
  /// Times that another thread has woken the loop.
  public internal(set) var wakes: UInt64 = 0
  /// Nanoseconds that the longest callback has taken while they were measured.
  public internal(set) var longestCallback: UInt64 = 0
  /// Whether callbacks are measured, and what is then done.
  var isMeasuring = false
  var watch = CallbackWatch(threshold: 0, callback: nil, context: nil)

  // MARK: What waits

  var timers = TimerHeap()
  /// When libev's timer is due, or `UInt64.max`.
  var armed = UInt64.max
  let alarm: UnsafeMutablePointer<ev_timer>

  let postBatch: Int
  /// The last turn has had many posts.
  var expectsPosts = false
  /// Posted callbacks that this turn may still run.
  var postsLeft: Int
  var ownPosts = PostBuffer()
  /// Other threads' posts that the loop has taken; the nodes run after the callbacks.
  var takenPosts = PostBuffer()
  var takenNodes = PostNodeList()
  /// Of `takenPosts`, those that come before `ownPosts`.
  var postsBeforeOwn = 0
  /// Whose posts the last one was looked for among first.
  var isOwnTurn = false
  /// Where `postedNodes` begins.
  var firstPosted: PostNode.Pointer
  var firstClosing: Unmanaged<Handle>?
  var lastClosing: Unmanaged<Handle>?

  var hooksBefore = HookList()
  var hooksAfter = HookList()
  var hooksIdle = HookList()
  /// Calls of hooks, which `events` counts, too.
  var hooksRun: UInt64 = 0
  /// What has happened to the handles in a run of one turn, whether a callback was called or not.
  var occurrences = 0

  // MARK: What it is made of

  /// The eventfd(2) by which other threads wake the loop.
  var wakeDescriptor: Int32
  let wakeWatcher: UnsafeMutablePointer<ev_io>
  /// libev's epoll descriptor, once it was asked for; -1 before.
  var epollDescriptor: Int32 = -1
  /// The process that created the loop, or took it over after fork(2).
  var owner: pid_t

  /// Watchers that watch a descriptor which epoll refuses because it is always ready.
  var alwaysReady = 0

  /// Handles that have not been closed.
  var openHandles = 0
  /// Those of them that can't be used in a child of fork(2).
  var handlesThatForbidFork = 0
  /// Where all streams of the loop read to. Its contents are valid during one callback.
  let readBuffer: UnsafeMutableRawBufferPointer
  /// Its `count`, which costs a test for each use: of whether there is a buffer.
  let readBufferSize: Int
  /// Watchers of each signal number on this loop; allocated with the first.
  var signalWatchers: [Int32] = []
  /// Made with the loop's first lookup.
  var lookups: LookupThreads?
  /// Made when the first UDP socket needs it.
  var datagrams: DatagramBatch?
  /// There while file watchers watch.
  var inotify: Inotify?

  // MARK: What other threads look at with each post

  // It lies in cache lines of its own: otherwise each turn of the loop would take them from the posters.
  private let paddingBefore = CacheLine()
  /// The thread that is in `run`, or 0.
  let runningThread = Atomic<UInt>(0)
  /// The thread that created the loop or last ran it.
  let lastThread: Atomic<UInt>
  let sharedPosts = SharedPosts()
  private let paddingBetween = CacheLine()
  let postedNodes = PostedNodes()
  private let paddingAfter = CacheLine()

  /// - Parameters:
  ///   - postBatch: the most posted callbacks that one turn runs.
  ///   - readBufferSize: bytes; at least 4,096.
  /// - Throws: `EDDY_EINVAL`; `EDDY_ENOTSUP` where epoll is missing; `EDDY_EMFILE`; `EDDY_ENFILE`;
  ///   `EDDY_ENOMEM`.
  public convenience init(
    postBatch: Int = defaultPostBatch, readBufferSize: Int = defaultReadBufferSize
  ) throws(EddyError) {
    guard postBatch > 0, readBufferSize >= Self.minimumReadBufferSize else {
      throw EddyError(EDDY_EINVAL)
    }
    let wake = Self.makeWakeDescriptor()
    guard wake >= 0 else { throw .current }
    guard let ev = ev_loop_new(UInt32(EVBACKEND_EPOLL | EVFLAG_NOENV)) else {
      let isExhausted = clibev_errno() == EMFILE || clibev_errno() == ENFILE
      let error = isExhausted ? EddyError.current : EddyError(EDDY_ENOTSUP)
      _ = close(wake)
      throw error
    }
    guard let buffer = malloc(readBufferSize) else {
      ev_loop_destroy(ev)
      _ = close(wake)
      throw EddyError(EDDY_ENOMEM)
    }
    self.init(
      ev, wake: wake, postBatch: postBatch,
      readBuffer: UnsafeMutableRawBufferPointer(start: buffer, count: readBufferSize))
  }

  private init(
    _ ev: OpaquePointer, wake: Int32, postBatch: Int, readBuffer: UnsafeMutableRawBufferPointer
  ) {
    self.ev = ev
    self.postBatch = postBatch
    postsLeft = postBatch
    self.readBuffer = readBuffer
    readBufferSize = readBuffer.count
    firstPosted = postedNodes.stub
    wakeDescriptor = wake
    wakeWatcher = .allocate(capacity: 1)
    alarm = .allocate(capacity: 1)
    owner = getpid()
    lastThread = Atomic(UInt(bitPattern: clibev_thread()))

    let context = Unmanaged.passUnretained(self).toOpaque()
    ev_set_userdata(ev, context)
    installEventHandler()
    ev_set_loop_release_cb(
      ev,
      { ev in
        // What epoll has refused just now is to be tried again, see `watchAnew`: libev would block.
        if ev_pending_count(ev) != 0 { Loop.with(ev_userdata(ev)) { $0.wake() } }
      }
    ) { ev in
      Loop.with(ev_userdata(ev)) { $0.hasLookedForEvents() }
    }
    clibev_io_init(
      wakeWatcher, { _, watcher, _ in Loop.with(watcher?.pointee.data) { $0.woken() } }, wake,
      Int32(EV_READ))
    wakeWatcher.pointee.data = context
    // It is never stopped: so libev always has something to wait for, and blocks when it is told to.
    ev_io_start(ev, wakeWatcher)
    // libev tells the kernel of its watchers when it runs; `descriptor` then needs this one alone.
    ev_run(ev, Int32(EVRUN_NOWAIT))
    turns = 0
    isSleeping.store(true, ordering: .relaxed)
    clibev_timer_init(
      alarm, { _, watcher, _ in Loop.with(watcher?.pointee.data) { $0.alarmRang() } }, 0, 0)
    alarm.pointee.data = context
  }

  deinit {
    lookups = nil  // first: a thread that has just posted an answer may not have woken the loop yet
    ev_loop_destroy(ev)
    _ = close(wakeDescriptor)
    free(readBuffer.baseAddress)
    ownPosts.release()
    takenPosts.release()
    wakeWatcher.deallocate()
    alarm.deallocate()
  }

  /// The loop behind a callback's data, which outlives the callback.
  @inline(__always)
  static func with(_ data: UnsafeMutableRawPointer?, _ body: (Loop) -> Void) {
    Unmanaged<Loop>.fromOpaque(data.unsafelyUnwrapped)._withUnsafeGuaranteedRef(body)
  }

  /// -1 with errno without a free descriptor.
  static func makeWakeDescriptor() -> Int32 {
    eventfd(0, Int32(truncatingIfNeeded: EFD_NONBLOCK) | Int32(truncatingIfNeeded: EFD_CLOEXEC))
  }

  static func readClock() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// The loop's clock (CLOCK_MONOTONIC) in nanoseconds: read when it is first asked for in a turn.
  public var now: UInt64 {
    @inline(__always) get {
      if isNowStale { updateNow() }
      return cachedNow
    }
  }

  /// Reads the clock again, after a callback that took long.
  @inline(never)
  public func updateNow() {
    cachedNow = Self.readClock()
    isNowStale = false
  }

  /// Keeps the loop alive without a handle, until `unref`.
  public func ref() {
    active += 1
  }

  /// Undoes one `ref`.
  public func unref() {
    active -= 1
  }

  /// Gives the loop up. Posts that wait are run first, and close callbacks that are due.
  /// - Throws: `EDDY_EBUSY` while it runs, or while a handle has not been closed.
  public func destroy() throws(EddyError) {
    let thread = UInt(bitPattern: clibev_thread())
    guard
      runningThread.compareExchange(expected: 0, desired: thread, ordering: .acquiring).exchanged
    else { throw EddyError(EDDY_EBUSY) }
    defer { runningThread.store(0, ordering: .releasing) }
    putEarlierPostsFirst()
    repeat {
      postsLeft = postBatch
    } while runPosts() || runCloseCallbacks()
    guard openHandles == 0 else { throw EddyError(EDDY_EBUSY) }
  }
}

/// As much as a cache line, so that what stands before it and what stands behind share none.
private struct CacheLine {
  private let words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
    (0, 0, 0, 0, 0, 0, 0, 0)
}
