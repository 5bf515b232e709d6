import CLibev
import Synchronization

/// A callback that waits for the loop's thread.
struct PostNode {
  var next: UnsafeMutablePointer<PostNode>?
  var function: Loop.Post
  var context: UnsafeMutableRawPointer?
  var argument: UnsafeMutableRawPointer?
}

/// Callbacks posted to a loop: a lock-free stack that any thread pushes to, and a list in order
/// that only the loop's thread touches.
///
/// The stack is taken whole and reversed, so that callbacks of one thread run in their order, and
/// so that a node's address can't be pushed again while another thread compares it (ABA).
struct PostQueue: ~Copyable {
  private let pushed = Atomic<UnsafeMutablePointer<PostNode>?>(nil)
  private var first: UnsafeMutablePointer<PostNode>?
  private var last: UnsafeMutablePointer<PostNode>?

  private static func node(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> UnsafeMutablePointer<PostNode>? {
    guard let memory = malloc(MemoryLayout<PostNode>.size) else { return nil }
    let node = memory.bindMemory(to: PostNode.self, capacity: 1)
    node.initialize(
      to: PostNode(next: nil, function: function, context: context, argument: argument))
    return node
  }

  /// Adds a callback from any thread.
  /// - Returns: whether the loop must be woken, because none was waiting; nil without memory.
  borrowing func push(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> Bool? {
    guard let node = Self.node(function, context, argument) else { return nil }
    var head = pushed.load(ordering: .relaxed)
    while true {
      node.pointee.next = head
      let result = pushed.weakCompareExchange(
        expected: head, desired: node, successOrdering: .releasing, failureOrdering: .relaxed)
      if result.exchanged { return head == nil }
      head = result.original
    }
  }

  /// Adds a callback from the loop's own thread. False without memory.
  mutating func append(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> Bool {
    guard let node = Self.node(function, context, argument) else { return false }
    append(first: node, last: node)
    return true
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

  /// Moves what other threads have pushed behind what waits here. The loop's thread.
  mutating func collect() {
    guard pushed.load(ordering: .relaxed) != nil else { return }
    var node = pushed.exchange(nil, ordering: .acquiring)
    let newLast = node
    var newFirst: UnsafeMutablePointer<PostNode>?
    while let current = node {
      node = current.pointee.next
      current.pointee.next = newFirst
      newFirst = current
    }
    if let newFirst, let newLast { append(first: newFirst, last: newLast) }
  }

  /// The next callback, its node freed. The loop's thread.
  mutating func pop() -> PostNode? {
    guard let node = first else { return nil }
    let value = node.pointee
    first = value.next
    if first == nil { last = nil }
    free(node)
    return value
  }

  /// Whether nothing waits in the list of the loop's thread.
  var isEmpty: Bool { first == nil }

  /// Whether other threads have pushed something that was not collected yet. Any thread.
  var hasPushed: Bool { pushed.load(ordering: .relaxed) != nil }
}
