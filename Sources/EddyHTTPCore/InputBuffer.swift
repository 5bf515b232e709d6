import CLibev

/// Bytes of one connection that were read but not used yet. It holds memory only while there are
/// any; without, it is but a pointer.
struct InputBuffer: ~Copyable {
  /// What stands before the bytes, in the same allocation.
  private struct Region {
    /// Of the bytes behind this header.
    var capacity: Int
    var count: Int
  }

  private var region: UnsafeMutablePointer<Region>?

  init() {}

  deinit { free(region) }

  var count: Int { region?.pointee.count ?? 0 }
  var isEmpty: Bool { region == nil }
  var bytes: UnsafeRawBufferPointer {
    guard let region else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: region + 1, count: region.pointee.count)
  }

  /// False without memory, and then nothing has changed.
  mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return true }
    let count = count
    let capacity = region?.pointee.capacity ?? 0
    if capacity - count < bytes.count {
      let newCapacity = max(count + bytes.count, capacity * 2)
      guard let memory = realloc(region, MemoryLayout<Region>.size + newCapacity) else {
        return false
      }
      let newRegion = memory.bindMemory(to: Region.self, capacity: 1)
      newRegion.initialize(to: Region(capacity: newCapacity, count: count))
      region = newRegion
    }
    guard let region else { return false }
    memcpy(UnsafeMutableRawPointer(region + 1) + count, source, bytes.count)
    region.pointee.count += bytes.count
    return true
  }

  /// Drops bytes from the front.
  mutating func removeFirst(_ length: Int) {
    guard let region else { return }
    let count = region.pointee.count - length
    if count == 0 {
      free(region)
      self.region = nil
    } else if length > 0 {
      let memory = UnsafeMutableRawPointer(region + 1)
      memmove(memory, memory + length, count)
      region.pointee.count = count
    }
  }

  /// Hands the bytes over, and is empty.
  mutating func take() -> InputBuffer {
    var taken = InputBuffer()
    swap(&taken, &self)
    return taken
  }
}
