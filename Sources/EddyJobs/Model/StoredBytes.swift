/// A body that a store holds: in memory, or wherever it must be read from piece by piece.
///
/// A store that keeps large bodies as files need not load one to hand it on.
public enum StoredBytes: Sendable {
  case memory([UInt8])
  /// `read(offset, maximum)` gives between one and `maximum` bytes from `offset`; it is asked only
  /// for offsets below `count`. It may be called on any executor and must not block it.
  case external(
    count: Int, read: @Sendable (_ offset: Int, _ maximum: Int) async throws(StoreError) -> [UInt8])

  /// Bytes.
  public var count: Int {
    switch self {
    case .memory(let bytes): bytes.count
    case .external(let count, _): count
    }
  }

  /// How much of an external body is read at once: 64 KiB, the size of the loop's read buffer.
  static let pieceSize = 65_536

  /// The whole body, in memory.
  public func load() async throws(StoreError) -> [UInt8] {
    switch self {
    case .memory(let bytes):
      return bytes
    case .external(let count, let read):
      var bytes: [UInt8] = []
      bytes.reserveCapacity(count)
      while bytes.count < count {
        let piece = try await read(bytes.count, min(Self.pieceSize, count - bytes.count))
        guard !piece.isEmpty else { throw StoreError.truncated }
        bytes += piece
      }
      return bytes
    }
  }
}
