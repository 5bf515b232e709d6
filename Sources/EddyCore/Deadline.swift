import CLibev

/// A one-shot deadline inside a handle. It stays where it is while it runs.
struct Deadline {
  /// Runs when the deadline has come; the node is stopped by then.
  typealias Fire = @convention(c) (_ owner: UnsafeMutableRawPointer) -> Void

  fileprivate let owner: UnsafeMutableRawPointer
  fileprivate let fire: Fire
  fileprivate var watcher = ev_timer()
  fileprivate unowned(unsafe) var loop: Loop?

  init(owner: UnsafeMutableRawPointer, fire: @escaping Fire) {
    self.owner = owner
    self.fire = fire
  }

  var isActive: Bool { loop != nil }
}

extension Loop {
  /// Starts a node, or starts it anew.
  /// - Parameter due: by the loop's clock.
  func start(_ node: UnsafeMutablePointer<Deadline>, at due: UInt64) {
    stop(node)
    clibev_timer_init(
      &node.pointee.watcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        let node = data.assumingMemoryBound(to: Deadline.self)
        node.pointee.loop?.watcherHasStopped()
        node.pointee.loop = nil
        node.pointee.fire(node.pointee.owner)
      }, 0, 0)
    node.pointee.watcher.data = UnsafeMutableRawPointer(node)
    node.pointee.loop = self
    start(&node.pointee.watcher, delay: due > now ? due - now : 0)
  }

  func stop(_ node: UnsafeMutablePointer<Deadline>) {
    guard node.pointee.isActive else { return }
    node.pointee.loop = nil
    stop(&node.pointee.watcher)
  }
}
