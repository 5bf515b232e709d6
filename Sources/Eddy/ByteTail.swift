/// The last bytes of a sequence of any length.
struct ByteTail {
  private let limit: Int
  private var kept: [UInt8] = []

  init(limit: Int) {
    self.limit = limit
  }

  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    kept.append(contentsOf: bytes.suffix(limit))
    // At twice the limit, so that each byte is moved once on average, not at each append.
    if kept.count >= 2 * limit { kept.removeFirst(kept.count - limit) }
  }

  var bytes: [UInt8] { kept.count > limit ? Array(kept.suffix(limit)) : kept }
}
