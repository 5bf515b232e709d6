import CLibev
import Synchronization

/// A callback that waits for the loop's thread.
struct PostNode {
  var next: UnsafeMutablePointer<PostNode>?
  var function: Loop.Post
  var context: UnsafeMutableRawPointer?
  var argument: UnsafeMutableRawPointer?
}

extension PostNode {
  /// A node of its own for a callback; nil without memory.
  fileprivate static func allocate(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> UnsafeMutablePointer<PostNode>? {
    guard let memory = malloc(MemoryLayout<PostNode>.size) else { return nil }
    let node = memory.bindMemory(to: PostNode.self, capacity: 1)
    node.initialize(
      to: PostNode(next: nil, function: function, context: context, argument: argument))
    return node
  }
}

/// Callbacks that other threads have posted: a lock-free stack.
///
/// It is taken whole, so that a node's address can't be pushed again while another thread compares
/// it (ABA).
struct PushedPosts: ~Copyable {
  private let head = Atomic<UnsafeMutablePointer<PostNode>?>(nil)

  /// Adds a callback. Any thread.
  /// - Returns: whether the loop must be woken, because none was waiting; nil without memory.
  borrowing func push(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> Bool? {
    guard let node = PostNode.allocate(function, context, argument) else { return nil }
    var known = head.load(ordering: .relaxed)
    while true {
      node.pointee.next = known
      let result = head.weakCompareExchange(
        expected: known, desired: node, successOrdering: .releasing, failureOrdering: .relaxed)
      if result.exchanged { return known == nil }
      known = result.original
    }
  }

  /// Takes all, the latest first.
  borrowing func takeAll() -> UnsafeMutablePointer<PostNode>? {
    head.load(ordering: .relaxed) == nil ? nil : head.exchange(nil, ordering: .acquiring)
  }

  /// Whether none waits here. Any thread.
  var isEmpty: Bool { head.load(ordering: .relaxed) == nil }
}

/// Callbacks in the order in which they are to run. Only the loop's thread touches it.
struct PostList {
  private var first: UnsafeMutablePointer<PostNode>?
  private var last: UnsafeMutablePointer<PostNode>?

  /// Adds a callback. False without memory.
  mutating func append(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> Bool {
    guard let node = PostNode.allocate(function, context, argument) else { return false }
    append(first: node, last: node)
    return true
  }

  /// Adds what other threads have pushed, so that callbacks of one thread keep their order.
  mutating func append(reversing newest: UnsafeMutablePointer<PostNode>?) {
    var node = newest
    var oldest: UnsafeMutablePointer<PostNode>?
    while let current = node {
      node = current.pointee.next
      current.pointee.next = oldest
      oldest = current
    }
    if let oldest, let newest { append(first: oldest, last: newest) }
  }

  private mutating func append(
    first newFirst: UnsafeMutablePointer<PostNode>, last newLast: UnsafeMutablePointer<PostNode>
  ) {
    if let last {
      last.pointee.next = newFirst
    } else {
      first = newFirst
    }
    last = newLast
  }

  /// The next callback, its node freed.
  mutating func pop() -> PostNode? {
    guard let node = first else { return nil }
    let value = node.pointee
    first = value.next
    if first == nil { last = nil }
    free(node)
    return value
  }

  var isEmpty: Bool { first == nil }
}
