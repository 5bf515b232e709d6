import CLibev

/// Bytes of one connection that were read but not used yet. It holds memory only while there are any.
struct InputBuffer: ~Copyable {
  private var base: UnsafeMutableRawPointer?
  private var capacity = 0
  private(set) var count = 0

  init() {}

  deinit { free(base) }

  var isEmpty: Bool { count == 0 }
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// False without memory, and then nothing has changed.
  mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return true }
    if capacity - count < bytes.count {
      let newCapacity = max(count + bytes.count, capacity * 2)
      guard let newBase = realloc(base, newCapacity) else { return false }
      base = newBase
      capacity = newCapacity
    }
    memcpy(base.unsafelyUnwrapped + count, source, bytes.count)
    count += bytes.count
    return true
  }

  /// Drops bytes from the front.
  mutating func removeFirst(_ length: Int) {
    count -= length
    if count == 0 {
      free(base)
      base = nil
      capacity = 0
    } else if length > 0, let base {
      memmove(base, base + length, count)
    }
  }

  /// Hands the bytes over, and is empty.
  mutating func take() -> InputBuffer {
    var taken = InputBuffer()
    swap(&taken, &self)
    return taken
  }
}
