import CLibev

/// A deadline that can be in a loop's heap. It stays at one address, in the memory of what it belongs
/// to, and is stopped before that memory goes.
struct TimerNode {
  /// Runs when the deadline has come; the node is stopped by then.
  typealias Fire = @convention(c) (_ owner: UnsafeMutableRawPointer) -> Void

  /// What `fire` is given; set before the first start.
  var owner: UnsafeMutableRawPointer?
  private let fire: Fire
  /// When it is due, by the loop's clock.
  fileprivate(set) var due: UInt64 = 0
  /// What the heap believes: `due`, or an earlier time.
  fileprivate var scheduled: UInt64 = 0
  fileprivate var sequence: UInt32 = 0
  /// Its slot in the heap's tables; 0 while it is stopped.
  fileprivate var slot: UInt32 = 0

  init(owner: UnsafeMutableRawPointer? = nil, fire: @escaping Fire) {
    self.owner = owner
    self.fire = fire
  }

  var isActive: Bool { slot != 0 }

  @inline(__always)
  func run() {
    fire(owner.unsafelyUnwrapped)
  }
}

/// The running timers of a loop, by the time at which they are due, those of one time in the order in
/// which they were started.
///
/// A heap with four children a place, whose entries hold all that a comparison needs: siblings lie in
/// one cache line, and a timer's own memory is touched when it starts and when it fires, not when
/// others move past it. A timer that is started anew for a later time keeps its place: the heap finds
/// the later time in the node when the entry comes up.
struct TimerHeap: ~Copyable {
  /// A timer's place in the order, and its slot. As one number, so that the least of four is found
  /// without a branch, which could not be predicted.
  private struct Entry {
    /// From the highest bit: when it is due, 64 bits; the number of its start, 32 bits; its slot, 32 bits.
    ///
    /// When the starts have been counted through, after 2^32 of them, two timers of the same nanosecond
    /// may once come in the wrong order.
    private let value: UInt128

    @inline(__always)
    init(due: UInt64, sequence: UInt32, slot: UInt32) {
      value = UInt128(due) << 64 | UInt128(UInt64(sequence) << 32 | UInt64(slot))
    }

    var due: UInt64 {
      @inline(__always) get { UInt64(truncatingIfNeeded: value >> 64) }
    }
    var sequence: UInt32 {
      @inline(__always) get { UInt32(truncatingIfNeeded: value >> 32) }
    }
    var slot: UInt32 {
      @inline(__always) get { UInt32(truncatingIfNeeded: value) }
    }

    /// 1 if it comes before the other, else 0.
    @inline(__always)
    func comesBefore(_ other: Entry) -> Int { value < other.value ? 1 : 0 }

    @inline(__always)
    func isBefore(_ other: Entry) -> Bool { value < other.value }
  }

  /// The root's place: then the children of each place, 4k - 8 to 4k - 5, begin at a multiple of four,
  /// which with 16-byte entries is a cache line.
  private static let root = 3
  private static let cacheLine = 64
  private static let firstCapacity = 56
  /// Fewer timers, with what belongs to them, stay in a first-level cache anyway.
  private static let prefetchFrom = 256
  /// Fewer entries, half a megabyte, stay in a second-level cache.
  private static let prefetchEntriesFrom = 32768

  private var entries: UnsafeMutablePointer<Entry>?
  /// By slot: the node, and its place in `entries`, or the next free slot.
  private var nodes: UnsafeMutablePointer<UnsafeMutablePointer<TimerNode>?>?
  private var places: UnsafeMutablePointer<UInt32>?
  private var freeSlot: UInt32 = 0
  private var capacity = 0
  /// Room that is kept for timers that may be started at any time.
  private var reserved = 0
  private(set) var count = 0
  private(set) var nextSequence: UInt32 = 0

  init() {}

  deinit {
    free(entries)
    free(nodes)
    free(places)
  }

  /// Keeps room for one more timer, so that starting it can't fail. False without memory.
  mutating func reserve() -> Bool {
    guard reserved < capacity || grow() else { return false }
    reserved += 1
    return true
  }

