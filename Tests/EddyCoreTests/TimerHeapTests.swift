import Testing

@testable import EddyCore

/// The heap against a model: a list that is searched.
struct TimerHeapTests {
  /// What the model knows of a timer.
  private struct Expected {
    var due: UInt64
    /// Among timers of one time, the first that was started, or moved to another time, comes first.
    var order: Int
  }

  @Test(arguments: 1...20) func theHeapAgreesWithAListThatIsSearched(seed: UInt64) {
    let count = 200
    var random = SplitMix(state: seed)
    var heap = TimerHeap()
    let nodes = UnsafeMutablePointer<TimerNode>.allocate(capacity: count)
    defer { nodes.deallocate() }
    nodes.initialize(repeating: TimerNode { _ in }, count: count)
    var model: [Int: Expected] = [:]
    var order = 0
    var now: UInt64 = 1000
    for _ in 0..<20_000 {
      let index = Int(random.next() % UInt64(count))
      switch random.next() % 8 {
      case 0...4:
        let due = now + random.next() % 64  // few times, so that many are equal
        let wasStopped = heap.start(nodes + index, at: due)
        #expect(wasStopped == (model[index] == nil))
        if model[index]?.due != due { model[index] = Expected(due: due, order: order) }
        order += 1
      case 5:
        #expect(heap.stop(nodes + index) == (model.removeValue(forKey: index) != nil))
      default:
        now += random.next() % 16
        while let node = heap.takeDue(now, startedBefore: heap.nextSequence) {
          let first = model.min { ($0.value.due, $0.value.order) < ($1.value.due, $1.value.order) }
          #expect(first?.key == node - nodes)
          model[node - nodes] = nil
        }
        #expect(model.values.allSatisfy { $0.due > now })
      }
      #expect(heap.count == model.count)
      #expect(heap.earliest <= model.values.map(\.due).min() ?? .max)
    }
  }

  @Test func whatIsStartedMeanwhileStays() {
    var heap = TimerHeap()
    let nodes = UnsafeMutablePointer<TimerNode>.allocate(capacity: 2)
    defer { nodes.deallocate() }
    nodes.initialize(repeating: TimerNode { _ in }, count: 2)
    _ = heap.start(nodes, at: 5)
    let sequence = heap.nextSequence
    _ = heap.start(nodes + 1, at: 5)
    #expect(heap.takeDue(5, startedBefore: sequence) == nodes)
    #expect(heap.takeDue(5, startedBefore: sequence) == nil)
    #expect(heap.takeDue(5, startedBefore: heap.nextSequence) == nodes + 1)
  }

  /// As seldom timers are beside idle timeouts that each event starts anew.
  @Test func aTimerThatHasWaitedForManyStartsComes() {
    var heap = TimerHeap()
    let node = UnsafeMutablePointer<TimerNode>.allocate(capacity: 1)
    defer { node.deallocate() }
    node.initialize(to: TimerNode { _ in })
    _ = heap.start(node, at: 5)
    let sequenceAfterManyStarts: UInt32 = 1 << 31 + 1
    #expect(heap.takeDue(6, startedBefore: sequenceAfterManyStarts) == node)
  }
}

/// A small generator with a seed, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
