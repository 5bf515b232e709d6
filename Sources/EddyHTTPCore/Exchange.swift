/// Names one request on one connection for its whole life.
///
/// A value that may be kept anywhere, also after the connection is gone: each use is checked
/// against the slot's generation and the connection's request number. A slot or descriptor that is
/// used again can therefore never receive the answer of another exchange.
public struct Exchange: Hashable, Sendable {
  /// The connection's place in the engine's table.
  @usableFromInline let slot: UInt32
  /// How many connections had the slot before this one.
  @usableFromInline let generation: UInt32
  /// The request's number on its connection, from 1.
  public let request: UInt64

  init(slot: UInt32, generation: UInt32, request: UInt64) {
    self.slot = slot
    self.generation = generation
    self.request = request
  }

  /// A number that all requests of one connection share, and those of no other connection of the
  /// same engine (until 2^32 connections have used one slot): for logs.
  public var connectionNumber: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}