  mutating func giveUpReservation() {
    reserved -= 1
  }

  /// The earliest time at which a timer may be due; `UInt64.max` if none runs.
  var earliest: UInt64 {
    @inline(__always) get {
      count == 0 ? .max : entries.unsafelyUnwrapped[Self.root].due
    }
  }

  /// Starts a timer, or starts it anew: for the time that it has it keeps its place among equals. True
  /// if it was stopped.
  @inline(__always)
  mutating func start(_ node: UnsafeMutablePointer<TimerNode>, at due: UInt64) -> Bool {
    if node.pointee.slot != 0 {
      guard due != node.pointee.due else { return false }
      node.pointee.due = due
      if due > node.pointee.scheduled {
        node.pointee.sequence = takeSequence()
      } else {
        advance(node, to: due)
      }
      return false
    }
    insert(node, at: due)
    return true
  }

  @inline(__always)
  private mutating func takeSequence() -> UInt32 {
    nextSequence &+= 1
    return nextSequence &- 1
  }

  private mutating func advance(_ node: UnsafeMutablePointer<TimerNode>, to due: UInt64) {
    let slot = node.pointee.slot
    node.pointee.scheduled = due
    node.pointee.sequence = takeSequence()
    siftUp(
      Entry(due: due, sequence: node.pointee.sequence, slot: slot),
      from: Int(places.unsafelyUnwrapped[Int(slot)]))
  }

  private mutating func insert(_ node: UnsafeMutablePointer<TimerNode>, at due: UInt64) {
    if freeSlot == 0 {
      let hasGrown = grow()
      precondition(hasGrown, "out of memory")
    }
    let slot = freeSlot
    freeSlot = places.unsafelyUnwrapped[Int(slot)]
    nodes.unsafelyUnwrapped[Int(slot)] = node
    let sequence = takeSequence()
    node.pointee.due = due
    node.pointee.scheduled = due
    node.pointee.sequence = sequence
    node.pointee.slot = slot
    count &+= 1
    siftUp(
      Entry(due: due, sequence: sequence, slot: slot), from: Self.root &+ count &- 1)
  }

  /// Stops a timer. False if it was stopped.
  mutating func stop(_ node: UnsafeMutablePointer<TimerNode>) -> Bool {
    let slot = node.pointee.slot
    guard slot != 0 else { return false }
    let place = Int(places.unsafelyUnwrapped[Int(slot)])
    release(node)
    remove(at: place)
    return true
  }

  /// Takes the first timer that is due out of the heap.
  /// - Parameters:
  ///   - now: the time; what is due later stays.
  ///   - sequence: timers that were started from this one on stay, too.
  mutating func takeDue(
    _ now: UInt64, startedBefore sequence: UInt32
  ) -> UnsafeMutablePointer<TimerNode>? {
    while count > 0 {
      let first = entries.unsafelyUnwrapped[Self.root]
      guard first.due <= now else { return nil }
      let node = nodes.unsafelyUnwrapped[Int(first.slot)].unsafelyUnwrapped
      if node.pointee.due > first.due {
        // It was started anew for later.
        node.pointee.scheduled = node.pointee.due
        siftDown(
          Entry(due: node.pointee.due, sequence: node.pointee.sequence, slot: first.slot),
          from: Self.root)
        continue
      }
      // What is started while the due timers run is due no earlier than now. Other numbers are not
      // compared: a timer that has waited for 2^31 starts would seem new, and hold up all others.
      guard first.due < now || Int32(bitPattern: first.sequence &- sequence) < 0 else { return nil }
      release(node)
      remove(at: Self.root)
      prefetchNext()
      return node
    }
    return nil
  }

  @inline(__always)
  private mutating func release(_ node: UnsafeMutablePointer<TimerNode>) {
    let slot = node.pointee.slot
    node.pointee.slot = 0
    nodes.unsafelyUnwrapped[Int(slot)] = nil
    places.unsafelyUnwrapped[Int(slot)] = freeSlot
    freeSlot = slot
  }

