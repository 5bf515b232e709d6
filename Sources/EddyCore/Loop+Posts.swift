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
  func tryPost(
    _ function: @escaping Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> Bool {
    guard let node = givenNodes.make(function, context, argument) else { return false }
    post(node)
    return true
  }

  /// Queues a node of the caller's, which can't fail. The memory is the caller's again when the
  /// callback is called. Any thread.
  func post(_ node: PostNode.Pointer) {
    if isRunningHere {
      posts.append(node)
      attention = true
      return
    }
    pushed.push(node)
    if isSleeping.load(ordering: .sequentiallyConsistent) { wakeOnce() }
  }

  /// Of those who post while the loop sleeps, one wakes it.
  @inline(never)
  func wakeOnce() {
    if isSleeping.exchange(false, ordering: .sequentiallyConsistent) { wake() }
  }

  /// Whether a post waits, of this thread or another.
  var hasPosts: Bool {
    @inline(__always) get { !posts.isEmpty || !pushed.isEmpty(from: firstPushed) }
  }

  /// Runs the posted callbacks that this turn still may, the loop's own and others' in turn, so that
  /// neither can hold up the other. True if any ran.
  func runPosts() -> Bool {
    guard hasPosts else { return false }
    let before = postsRun
    while postsLeft > 0 {
      let own = posts.pop()
      if let own { run(own) }
      let other = pushed.pop(from: &firstPushed)
      if let other { run(other) }
      if own == nil, other == nil { break }
    }
    spentNodes.giveBack(to: givenNodes)
    if hasPosts { attention = true }
    return postsRun != before
  }

  @inline(__always)
  private func run(_ node: PostNode.Pointer) {
    postsLeft &-= 1
    postsRun &+= 1
    let function = node.pointee.function
    let context = node.pointee.context
    let argument = node.pointee.argument
    if node.pointee.owner == .nodes { spentNodes.add(node, for: givenNodes) }
    if isMeasuring {
      let address = unsafeBitCast(function, to: UnsafeMutableRawPointer.self)
      measure(.post, address, context) { function(context, argument) }
    } else {
      function(context, argument)
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
    var count: UInt64 = 0
    _ = read(wakeDescriptor, &count, MemoryLayout<UInt64>.size)
    wakes &+= 1
  }
}
