import CLibev

/// A callback of the loop's turns. The loop's thread.
public final class Hook: Handle {
  /// When a hook is called; the values are those of `EDDY_HOOK_…`.
  public enum Kind: Int32, Sendable {
    /// In each turn, just before the loop looks for events.
    case beforeBlocking = 1
    /// In each turn, just after that, before any other callback.
    case afterBlocking = 2
    /// In each turn in which nothing else ran; keeps the loop alive and from blocking.
    case idle = 3
  }

  public let kind: Kind
  public private(set) var isActive = false
  fileprivate let callback: eddy_hook_cb
  /// The pass over the hooks of this kind in which it was started, and which passes it over.
  fileprivate var startedIn: UInt64 = 0
  fileprivate var next: Unmanaged<Hook>?
  fileprivate var previous: Unmanaged<Hook>?

  public init(
    loop: Loop, kind: Kind, context: UnsafeMutableRawPointer?, _ callback: @escaping eddy_hook_cb
  ) {
    self.kind = kind
    self.callback = callback
    super.init(loop: loop, context: context)
  }

  /// Starts the hook; one that is started stays so.
  public func start() {
    guard !isClosing, !isActive else { return }
    isActive = true
    loop.add(self)
  }

  /// Stops the hook; one that is stopped stays so.
  public func stop() {
    guard isActive else { return }
    isActive = false
    loop.remove(self)
  }

  /// Stops and frees the hook.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    stop()
    beginClosing(callback, context)
    finishClosing()
  }
}

/// The started hooks of one kind, in the order in which they were started.
struct HookList {
  private var first: Unmanaged<Hook>?
  private var last: Unmanaged<Hook>?
  /// The hook that a pass calls next: it moves on when that one is removed.
  private var cursor: Unmanaged<Hook>?
  /// Counts the passes.
  private var pass: UInt64 = 0

  var isEmpty: Bool { first == nil }

  mutating func append(_ hook: Hook) {
    let node = Unmanaged.passUnretained(hook)
    hook.startedIn = pass
    hook.previous = last
    hook.next = nil
    if let last {
      last._withUnsafeGuaranteedRef { $0.next = node }
    } else {
      first = node
    }
    last = node
  }

  mutating func remove(_ hook: Hook) {
    if let previous = hook.previous {
      previous._withUnsafeGuaranteedRef { $0.next = hook.next }
    } else {
      first = hook.next
    }
    if let next = hook.next {
      next._withUnsafeGuaranteedRef { $0.previous = hook.previous }
    } else {
      last = hook.previous
    }
    if cursor?.toOpaque() == Unmanaged.passUnretained(hook).toOpaque() { cursor = hook.next }
  }

  mutating func beginPass() {
    pass += 1
    cursor = first
  }

  /// The next hook of the pass, which was started before it.
  mutating func next() -> Hook? {
    while let node = cursor {
      let hook = node.takeUnretainedValue()
      cursor = hook.next
      if hook.startedIn < pass { return hook }
    }
    return nil
  }
}

extension Loop {
  fileprivate func add(_ hook: Hook) {
    switch hook.kind {
    case .beforeBlocking: hooksBefore.append(hook)
    case .afterBlocking: hooksAfter.append(hook)
    case .idle:
      hooksIdle.append(hook)
      active += 1
    }
    attention = true
  }

  fileprivate func remove(_ hook: Hook) {
    switch hook.kind {
    case .beforeBlocking: hooksBefore.remove(hook)
    case .afterBlocking: hooksAfter.remove(hook)
    case .idle:
      hooksIdle.remove(hook)
      active -= 1
    }
  }

  func runHooksBefore() {
    hooksBefore.beginPass()
    while let hook = hooksBefore.next() { run(hook) }
  }

  func runHooksAfter() {
    hooksAfter.beginPass()
    while let hook = hooksAfter.next() { run(hook) }
  }

  func runHooksIdle() {
    hooksIdle.beginPass()
    while let hook = hooksIdle.next() { run(hook) }
  }

  private func run(_ hook: Hook) {
    hooksRun &+= 1
    dispatch(.hook, hook.callback, hook.context) { hook.callback(hook.opaque, hook.context) }
  }
}
