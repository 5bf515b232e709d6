import CLibev
import Synchronization

/// A callback that waits for the loop's thread, in the memory of what it is about: to post it takes no
/// memory and no lock, and can't fail.
struct PostNode: ~Copyable {
  typealias Pointer = UnsafeMutablePointer<PostNode>

  let next = Atomic<Pointer?>(nil)
  let callback: PostedCallback

  init(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer? = nil
  ) {
    callback = PostedCallback(function: function, context: context, argument: argument)
  }
}

/// Nodes that other threads have posted: D. Vyukov's queue for many producers and one consumer
/// ("Intrusive MPSC node-based queue"), in which to post is one atomic exchange.
///
/// A poster that has exchanged the end and not yet linked its node hides what is behind it: the queue
/// is then neither empty nor gives anything, and the loop turns without blocking until the link is there.
///
/// Where the loop takes is kept apart from this, `start`: posters must not touch what the loop changes.
struct PostedNodes: ~Copyable {
  /// Stands in the queue when nothing else does; the first `start`.
  let stub: PostNode.Pointer
  /// Where posters add.
  private let end: Atomic<PostNode.Pointer>

  init() {
    stub = .allocate(capacity: 1)
    stub.initialize(to: PostNode({ _, _ in }, nil))
    end = Atomic(stub)
  }

  deinit {
    stub.deinitialize(count: 1)
    stub.deallocate()
  }

  /// Adds a node. Any thread.
  ///
  /// Sequentially consistent with the loop's flag that it sleeps: either the loop sees the post before
  /// it blocks, or the poster then sees that it blocks.
  @inline(__always)
  borrowing func push(_ node: PostNode.Pointer) {
    node.pointee.next.store(nil, ordering: .relaxed)
    let previous = end.exchange(node, ordering: .sequentiallyConsistent)
    previous.pointee.next.store(node, ordering: .releasing)
  }

  /// Whether nothing waits. The loop's thread.
  @inline(__always)
  borrowing func isEmpty(from start: PostNode.Pointer) -> Bool {
    start == stub && end.load(ordering: .sequentiallyConsistent) == stub
  }

  /// Takes the first node, if it is linked. The loop's thread.
  borrowing func pop(from start: inout PostNode.Pointer) -> PostNode.Pointer? {
    var first = start
    var next = first.pointee.next.load(ordering: .acquiring)
    if first == stub {
      guard let behind = next else { return nil }
      start = behind
      first = behind
      next = behind.pointee.next.load(ordering: .acquiring)
    }
    if let next {
      start = next
      return first
    }
    // The last one: the stub takes its place, unless a poster is just linking another.
    guard end.load(ordering: .acquiring) == first else { return nil }
    push(stub)
    guard let next = first.pointee.next.load(ordering: .acquiring) else { return nil }
    start = next
    return first
  }
}

/// Nodes in the order in which they are to run. The loop's thread.
struct PostNodeList {
  private var first: PostNode.Pointer?
  private var last: PostNode.Pointer?

  var isEmpty: Bool { first == nil }

  mutating func append(_ node: PostNode.Pointer) {
    node.pointee.next.store(nil, ordering: .relaxed)
    if let last {
      last.pointee.next.store(node, ordering: .relaxed)
    } else {
      first = node
    }
    last = node
  }

  mutating func pop() -> PostNode.Pointer? {
    guard let node = first else { return nil }
    first = node.pointee.next.load(ordering: .relaxed)
    if first == nil { last = nil }
    return node
  }
}
