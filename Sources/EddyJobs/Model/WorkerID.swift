/// Names one life of one worker process: a boot id of 128 random bits.
///
/// A worker that restarts is another worker, so what it did in its former life cannot pass for what
/// it does now.
public struct WorkerID: Hashable, Sendable, CustomStringConvertible {
  let bits: JobID

  /// A boot id that no other process has.
  public init() { bits = JobID() }

  /// The boot id that `hex` spells (32 lowercase hexadecimal digits), else nil.
  public init?(hex: some StringProtocol) {
    guard let bits = JobID(hex: hex) else { return nil }
    self.bits = bits
  }

  /// All 32 digits, for stores.
  public var hex: String { bits.hex }

  public var description: String { bits.description }
}
