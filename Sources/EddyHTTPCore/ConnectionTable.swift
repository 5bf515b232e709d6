/// The connections of an engine, by slot. A slot that becomes free is used again, with the next
/// generation, so that nobody who kept its old name reaches the new connection.
final class ConnectionTable {
  private struct Slot {
    /// Retained.
    var connection: Unmanaged<Connection>?
    var generation: UInt32 = 0
    var nextFree: UInt32 = Self.none

    static var none: UInt32 { .max }
  }

  private static var initialCapacity: Int { 64 }

  private var slots: UnsafeMutablePointer<Slot>
  private var capacity: Int
  private var used = 0
  private var firstFree = Slot.none
  private(set) var count = 0

  init() {
    capacity = Self.initialCapacity
    slots = .allocate(capacity: capacity)
  }

  deinit { slots.deallocate() }

  /// The slot and generation that the next `insert` will use.
  var next: (slot: UInt32, generation: UInt32) {
    firstFree == Slot.none ? (UInt32(used), 0) : (firstFree, slots[Int(firstFree)].generation)
  }

  /// Puts in a connection that was made with `next`.
  func insert(_ connection: Connection) {
    count += 1
    let retained = Unmanaged.passRetained(connection)
    if firstFree != Slot.none {
      let slot = Int(firstFree)
      firstFree = slots[slot].nextFree
      slots[slot].connection = retained
      return
    }
    if used == capacity { grow() }
    (slots + used).initialize(to: Slot(connection: retained))
    used += 1
  }

  func remove(_ connection: Connection) {
    let slot = Int(connection.slot)
    let retained = slots[slot].connection
    slots[slot].connection = nil
    slots[slot].generation &+= 1
    slots[slot].nextFree = firstFree
    firstFree = connection.slot
    count -= 1
    retained?.release()
  }

  /// The connection of an exchange, if it is the one that the exchange came on.
  @inline(__always) func find(_ exchange: Exchange) -> Unmanaged<Connection>? {
    let slot = Int(exchange.slot)
    guard slot < used, slots[slot].generation == exchange.generation else { return nil }
    return slots[slot].connection
  }

  /// How many slots have ever been used: the bound for `connection(at:)`.
  var slotCount: Int { used }

  func connection(at slot: Int) -> Connection? { slots[slot].connection?.takeUnretainedValue() }

  private func grow() {
    let newCapacity = capacity * 2
    let newSlots = UnsafeMutablePointer<Slot>.allocate(capacity: newCapacity)
    newSlots.moveInitialize(from: slots, count: used)
    slots.deallocate()
    slots = newSlots
    capacity = newCapacity
  }
}
