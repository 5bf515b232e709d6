import CLibev
import Synchronization

extension Loop {
  /// A callback that was posted.
  public typealias Post =
    @convention(c) (
      _ context: UnsafeMutableRawPointer?, _ argument: UnsafeMutableRawPointer?
    ) -> Void

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
  @inline(__always)
  func tryPost(
    _ function: @escaping Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> Bool {
    let callback = PostedCallback(function: function, context: context, argument: argument)
    if isRunningHere {
      attention = true
      return ownPosts.append(callback)
    }
    guard let isFirst = sharedPosts.push(callback) else { return false }
    if isFirst { wakeIfSleeping() }
    return true
  }

  /// Queues a node of the caller's, which can't fail. The memory is the caller's again when the
  /// callback is called. Any thread.
  func post(_ node: PostNode.Pointer) {
    if isRunningHere {
      takenNodes.append(node)
      attention = true
    } else {
      postedNodes.push(node)
      wakeIfSleeping()
    }
  }

  /// Of those who post while the loop sleeps, one wakes it. Any thread.
  @inline(__always)
  func wakeIfSleeping() {
    if isSleeping.load(ordering: .sequentiallyConsistent) { wakeOnce() }
  }

  @inline(never)
  private func wakeOnce() {
    if isSleeping.exchange(false, ordering: .sequentiallyConsistent) { wake() }
  }

  /// Whether other threads have posted what the loop has not taken yet.
  var hasForeignPosts: Bool {
    @inline(__always) get { !sharedPosts.isEmpty || !postedNodes.isEmpty(from: firstPosted) }
  }

  /// Whether a post waits, of this thread or another.
  var hasPosts: Bool {
    hasForeignPosts || !ownPosts.isEmpty || !takenPosts.isEmpty || !takenNodes.isEmpty
  }

  /// Runs the posted callbacks that this turn still may, the loop's own and others' in turn, so that
  /// neither can hold up the other. True if any ran. What a node brings is a callback of its handle,
  /// which counts and measures it.
  func runPosts() -> Bool {
    guard hasPosts else { return false }
    let before = postsLeft
    // Once a turn: to look again after each few would have the loop's thread and the posters' pass the
    // mutex, and its cache line, to and fro.
    if takenPosts.isEmpty, takenNodes.isEmpty { takeForeignPosts() }
    while postsLeft > 0 {
      isOwnTurn.toggle()
      guard isOwnTurn ? runOwnPost() || runForeignPost() : runForeignPost() || runOwnPost() else {
        break
      }
    }
    if hasPosts { attention = true }
    return postsLeft != before
  }

  @inline(__always)
  private func runOwnPost() -> Bool {
    guard postsBeforeOwn == 0, let post = ownPosts.pop() else { return false }
    run(post)
    return true
  }

  @inline(__always)
  private func runForeignPost() -> Bool {
    if let post = takenPosts.pop() {
      if postsBeforeOwn > 0 { postsBeforeOwn &-= 1 }
      run(post)
    } else if let node = takenNodes.pop() {
      postsLeft &-= 1
      occurrences &+= 1
      node.pointee.callback.call()
    } else {
      return false
    }
    return true
  }

  /// Before a run: its thread may have posted before it as others do, and those posts come before the
  /// ones of its callbacks. What is left of an earlier run comes before both.
  func putEarlierPostsFirst() {
    guard !ownPosts.isEmpty || !takenPosts.isEmpty || hasForeignPosts else { return }
    takenPosts.take(&ownPosts)
    if takenPosts.isEmpty {
      takeForeignPosts()
    } else if ownPosts.isEmpty {
      takeForeignNodes()
      sharedPosts.exchange(for: &ownPosts)
      takenPosts.take(&ownPosts)  // without memory some stay there, where they come next
    }
    postsBeforeOwn = takenPosts.count
  }

  /// Nodes first: what their threads have posted before them is then among the callbacks, which run
  /// before the nodes.
  private func takeForeignPosts() {
    takeForeignNodes()
    if !sharedPosts.isEmpty { sharedPosts.exchange(for: &takenPosts) }
  }

  private func takeForeignNodes() {
    var left = postBatch
    while left > 0, let node = postedNodes.pop(from: &firstPosted) {
      takenNodes.append(node)
      left &-= 1
    }
  }

  @inline(__always)
  private func run(_ callback: PostedCallback) {
    postsLeft &-= 1
    postsRun &+= 1
    if isMeasuring {
      measure(.post, callback.reportedFunction, callback.context) { callback.call() }
    } else {
      callback.call()
    }
  }

  // MARK: Close callbacks

  func enqueueClosing(_ handle: Handle) {
    let handle = Unmanaged.passUnretained(handle)
    if let lastClosing {
      lastClosing._withUnsafeGuaranteedRef { $0.nextClosing = handle }
    } else {
      firstClosing = handle
    }
    lastClosing = handle
    attention = true
  }

  /// Runs the close callbacks that are due now; those that they cause wait for the next call. True if
  /// there were any.
  func runCloseCallbacks() -> Bool {
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

  // MARK: Waking

  /// Ends a wait, or makes the next one end at once. Any thread.
  func wake() {
    var one: UInt64 = 1
    _ = write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
  }

  /// Another thread has posted, or asked for a stop: the turn's end sees what.
  func woken() {
    // epoll has refused the descriptor, see `watchAnew`; this watcher is not counted.
    if clibev_io_active(wakeWatcher) == 0 {
      setAnew(wakeWatcher)
      ev_io_start(ev, wakeWatcher)
    }
    var count: UInt64 = 0
    _ = read(wakeDescriptor, &count, MemoryLayout<UInt64>.size)
    wakes &+= 1
    occurrences &-= 1
  }
}
