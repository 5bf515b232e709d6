import CLibev
import Synchronization

/// Nodes for posts that take no malloc(3): a block of them, allocated with the first post, and a
/// lock-free stack of those that are free. Posters take one at a time, the loop gives back many at once.
///
/// The stack's head carries a tag that changes with each take, so that a node that was taken and given
/// back while a thread compares the head is noticed (ABA). Links lie beside the nodes and are atomic,
/// because a thread may read the link of a node that another has just taken.
struct PostPool: ~Copyable {
  /// Nodes of the block, 40 KB: more posts at once than that come from malloc(3).
  private static let capacity = 1024
  /// The loop gives nodes back at the latest after so many, so that posters don't run short.
  static let batch = 64

  /// Free nodes by their number in the block plus 1; 0 ends.
  private struct Block: ~Copyable {
    let nodes: UnsafeMutablePointer<PostNode>
    let links: UnsafeMutablePointer<Atomic<UInt32>>
    /// The tag, then the first free node's number.
    let free: Atomic<UInt64>
  }

  /// Nodes that go back together.
  struct Chain {
    fileprivate var first: UInt32 = 0
    fileprivate var last: UInt32 = 0
    fileprivate(set) var count = 0
  }

  private let block = Atomic<UnsafeMutablePointer<Block>?>(nil)

  deinit {
    if let block = block.load(ordering: .relaxed) { Self.destroy(block) }
  }

  /// A free node, or nil. Any thread.
  borrowing func take() -> UnsafeMutablePointer<PostNode>? {
    guard let block = block.load(ordering: .acquiring) ?? makeBlock() else { return nil }
    var head = block.pointee.free.load(ordering: .acquiring)
    while true {
      let number = UInt32(truncatingIfNeeded: head)
      guard number != 0 else { return nil }
      let next = block.pointee.links[Int(number &- 1)].load(ordering: .relaxed)
      let tag = (head >> 32) &+ 1
      let result = block.pointee.free.weakCompareExchange(
        expected: head, desired: tag << 32 | UInt64(next), successOrdering: .acquiring,
        failureOrdering: .acquiring)
      if result.exchanged { return block.pointee.nodes + Int(number &- 1) }
      head = result.original
    }
  }

  /// Puts a node that is no longer in use into a chain. The loop's thread.
  borrowing func add(_ node: UnsafeMutablePointer<PostNode>, to chain: inout Chain) {
    guard let block = block.load(ordering: .relaxed) else { return }
    let number = UInt32(truncatingIfNeeded: node - block.pointee.nodes) &+ 1
    block.pointee.links[Int(number &- 1)].store(chain.first, ordering: .relaxed)
    chain.first = number
    if chain.count == 0 { chain.last = number }
    chain.count &+= 1
  }

  /// Gives a chain back, and empties it. The loop's thread.
  borrowing func giveBack(_ chain: inout Chain) {
    guard chain.count > 0, let block = block.load(ordering: .relaxed) else { return }
    var head = block.pointee.free.load(ordering: .relaxed)
    while true {
      block.pointee.links[Int(chain.last &- 1)].store(
        UInt32(truncatingIfNeeded: head), ordering: .relaxed)
      let result = block.pointee.free.weakCompareExchange(
        expected: head, desired: (head >> 32) << 32 | UInt64(chain.first),
        successOrdering: .releasing, failureOrdering: .relaxed)
      if result.exchanged { break }
      head = result.original
    }
    chain = Chain()
  }

  /// The block; nil without memory. Of several threads that make one at once, the first's is kept.
  private borrowing func makeBlock() -> UnsafeMutablePointer<Block>? {
    guard let memory = malloc(MemoryLayout<Block>.size),
      let nodes = malloc(MemoryLayout<PostNode>.stride * Self.capacity),
      let links = malloc(MemoryLayout<Atomic<UInt32>>.stride * Self.capacity)
    else { return nil }
    let new = memory.bindMemory(to: Block.self, capacity: 1)
    new.initialize(
      to: Block(
        nodes: nodes.bindMemory(to: PostNode.self, capacity: Self.capacity),
        links: links.bindMemory(to: Atomic<UInt32>.self, capacity: Self.capacity),
        free: Atomic(1)))
    for number in 0..<Self.capacity {
      let next = number + 1 == Self.capacity ? 0 : UInt32(number + 2)
      (new.pointee.links + number).initialize(to: Atomic(next))
    }
    let result = block.compareExchange(
      expected: nil, desired: new, successOrdering: .acquiringAndReleasing,
      failureOrdering: .acquiring)
    guard !result.exchanged else { return new }
    Self.destroy(new)
    return result.original
  }

  private static func destroy(_ block: UnsafeMutablePointer<Block>) {
    free(block.pointee.nodes)
    free(block.pointee.links)
    block.deinitialize(count: 1)
    free(block)
  }
}
