import CLibev

/// What waits to be written, in order, and the `done` callbacks that are due.
///
/// It lies in memory of its own, which goes when nothing is left in it, so that an idle stream holds
/// but a pointer.
struct WriteQueue {
  typealias Segment = UnsafeMutablePointer<WriteSegment>

  /// The least that is allocated for copied bytes: a page, with the header.
  private static let minimumCopy = 4096 - MemoryLayout<WriteSegment>.stride
  /// Copies grow up to this, so that a long queue of small writes is few regions.
  private static let maximumGrowth = 65536 - MemoryLayout<WriteSegment>.stride

  /// What the kernel does not have yet.
  private(set) var first: Segment?
  private var last: Segment?
  /// Bytes of it in memory.
  private(set) var count = 0
  /// What has come to its end and must be told of, from the loop.
  private var firstEnded: Segment?
  private var lastEnded: Segment?
  /// Runs `done` callbacks when no event of the descriptor is due to.
  var timer: TimerNode

  init(timer: TimerNode) {
    self.timer = timer
  }

  /// Nothing waits for the kernel.
  var isEmpty: Bool { first == nil }
  var hasEnded: Bool { firstEnded != nil }

  /// Copies regions to the end, but for the bytes that the kernel has already.
  /// - Returns: false without memory, and then nothing has changed.
  mutating func copy(_ regions: Regions, without written: Int) -> Bool {
    let additional = regions.total - written
    var target = last
    if let last, last.pointee.source == .copy,
      last.pointee.capacity - last.pointee.end >= additional
    {
      last.append(regions, without: written)
    } else {
      let grown = min((last?.pointee.capacity ?? 0) * 2, Self.maximumGrowth)
      target = .copy(capacity: max(additional, grown, Self.minimumCopy))
      guard let target else { return false }
      target.append(regions, without: written)
      link(target)
    }
    count += additional
    return true
  }

  /// Puts a segment at the end.
  /// - Parameter bytes: what is left of it in memory.
  mutating func append(_ segment: Segment, bytes: Int) {
    link(segment)
    count += bytes
  }

  private mutating func link(_ segment: Segment) {
    if let last { last.pointee.next = segment } else { first = segment }
    last = segment
  }

  /// Bytes of files.
  var countOfFiles: Int {
    var count = 0
    var next = first
    while let segment = next {
      if segment.pointee.source == .file { count += segment.pointee.end - segment.pointee.start }
      next = segment.pointee.next
    }
    return count
  }

  /// Describes what the kernel is to take next, up to a file.
  /// - Returns: the number of vectors.
  func gather(into list: UnsafeMutableBufferPointer<iovec>) -> Int {
    guard let base = list.baseAddress else { return 0 }
    var used = 0
    var next = first
    while let segment = next, segment.pointee.source != .file, used < list.count {
      used += segment.gather(into: base + used, room: list.count - used)
      next = segment.pointee.next
    }
    return used
  }

  /// Takes bytes of memory off the front, and ends what is finished by that.
  mutating func consume(_ taken: Int) {
    count -= taken
    var left = taken
    while let first, first.pointee.source != .file {
      left -= first.consume(left)
      guard first.pointee.isFinished else { return }
      endFirst(0)
    }
    endFinished()
  }

  /// Ends what has nothing left at the front: parts of a file, or of nothing.
  mutating func endFinished() {
    while let first, first.pointee.isFinished { endFirst(0) }
  }

  /// Takes the first segment off, though something may be left of it.
  mutating func endFirst(_ status: Int32) {
    guard let segment = first else { return }
    first = segment.pointee.next
    if first == nil { last = nil }
    end(segment, status)
  }

  /// Has a segment's `done` told; frees one that has none.
  mutating func end(_ segment: Segment, _ status: Int32) {
    guard segment.pointee.done != nil else { return free(segment) }
    segment.pointee.status = status
    segment.pointee.next = nil
    if let lastEnded { lastEnded.pointee.next = segment } else { firstEnded = segment }
    lastEnded = segment
  }

  /// Gives up what the kernel does not have.
  mutating func drop(_ status: Int32) {
    while first != nil { endFirst(status) }
    count = 0
  }

  /// Takes the segments whose `done` is due, linked in their order.
  mutating func takeEnded() -> Segment? {
    let taken = firstEnded
    firstEnded = nil
    lastEnded = nil
    return taken
  }
}
