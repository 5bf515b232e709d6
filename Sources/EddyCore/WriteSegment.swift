import CLibev

/// One part of what waits to be written: bytes that were copied, regions of a caller's memory, or a
/// part of a file. The header and what it describes, bytes or iovecs, lie in one allocation.
struct WriteSegment {
  enum Source: UInt8 {
    case copy
    case buffers
    case file
  }

  let source: Source
  /// The file, which is the caller's.
  var fd: Int32 = -1
  /// What is left is from here to `end`: bytes of a copy, buffers by their number, bytes of a file.
  var start: Int
  var end: Int
  /// Bytes that a copy has room for.
  var capacity = 0
  /// To be called when the kernel has all of it, or never will. A copy has none.
  var done: eddy_write_cb?
  var context: UnsafeMutableRawPointer?
  /// What `done` is told.
  var status: Int32 = 0
  var next: UnsafeMutablePointer<WriteSegment>?

  var isFinished: Bool { start == end }
}

/// Regions of memory, as writev(2) takes them.
struct Regions {
  let first: UnsafeMutablePointer<iovec>?
  let count: Int
  /// Bytes of all.
  let total: Int

  subscript(index: Int) -> iovec { first.unsafelyUnwrapped[index] }
}

extension UnsafeMutablePointer where Pointee == WriteSegment {
  /// The bytes of a copy.
  var memory: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self + 1) }
  /// The regions of buffers.
  var vectors: UnsafeMutablePointer<iovec> {
    memory.assumingMemoryBound(to: iovec.self)
  }

  private static func allocate(_ segment: WriteSegment, behind size: Int) -> Self? {
    guard let memory = malloc(MemoryLayout<WriteSegment>.stride + size) else { return nil }
    let pointer = memory.bindMemory(to: WriteSegment.self, capacity: 1)
    pointer.initialize(to: segment)
    return pointer
  }

  /// An empty copy; nil without memory.
  static func copy(capacity: Int) -> Self? {
    allocate(WriteSegment(source: .copy, start: 0, end: 0, capacity: capacity), behind: capacity)
  }

  /// Regions that stay where they are; nil without memory.
  static func buffers(_ regions: Regions) -> Self? {
    let size = regions.count * MemoryLayout<iovec>.stride
    guard let segment = allocate(WriteSegment(source: .buffers, start: 0, end: 0), behind: size)
    else { return nil }
    for index in 0..<regions.count where regions[index].iov_len > 0 {
      (segment.vectors + segment.pointee.end).initialize(to: regions[index])
      segment.pointee.end += 1
    }
    return segment
  }

  /// A part of a file; nil without memory.
  static func file(_ fd: Int32, from start: Int, to end: Int) -> Self? {
    allocate(WriteSegment(source: .file, fd: fd, start: start, end: end), behind: 0)
  }

  /// Copies regions behind what a copy holds, without the bytes that the kernel has already.
  func append(_ regions: Regions, without written: Int) {
    var skipped = written
    for index in 0..<regions.count {
      let (base, length) = (regions[index].iov_base, regions[index].iov_len)
      guard length > skipped, let base else {
        skipped -= length
        continue
      }
      memcpy(memory + pointee.end, base + skipped, length - skipped)
      pointee.end += length - skipped
      skipped = 0
    }
  }

  /// Takes bytes of memory off the front.
  /// - Returns: how many of `count` it had.
  func consume(_ count: Int) -> Int {
    guard pointee.source == .buffers else {
      let taken = Swift.min(count, pointee.end - pointee.start)
      pointee.start += taken
      return taken
    }
    var left = count
    while pointee.start < pointee.end {
      let vector = vectors + pointee.start
      guard vector.pointee.iov_len <= left else {
        vector.pointee.iov_base += left
        vector.pointee.iov_len -= left
        return count
      }
      left -= vector.pointee.iov_len
      pointee.start += 1
    }
    return count - left
  }

  /// Describes what is left of memory.
  /// - Returns: how many of `room` vectors it took.
  func gather(into list: UnsafeMutablePointer<iovec>, room: Int) -> Int {
    if pointee.source == .copy {
      list.initialize(
        to: iovec(iov_base: memory + pointee.start, iov_len: pointee.end - pointee.start))
      return 1
    }
    let count = Swift.min(room, pointee.end - pointee.start)
    list.initialize(from: vectors + pointee.start, count: count)
    return count
  }
}
