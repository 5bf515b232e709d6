import CLibev

/// Bytes on their way out: one growable region, of which an engine has one for all connections.
final class OutputBuffer {
  /// What most turns of most connections fit in.
  private static var initialCapacity: Int { 16384 }

  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int = initialCapacity) {
    self.capacity = capacity
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  var isEmpty: Bool { count == 0 }
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  func removeAll() { count = 0 }

  /// Keeps the first `length` bytes.
  func truncate(_ length: Int) { count = length }

  /// Makes room for that many more bytes, so that the unchecked appends may follow.
  @inline(__always) func reserve(_ additional: Int) {
    if capacity &- count < additional { grow(additional) }
  }

  private func grow(_ additional: Int) {
    let newCapacity = max(capacity * 2, count + additional)
    let newBase = UnsafeMutablePointer<UInt8>.allocate(capacity: newCapacity)
    newBase.update(from: base, count: count)
    base.deallocate()
    base = newBase
    capacity = newCapacity
  }

  func append(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 0 else { return }
    reserve(bytes.count)
    appendUnchecked(bytes)
  }

  func append(_ text: StaticString) {
    reserve(text.utf8CodeUnitCount)
    appendUnchecked(text)
  }

  // MARK: - After `reserve`

  @inline(__always) func appendUnchecked(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    memcpy(base + count, source, bytes.count)
    count &+= bytes.count
  }

  @inline(__always) func appendUnchecked(_ text: StaticString) {
    memcpy(base + count, text.utf8Start, text.utf8CodeUnitCount)
    count &+= text.utf8CodeUnitCount
  }

  @inline(__always) func appendUnchecked(_ byte: UInt8) {
    base[count] = byte
    count &+= 1
  }

  /// Has that many bytes filled in; none are appended if `fill` says false.
  func appendUnchecked(_ length: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Bool) -> Bool {
    guard fill(base + count) else { return false }
    count &+= length
    return true
  }

  /// At most 19 digits.
  @inline(__always) func appendUnchecked(decimal number: Int) {
    appendDigits(UInt64(number), radix: 10)
  }

  /// At most 16 digits.
  func appendUnchecked(hexadecimal number: Int) {
    appendDigits(UInt64(number), radix: 16)
  }

  @inline(__always) private func appendDigits(_ number: UInt64, radix: UInt64) {
    var length = 1
    var rest = number / radix
    while rest > 0 {
      length &+= 1
      rest /= radix
    }
    var position = count &+ length
    count = position
    rest = number
    for _ in 0..<length {
      let digit = UInt8(truncatingIfNeeded: rest % radix)
      position &-= 1
      base[position] = digit < 10 ? ASCII.zero &+ digit : 0x61 &- 10 &+ digit
      rest /= radix
    }
  }
}
