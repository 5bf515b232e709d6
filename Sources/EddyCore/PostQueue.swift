import CLibev
import Synchronization

/// A callback that waits for the loop's thread.
struct PostNode {
  /// Whose memory it is.
  enum Owner: UInt8 {
    /// Part of what the callback is about: the callback's to free.
    case caller
    /// malloc(3).
    case heap
    /// `PostPool`.
    case pool
  }

  fileprivate(set) var next: UnsafeMutablePointer<PostNode>?
  let function: Loop.Post
  let context: UnsafeMutableRawPointer?
  let argument: UnsafeMutableRawPointer?
  fileprivate let owner: Owner

  fileprivate init(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?, _ owner: Owner
  ) {
    self.function = function
    self.context = context
    self.argument = argument
    self.owner = owner
  }

  /// A node in the caller's memory.
  init(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer? = nil
  ) {
    self.init(function, context, argument, .caller)
  }
}

/// Callbacks that other threads have posted: a lock-free stack.
///
/// It is taken whole, so that a node's address can't be pushed again while another thread compares
/// it (ABA).
struct PushedPosts: ~Copyable {
  private let head = Atomic<UnsafeMutablePointer<PostNode>?>(nil)
  fileprivate let pool = PostPool()

  /// A node for a callback; nil without memory. Any thread.
  borrowing func makeNode(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> UnsafeMutablePointer<PostNode>? {
    if let node = pool.take() {
      node.initialize(to: PostNode(function, context, argument, .pool))
      return node
    }
    guard let memory = malloc(MemoryLayout<PostNode>.size) else { return nil }
    let node = memory.bindMemory(to: PostNode.self, capacity: 1)
    node.initialize(to: PostNode(function, context, argument, .heap))
    return node
  }

  /// Adds a callback. Any thread.
  /// - Returns: whether none was waiting: whoever adds the first has the loop woken.
  borrowing func push(_ node: UnsafeMutablePointer<PostNode>) -> Bool {
    var known = head.load(ordering: .relaxed)
    while true {
      node.pointee.next = known
      // Sequentially consistent with the loop's flag that it sleeps: either the loop sees the post
      // before it blocks, or the poster sees that it blocks.
      let result = head.weakCompareExchange(
        expected: known, desired: node, successOrdering: .sequentiallyConsistent,
        failureOrdering: .relaxed)
      if result.exchanged { return known == nil }
      known = result.original
    }
  }

  /// Takes all, the latest first.
  borrowing func takeAll() -> UnsafeMutablePointer<PostNode>? {
    head.load(ordering: .relaxed) == nil ? nil : head.exchange(nil, ordering: .acquiring)
  }

  /// Whether none waits here. Any thread.
  var isEmpty: Bool {
    @inline(__always) get { head.load(ordering: .sequentiallyConsistent) == nil }
  }
}

/// Callbacks in the order in which they are to run. Only the loop's thread touches it.
struct PostList {
  private var first: UnsafeMutablePointer<PostNode>?
  private var last: UnsafeMutablePointer<PostNode>?
  /// Nodes of the pool that have run and have not been given back.
  private var spent = PostPool.Chain()

  mutating func append(_ node: UnsafeMutablePointer<PostNode>) {
    node.pointee.next = nil
    append(first: node, last: node)
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

  /// The next callback; its node is its owner's again.
  mutating func pop(recycling pushed: borrowing PushedPosts) -> PostNode? {
    guard let node = first else { return nil }
    let value = node.pointee
    first = value.next
    if first == nil { last = nil }
    switch value.owner {
    case .caller: break
    case .heap: free(node)
    case .pool:
      pushed.pool.add(node, to: &spent)
      if spent.count >= PostPool.batch { pushed.pool.giveBack(&spent) }
    }
    return value
  }

  /// Gives the nodes of callbacks that have run back to the pool.
  mutating func giveBack(to pushed: borrowing PushedPosts) {
    pushed.pool.giveBack(&spent)
  }

  var isEmpty: Bool { first == nil }
}
