import CLibev

/// Bytes that wait to be written: one region that grows, is consumed from its front, and is freed
/// whenever it runs empty, so that an idle stream holds no memory for it but a pointer.
struct WriteQueue {
  /// What stands before the bytes, in the same allocation.
  private struct Region {
    /// Of the bytes behind this header.
    var capacity: Int
    var start = 0
    var end = 0
  }

  private var region: UnsafeMutablePointer<Region>?

  /// The least that is allocated: a page.
  private static let minimumCapacity = 4096 - MemoryLayout<Region>.size

  var count: Int { region.map { $0.pointee.end - $0.pointee.start } ?? 0 }
  var isEmpty: Bool { region == nil }

  /// What is queued, valid until the next change.
  var bytes: UnsafeRawBufferPointer {
    guard let region else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: Self.memory(region) + region.pointee.start, count: count)
  }

  /// Copies bytes behind those that wait. False without memory, and then nothing has changed.
  mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return true }
    guard let region = regionWithRoom(for: bytes.count) else { return false }
    (Self.memory(region) + region.pointee.end).copyMemory(from: source, byteCount: bytes.count)
    region.pointee.end += bytes.count
    return true
  }

  /// Moves what waits to the front only where at least as much was consumed before it: a slow peer
  /// must not make each small write move a long queue.
  private mutating func regionWithRoom(for additional: Int) -> UnsafeMutablePointer<Region>? {
    guard let old = region else {
      region = Self.allocate(max(additional, Self.minimumCapacity))
      return region
    }
    let (capacity, start, end) = (old.pointee.capacity, old.pointee.start, old.pointee.end)
    if capacity - end >= additional { return old }
    let count = end - start
    if count + additional <= capacity, count <= start {
      memmove(Self.memory(old), Self.memory(old) + start, count)
      old.pointee.start = 0
      old.pointee.end = count
      return old
    }
    guard let new = Self.allocate(max(count + additional, capacity * 2)) else { return nil }
    Self.memory(new).copyMemory(from: Self.memory(old) + start, byteCount: count)
    new.pointee.end = count
    free(old)
    region = new
    return new
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Region>? {
    guard let memory = malloc(MemoryLayout<Region>.size + capacity) else { return nil }
    let region = memory.bindMemory(to: Region.self, capacity: 1)
    region.initialize(to: Region(capacity: capacity))
    return region
  }

  private static func memory(_ region: UnsafeMutablePointer<Region>) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(region + 1)
  }

  /// Drops bytes from the front.
  mutating func consume(_ count: Int) {
    guard let region else { return }
    region.pointee.start += count
    if region.pointee.start == region.pointee.end { clear() }
  }

  mutating func clear() {
    free(region)
    region = nil
  }
}
