import CLibev
import Synchronization

/// Places for works, as many as a power of two; a work's place, modulo that, is its index here.
struct WorkRing: ~Copyable {
  typealias Slot = Atomic<UnsafeMutablePointer<Work>?>

  let capacity: Int
  private let mask: UInt
  private let slots: UnsafeMutablePointer<Slot>
  /// The ring that this one replaced. A thread may still read it, so it is freed with this one.
  private let previous: UnsafeMutablePointer<WorkRing>?

  /// A ring that can hold as many works; nil without memory.
  static func allocate(
    atLeast minimum: Int, replacing previous: UnsafeMutablePointer<WorkRing>? = nil
  ) -> UnsafeMutablePointer<WorkRing>? {
    let capacity = 1 << (Int.bitWidth - (minimum - 1).leadingZeroBitCount)
    guard let memory = malloc(capacity * MemoryLayout<Slot>.stride) else { return nil }
    guard let header = malloc(MemoryLayout<WorkRing>.size) else {
      free(memory)
      return nil
    }
    let slots = memory.bindMemory(to: Slot.self, capacity: capacity)
    for index in 0..<capacity { (slots + index).initialize(to: Slot(nil)) }
    let ring = header.bindMemory(to: WorkRing.self, capacity: 1)
    ring.initialize(
      to: WorkRing(
        capacity: capacity, mask: UInt(capacity - 1), slots: slots, previous: previous))
    return ring
  }

  /// Frees a ring and those that it replaced.
  static func deallocate(_ last: UnsafeMutablePointer<WorkRing>) {
    var next: UnsafeMutablePointer<WorkRing>? = last
    while let ring = next {
      next = ring.pointee.previous
      free(ring.pointee.slots)
      free(ring)
    }
  }

  /// The work at a place. Only who then claims the place knows that it is the right one.
  @inline(__always)
  borrowing func work(at place: UInt) -> UnsafeMutablePointer<Work>? {
    slots[Int(place & mask)].load(ordering: .relaxed)
  }

  /// The loop's thread.
  @inline(__always)
  borrowing func put(_ work: UnsafeMutablePointer<Work>, at place: UInt) {
    slots[Int(place & mask)].store(work, ordering: .relaxed)
  }
}
