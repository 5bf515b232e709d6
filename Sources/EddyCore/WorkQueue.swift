import CLibev
import Synchronization

/// The works that wait for a thread of a pool: the loop's thread puts them in, the pool's threads
/// take them out, in order and without a lock.
///
/// A place is a number that counts up; the works that wait have the places from `head` to `tail`.
/// Who advances `head` has what was there, so each work is one thread's only, and it needs nothing
/// but a compare-and-exchange. A cancelled work's place stays behind as an empty one, which threads
/// skip, and which no longer counts.
final class WorkQueue {
  /// Bytes that keep two members from sharing a cache line; processors fetch lines in pairs.
  private typealias Padding = InlineArray<16, UInt64>

  private let head = Atomic<UInt>(0)
  /// Cancelled works whose places threads have passed.
  private let skipped = Atomic<UInt>(0)
  private let padding1 = Padding(repeating: 0)
  private let tail = Atomic<UInt>(0)
  private let ring: Atomic<UnsafeMutablePointer<WorkRing>>
  private let padding2 = Padding(repeating: 0)

  // The loop's thread alone has these.

  /// Where `head` was when it was last looked at: its cache line is the threads'.
  private var knownHead: UInt = 0
  /// Cancelled works whose places are in the queue, or were until a thread passed them.
  private var cancelled: UInt = 0

  /// Works that a ring has place for at first.
  private static let firstCapacity = 256

  /// - Throws: `EDDY_ENOMEM`.
  convenience init() throws(EddyError) {
    guard let first = WorkRing.allocate(atLeast: Self.firstCapacity) else {
      throw EddyError(EDDY_ENOMEM)
    }
    self.init(first)
  }

  private init(_ first: UnsafeMutablePointer<WorkRing>) {
    ring = Atomic(first)
  }

  deinit {
    WorkRing.deallocate(ring.load(ordering: .relaxed))
  }

  // MARK: The loop's thread

  /// Whether fewer works wait than `capacity`.
  func hasRoom(_ capacity: Int) -> Bool {
    let end = tail.load(ordering: .relaxed)
    if end &- knownHead < UInt(capacity) { return true }
    knownHead = head.load(ordering: .acquiring)
    return count < capacity
  }

  /// Works that wait.
  var count: Int {
    // A thread passes a cancelled work's place first and counts it as skipped then. Read in the
    // reverse order there may seem to be fewer works for that moment, but never more: a place that is
    // free is never refused.
    let skipped = skipped.load(ordering: .acquiring)
    let places = tail.load(ordering: .relaxed) &- head.load(ordering: .acquiring)
    return max(0, Int(places) - Int(cancelled &- skipped))
  }

  /// Adds a work. False without memory.
  func append(_ work: UnsafeMutablePointer<Work>) -> Bool {
    let ring = ring.load(ordering: .relaxed)
    var place = tail.load(ordering: .relaxed)
    if place &- knownHead >= UInt(ring.pointee.capacity) {
      knownHead = head.load(ordering: .acquiring)
      if place &- knownHead >= UInt(ring.pointee.capacity) {
        guard makeRoom() else { return false }
        place = tail.load(ordering: .relaxed)
      }
    }
    work.pointee.wait(at: place)
    self.ring.load(ordering: .relaxed).pointee.put(work, at: place)
    tail.store(place &+ 1, ordering: .sequentiallyConsistent)
    return true
  }

  /// A work that waited has been cancelled.
  func countCancelled() {
    cancelled &+= 1
  }

  /// Takes out all works that wait, in order.
  func takeAll(_ take: (UnsafeMutablePointer<Work>) -> Void) {
    let ring = ring.load(ordering: .relaxed)
    let places = claimAll()
    for place in places {
      let work = ring.pointee.work(at: place).unsafelyUnwrapped
      if work.pointee.isWaiting(at: place) { take(work) } else { cancelled &-= 1 }
    }
  }

  /// Makes room in a full ring: by leaving out what was cancelled, if that is half of it, else by
  /// a larger ring. False without memory.
  private func makeRoom() -> Bool {
    let old = ring.load(ordering: .relaxed)
    var new = old
    if count > old.pointee.capacity / 2 {
      guard
        let larger = WorkRing.allocate(atLeast: old.pointee.capacity * 2, replacing: old)
      else { return false }
      new = larger
    }
    // While the threads find the queue empty. In the same ring a work never moves behind one that
    // has yet to move, since there are as many places from here on as there were up to here.
    let places = claimAll()
    var end = places.upperBound
    for place in places {
      let work = old.pointee.work(at: place).unsafelyUnwrapped
      guard work.pointee.isWaiting(at: place) else {
        cancelled &-= 1
        continue
      }
      work.pointee.wait(at: end)
      new.pointee.put(work, at: end)
      end &+= 1
    }
    ring.store(new, ordering: .releasing)
    tail.store(end, ordering: .sequentiallyConsistent)
    return true
  }

  /// Claims all places at once, so that no thread has a work of them.
  private func claimAll() -> Range<UInt> {
    let end = tail.load(ordering: .relaxed)
    var start = head.load(ordering: .acquiring)
    while true {
      let result = head.weakCompareExchange(
        expected: start, desired: end, ordering: .acquiringAndReleasing)
      if result.exchanged { break }
      start = result.original
    }
    knownHead = end
    return start..<end
  }

  // MARK: The pool's threads

  /// Whether a work may wait.
  var isEmpty: Bool {
    // Sequentially consistent: a thread that is about to sleep must see what was put in before the
    // loop's thread looked for sleepers.
    head.load(ordering: .relaxed) == tail.load(ordering: .sequentiallyConsistent)
  }

  /// Takes the first work out and begins it.
  /// - Parameter knownTail: the thread's own; begins with 0. It saves looking at `tail`, whose cache
  ///   line is the loop's thread's.
  func take(_ knownTail: inout UInt) -> UnsafeMutablePointer<Work>? {
    var place = head.load(ordering: .acquiring)
    while true {
      if place >= knownTail {
        knownTail = tail.load(ordering: .acquiring)
        guard place < knownTail else { return nil }
      }
      let work = ring.load(ordering: .acquiring).pointee.work(at: place)
      let result = head.weakCompareExchange(
        expected: place, desired: place &+ 1, ordering: .acquiringAndReleasing)
      guard result.exchanged else {
        place = result.original
        continue
      }
      let claimed = work.unsafelyUnwrapped
      if claimed.pointee.begin(at: place) { return claimed }
      skipped.add(1, ordering: .releasing)
      place &+= 1
    }
  }
}
