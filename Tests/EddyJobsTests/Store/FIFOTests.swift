import Testing

@testable import EddyJobs

@Suite struct FIFOTests {
  /// Against a plain array, through 20,000 random operations.
  @Test func behavesAsAnArrayDoes() throws {
    var random = SeededGenerator(seed: 1)
    var queue = FIFO<Int>()
    var model: [Int] = []
    for step in 0..<20_000 {
      switch Int.random(in: 0..<8, using: &random) {
      case 0...3:
        queue.append(step)
        model.append(step)
      case 4...5:
        try #require(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
      case 6:
        queue.prepend(step)
        model.insert(step, at: 0)
      default:
        if step % 50 == 0 {
          queue.filter { $0 % 3 != 0 }
          model.removeAll { $0 % 3 == 0 }
        }
      }
      try #require(queue.count == model.count)
      try #require(queue.first == model.first)
    }
    while let element = queue.popFirst() { try #require(element == model.removeFirst()) }
    #expect(model.isEmpty && queue.isEmpty)
  }
}
