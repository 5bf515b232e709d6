import CLibev
import Synchronization

/// One function on its way through a pool: it waits for a thread, runs, or waits for its
/// completion. It is the `eddy_work` of C.
///
/// A pool uses its works again, and frees none before its threads have ended: a thread may reach a
/// cancelled work by the place that it had in the queue.
struct Work: ~Copyable {
  /// Carries the work back to the loop's thread.
  private let completion: PostNode
  /// What has become of a work.
  enum Stage: UInt {
    case waits, begun, cancelled
  }

  /// A place in the queue and, in the lowest two bits, what has become of the work that has it.
  /// Places count up and never come again, so a work that was cancelled and used again is not
  /// mistaken for what it was.
  private let turn = Atomic<UInt>(0)
  private static let stageBits: UInt = 2
  private static let stageMask: UInt = 3

  /// What the loop's thread sets before it queues the work, and a thread of the pool reads once it
  /// has begun it.
  var function: eddy_work_cb?
  var done: eddy_done_cb?
  var context: UnsafeMutableRawPointer?
  /// What `done` is told.
  var status: Int32 = 0
  /// The next work that is free.
  var next: UnsafeMutablePointer<Work>?
  let pool: Unmanaged<Pool>

  private init(_ completion: consuming PostNode, _ pool: Pool) {
    self.completion = completion
    self.pool = Unmanaged.passUnretained(pool)
  }

  /// A new work; nil without memory. Given back with free(3).
  static func allocate(pool: Pool) -> UnsafeMutablePointer<Work>? {
    guard let memory = malloc(MemoryLayout<Work>.size) else { return nil }
    let work = memory.bindMemory(to: Work.self, capacity: 1)
    let completion = PostNode({ _, work in Pool.hasCompleted(work.unsafelyUnwrapped) }, nil, memory)
    work.initialize(to: Work(completion, pool))
    return work
  }

  /// Has the completion called on the loop's thread. Any thread.
  static func complete(_ work: UnsafeMutablePointer<Work>, on loop: Loop) {
    // The node is the first member, so this is its address.
    loop.post(UnsafeMutableRawPointer(work).assumingMemoryBound(to: PostNode.self))
  }

  /// Lets it wait at a place. The loop's thread.
  borrowing func wait(at place: UInt) {
    turn.store(place << Self.stageBits | Stage.waits.rawValue, ordering: .releasing)
  }

  /// Begins the work, if it still waits at the place. A thread of the pool.
  borrowing func begin(at place: UInt) -> Bool {
    turn.compareExchange(
      expected: place << Self.stageBits | Stage.waits.rawValue,
      desired: place << Self.stageBits | Stage.begun.rawValue, ordering: .acquiring
    ).exchanged
  }

  /// Cancels the work if it waits. The loop's thread.
  /// - Returns: what it was until now.
  borrowing func cancel() -> Stage {
    let turn = turn.load(ordering: .relaxed)
    let stage = Stage(rawValue: turn & Self.stageMask).unsafelyUnwrapped
    guard stage == .waits else { return stage }
    let isCancelled = self.turn.compareExchange(
      expected: turn, desired: turn & ~Self.stageMask | Stage.cancelled.rawValue,
      ordering: .relaxed
    ).exchanged
    return isCancelled ? .waits : .begun
  }

  /// Whether it waits at the place. The loop's thread.
  borrowing func isWaiting(at place: UInt) -> Bool {
    turn.load(ordering: .relaxed) == place << Self.stageBits | Stage.waits.rawValue
  }
}
