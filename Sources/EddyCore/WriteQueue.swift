import CLibev

/// Bytes that wait to be written: one region that grows, is consumed from its front, and is freed
/// whenever it runs empty, so that an idle stream holds no memory for it.
struct WriteQueue {
  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0
  private var start = 0
  private var end = 0

  /// The least that is allocated: a page.
  private static let minimumCapacity = 4096

  var count: Int { end - start }
  var isEmpty: Bool { start == end }

  /// What is queued, valid until the next change.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory.map { UnsafeRawPointer($0 + start) }, count: count)
  }

  /// Copies bytes behind those that wait. False without memory, and then nothing has changed.
  mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return true }
    if capacity - end < bytes.count, !makeRoom(for: bytes.count) { return false }
    (memory.unsafelyUnwrapped + end).copyMemory(from: source, byteCount: bytes.count)
    end += bytes.count
    return true
  }

  /// Moves what waits to the front only where at least as much was consumed before it: a slow peer
  /// must not make each small write move a long queue.
  private mutating func makeRoom(for additional: Int) -> Bool {
    let needed = count + additional
    if needed > capacity || count > start {
      let newCapacity = max(needed, capacity * 2, Self.minimumCapacity)
      guard let newMemory = malloc(newCapacity) else { return false }
      if let memory {
        newMemory.copyMemory(from: memory + start, byteCount: count)
        free(memory)
      }
      memory = newMemory
      capacity = newCapacity
    } else if let memory {
      memmove(memory, memory + start, count)
    }
    end = count
    start = 0
    return true
  }

  /// Drops bytes from the front.
  mutating func consume(_ count: Int) {
    start += count
    if start == end { clear() }
  }

  mutating func clear() {
    free(memory)
    memory = nil
    capacity = 0
    start = 0
    end = 0
  }
}
