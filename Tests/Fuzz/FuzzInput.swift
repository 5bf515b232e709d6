import CLibev

/// Ends the program if something that must always hold doesn't: the fuzzer keeps the input.
/// (An optimised `precondition` would not say which it was.)
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
  if !condition { fatalError(what()) }
}

/// Calls with a copy of `bytes` in an allocation of just their size, so that AddressSanitizer sees
/// each read beyond them.
func withExactCopy<Result>(
  _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
) -> Result {
  let copy = UnsafeMutableRawBufferPointer(start: malloc(max(bytes.count, 1)), count: bytes.count)
  defer { free(copy.baseAddress) }
  copy.copyMemory(from: bytes)
  return body(UnsafeRawBufferPointer(copy))
}

/// What the first two bytes of an input choose; the rest of it is what the target reads.
///
/// Printable bytes choose as well as others, so that kept inputs can be read: "0" is the usual
/// limits, "1" small ones.
struct Choices {
  let hasSmallLimits: Bool
  let seed: UInt8
  let content: UnsafeRawBufferPointer

  /// Nil if there is no third byte.
  init?(_ data: UnsafePointer<UInt8>, _ size: Int) {
    guard size > 2 else { return nil }
    hasSmallLimits = data[0] & 1 != 0
    seed = data[1]
    content = UnsafeRawBufferPointer(start: data + 2, count: size - 2)
  }

  /// Where the pieces end into which the seed cuts `content`.
  var cuts: Cuts { Cuts(count: content.count, state: UInt32(seed)) }
}

/// The ends of pieces of 1 to 8 bytes; with seed 0, of one byte each.
struct Cuts: Sequence, IteratorProtocol {
  private let count: Int
  private var state: UInt32
  private var end = 0

  init(count: Int, state: UInt32) {
    self.count = count
    self.state = state
  }

  mutating func next() -> Int? {
    guard end < count else { return nil }
    // The generator of "Numerical Recipes", 2nd edition, §7.1; its high bits are the good ones.
    if state != 0 { state = state &* 1_664_525 &+ 1_013_904_223 }
    end = Swift.min(count, end + 1 + Int(state >> 29))
    return end
  }
}