  private mutating func remove(at place: Int) {
    count &-= 1
    let end = Self.root &+ count
    guard place != end else { return }
    let last = entries.unsafelyUnwrapped[end]
    if place > Self.root, last.isBefore(entries.unsafelyUnwrapped[Self.parent(place)]) {
      siftUp(last, from: place)
    } else {
      siftDown(last, from: place)
    }
  }

  @inline(__always)
  private static func parent(_ place: Int) -> Int { (place >> 2) &+ 2 }

  @inline(__always)
  private func put(_ entry: Entry, at place: Int) {
    entries.unsafelyUnwrapped[place] = entry
    places.unsafelyUnwrapped[Int(entry.slot)] = UInt32(truncatingIfNeeded: place)
  }

  private func siftUp(_ entry: Entry, from start: Int) {
    var place = start
    while place > Self.root {
      let above = Self.parent(place)
      let parent = entries.unsafelyUnwrapped[above]
      guard entry.isBefore(parent) else { break }
      put(parent, at: place)
      place = above
    }
    put(entry, at: place)
  }

  private func siftDown(_ entry: Entry, from start: Int) {
    let entries = entries.unsafelyUnwrapped
    let end = Self.root &+ count
    var place = start
    while true {
      let children = (place &<< 2) &- 8
      guard children < end else { break }
      var least = children
      if children &+ 4 <= end {
        if end > Self.prefetchEntriesFrom {
          // The children of each of the four, one of which is looked at next.
          let below = entries + ((children &<< 2) &- 8)
          clibev_prefetch(below)
          clibev_prefetch(below + 4)
          clibev_prefetch(below + 8)
          clibev_prefetch(below + 12)
        }
        let first = children &+ entries[children &+ 1].comesBefore(entries[children])
        let second =
          children &+ 2 &+ entries[children &+ 3].comesBefore(entries[children &+ 2])
        let isSecond = entries[second].comesBefore(entries[first])
        least = first &+ ((second &- first) & (0 &- isSecond))
      } else {
        var child = children &+ 1
        while child < end {
          if entries[child].isBefore(entries[least]) { least = child }
          child &+= 1
        }
      }
      let child = entries[least]
      guard child.isBefore(entry) else { break }
      put(child, at: place)
      place = least
    }
    put(entry, at: place)
  }

  /// Fetches what the next timers to fire need into the cache: in a large heap their nodes were last
  /// touched when they were started.
  @inline(__always)
  private func prefetchNext() {
    guard count > Self.prefetchFrom else { return }
    let entries = entries.unsafelyUnwrapped
    let nodes = nodes.unsafelyUnwrapped
    var place = Self.root
    while place <= Self.root &+ 4 {
      clibev_prefetch(nodes[Int(entries[place].slot)])
      place &+= 1
    }
  }

  /// Doubles the room. False without memory, and then nothing has changed.
  private mutating func grow() -> Bool {
    let new = capacity == 0 ? Self.firstCapacity : capacity * 2
    guard new < Int(UInt32.max) - Self.root else { return false }
    var memory: UnsafeMutableRawPointer?
    let size = MemoryLayout<Entry>.stride * (Self.root + new)
    guard posix_memalign(&memory, Self.cacheLine, size) == 0, let memory else { return false }
    let slots = new + 1  // slot 0 is nobody's
    guard let newNodes = realloc(nodes, slots * MemoryLayout<OpaquePointer?>.stride) else {
      free(memory)
      return false
    }
    nodes = newNodes.assumingMemoryBound(to: UnsafeMutablePointer<TimerNode>?.self)
    guard let newPlaces = realloc(places, slots * MemoryLayout<UInt32>.stride) else {
      free(memory)
      return false
    }
    let places = newPlaces.assumingMemoryBound(to: UInt32.self)
    self.places = places
    let newEntries = memory.bindMemory(to: Entry.self, capacity: Self.root + new)
    if let entries {
      (newEntries + Self.root).update(from: entries + Self.root, count: count)
      free(entries)
    }
    entries = newEntries
    for slot in capacity + 1...new {
      places[slot] = slot == new ? freeSlot : UInt32(slot + 1)
    }
    freeSlot = UInt32(capacity + 1)
    capacity = new
    return true
  }
}
