import Eddy
import EddyCore

/// Something that is to happen at a time: a held poll's answer, an attempt's time limit.
///
/// Subclasses say what in ``expire()``.
class Timed: @unchecked Sendable {
  // Unchecked, here and in its subclasses, because they are confined to the loop's thread.

  /// By the loop's clock, in nanoseconds.
  fileprivate var deadline: UInt64 = 0
  /// Its place in the queue's heap; -1 outside of it.
  fileprivate var place = -1

  final var isTimed: Bool { place >= 0 }

  /// Called once the deadline has passed, on the loop's thread; it is out of the queue then.
  func expire() {}
}

/// Any number of deadlines on one timer of the loop: a binary heap, so that ten thousand held polls
/// cost a pointer each.
///
/// Confined to the loop's thread. ``close()`` ends it.
final class DeadlineQueue {
  private let loop: EventLoop
  private var heap: [Timed] = []
  private var timer: Timer?
  /// What the timer is set to; `UInt64.max` if it is not.
  private var armed = UInt64.max

  init(loop: EventLoop) {
    self.loop = loop
    timer = Timer(loop: loop.core, context: Unmanaged.passRetained(self).toOpaque()) { _, context in
      let queue = Unmanaged<DeadlineQueue>.fromOpaque(context.unsafelyUnwrapped)
        .takeUnretainedValue()
      queue.fire()
    }
  }

  var count: Int { heap.count }

  /// Adds `item`, which must not be in the queue, to expire `interval` from now.
  func add(_ item: Timed, after interval: Duration) {
    precondition(item.place < 0, "it is timed already")
    let (deadline, overflowed) = loop.now.addingReportingOverflow(interval.clampedNanoseconds)
    item.deadline = overflowed ? .max : deadline
    item.place = heap.count
    heap.append(item)
    siftUp(item.place)
    arm()
  }

  /// Takes `item` out, if it is in.
  func remove(_ item: Timed) {
    let place = item.place
    guard place >= 0 else { return }
    item.place = -1
    let last = heap.removeLast()
    if place < heap.count {
      heap[place] = last
      last.place = place
      siftUp(place)
      siftDown(last.place)
    }
    // The timer may now come too early, once; setting it anew each time would cost more.
  }

  /// Ends the timer; nothing expires any more.
  func close() {
    guard let timer else { return }
    self.timer = nil
    for item in heap { item.place = -1 }
    heap = []
    timer.close()
    Unmanaged.passUnretained(self).release()
  }

  private func fire() {
    armed = .max
    let now = loop.now
    while let first = heap.first, first.deadline <= now {
      remove(first)
      first.expire()
    }
    arm()
  }

  private func arm() {
    guard let timer, let first = heap.first, first.deadline < armed else { return }
    armed = first.deadline
    let now = loop.now
    timer.start(delay: armed > now ? armed - now : 0)
  }

  private func siftUp(_ start: Int) {
    var place = start
    while place > 0 {
      let parent = (place - 1) / 2
      guard heap[place].deadline < heap[parent].deadline else { return }
      swap(place, parent)
      place = parent
    }
  }

  private func siftDown(_ start: Int) {
    var place = start
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
        if heap[child].deadline < heap[least].deadline { least = child }
      }
      guard least != place else { return }
      swap(place, least)
      place = least
    }
  }

  private func swap(_ one: Int, _ other: Int) {
    heap.swapAt(one, other)
    heap[one].place = one
    heap[other].place = other
  }
}
