import CLibev
import Synchronization

/// A callback that waits for the loop's thread.
struct PostNode: ~Copyable {
  /// Whose memory it is.
  enum Owner: UInt8 {
    /// Part of what the callback is about: the callback's to free.
    case caller
    /// The nodes', to be used again.
    case nodes
  }

  typealias Pointer = UnsafeMutablePointer<PostNode>

  let next = Atomic<Pointer?>(nil)
  fileprivate(set) var function: Loop.Post
  fileprivate(set) var context: UnsafeMutableRawPointer?
  fileprivate(set) var argument: UnsafeMutableRawPointer?
  let owner: Owner

  /// A node in the caller's memory.
  init(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer? = nil, owner: Owner = .caller
  ) {
    self.function = function
    self.context = context
    self.argument = argument
    self.owner = owner
  }
}

/// Nodes that the loop has given back. A post takes one without a lock and without malloc(3): each thread
/// has a list of its own, and when that is empty takes all at once that lie here.
struct GivenNodes: ~Copyable {
  private let first = Atomic<PostNode.Pointer?>(nil)

  init() {}

  deinit {
    Self.free(first.load(ordering: .acquiring))
  }

  /// A node for a callback; nil without memory. Any thread.
  @inline(__always)
  borrowing func make(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> PostNode.Pointer? {
    let own = clibev_thread_posts().unsafelyUnwrapped
    guard let memory = own.pointee ?? refill(own) else {
      return Self.allocate(function, context, argument)
    }
    let node = memory.assumingMemoryBound(to: PostNode.self)
    own.pointee = UnsafeMutableRawPointer(node.pointee.next.load(ordering: .relaxed))
    node.pointee.function = function
    node.pointee.context = context
    node.pointee.argument = argument
    return node
  }

  @inline(never)
  private static func allocate(
    _ function: @escaping Loop.Post, _ context: UnsafeMutableRawPointer?,
    _ argument: UnsafeMutableRawPointer?
  ) -> PostNode.Pointer? {
    guard let memory = malloc(MemoryLayout<PostNode>.size) else { return nil }
    let node = memory.bindMemory(to: PostNode.self, capacity: 1)
    node.initialize(to: PostNode(function, context, argument, owner: .nodes))
    return node
  }

  /// Takes what the loop has given back.
  @inline(never)
  private borrowing func refill(
    _ own: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) -> UnsafeMutableRawPointer? {
    guard !isEmpty else { return nil }
    let all = UnsafeMutableRawPointer(first.exchange(nil, ordering: .acquiring))
    if all != nil { threadNodes.adopt(own) }
    own.pointee = all
    return all
  }

  fileprivate var isEmpty: Bool { first.load(ordering: .relaxed) == nil }

  /// Adds a list of nodes.
  fileprivate borrowing func add(from newFirst: PostNode.Pointer, to newLast: PostNode.Pointer) {
    var known = first.load(ordering: .relaxed)
    while true {
      newLast.pointee.next.store(known, ordering: .relaxed)
      let result = first.weakCompareExchange(
        expected: known, desired: newFirst, successOrdering: .releasing,
        failureOrdering: .relaxed)
      if result.exchanged { return }
      known = result.original
    }
  }

  fileprivate static func free(_ nodes: PostNode.Pointer?) {
    var next = nodes
    while let node = next {
      next = node.pointee.next.load(ordering: .relaxed)
      node.deinitialize(count: 1)
      CLibev.free(node)
    }
  }
}

/// Nodes whose callbacks have run, on their way back. The loop's thread.
struct SpentNodes: ~Copyable {
  /// The loop gives nodes back when it has so many, or at the end of a turn.
  private static let batch = 64
  /// The most that lie there to be taken, 400 KB; what is above is freed.
  private static let limit = 8192

  private var first: PostNode.Pointer?
  private var last: PostNode.Pointer?
  private var count = 0
  /// How many were given since none lay there.
  private var givenCount = 0

  init() {}

  deinit {
    GivenNodes.free(first)
  }

  /// Puts a node aside whose callback is about to run.
  @inline(__always)
  mutating func add(_ node: PostNode.Pointer, for given: borrowing GivenNodes) {
    node.pointee.next.store(first, ordering: .relaxed)
    if first == nil { last = node }
    first = node
    count &+= 1
    if count == Self.batch { giveBack(to: given) }
  }

  /// Gives back what was put aside.
  mutating func giveBack(to given: borrowing GivenNodes) {
    guard let first, let last else { return }
    if given.isEmpty { givenCount = 0 }
    givenCount &+= count
    self.first = nil
    self.last = nil
    count = 0
    if givenCount <= Self.limit {
      given.add(from: first, to: last)
    } else {
      GivenNodes.free(first)
    }
  }
}

/// Frees a thread's own nodes when the thread ends.
private struct ThreadNodes {
  private var key = pthread_key_t()
  private let hasKey: Bool

  init() {
    hasKey =
      pthread_key_create(&key) { own in
        let own = own?.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
        guard let own else { return }
        GivenNodes.free(own.pointee?.assumingMemoryBound(to: PostNode.self))
        own.pointee = nil
      } == 0
  }

  func adopt(_ own: UnsafeMutablePointer<UnsafeMutableRawPointer?>) {
    if hasKey { pthread_setspecific(key, own) }
  }
}

private let threadNodes = ThreadNodes()
