import CLibev
import Synchronization

/// Callbacks that other threads have posted: D. Vyukov's queue for many producers and one consumer
/// ("Intrusive MPSC node-based queue"), in which to post is one atomic exchange.
///
/// A poster that has exchanged the end and not yet linked its node hides what is behind it: the queue
/// is then neither empty nor gives anything, and the loop turns without blocking until the link is there.
///
/// Where the loop takes is kept apart from this, `start`: posters must not touch what the loop changes.
struct PushedPosts: ~Copyable {
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

  /// Adds a callback. Any thread.
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

  /// Takes the first callback, if it is linked. The loop's thread.
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

/// Callbacks that the loop's own thread has posted.
struct PostList {
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
