import Eddy
import Testing

@testable import EddyJobs

@Suite struct DeadlineQueueTests {
  private final class Item: Timed, @unchecked Sendable {
    let number: Int
    let log: Log
    init(_ number: Int, _ log: Log) {
      self.number = number
      self.log = log
    }
    override func expire() { log.expired.append(number) }
  }

  private final class Log: @unchecked Sendable {
    // Unchecked, as all here: confined to the loop's thread.
    var expired: [Int] = []
  }

  @Test func itemsExpireInOrderAndRemovedOnesDoNot() throws {
    let thread = try EventLoopThread()
    let loop = thread.loop
    try wait(on: loop) {
      var random = SeededGenerator(seed: 4)
      let queue = DeadlineQueue(loop: loop)
      let log = Log()
      // Each has its millisecond of 200; a third is taken out before its time.
      let items = (0..<200).map { Item($0, log) }
      for item in items.shuffled(using: &random) {
        queue.add(item, after: .milliseconds(50 + item.number))
      }
      for item in items.shuffled(using: &random) where item.number % 3 == 0 { queue.remove(item) }
      #expect(queue.count == 133)
      queue.remove(items[0])
      try await loop.sleep(for: .milliseconds(600))
      #expect(log.expired == (0..<200).filter { $0 % 3 != 0 })
      #expect(queue.count == 0 && items.allSatisfy { !$0.isTimed })

      // It goes on after it was empty, and an earlier one than the timer's is not late.
      queue.add(items[1], after: .seconds(3_600))
      queue.add(items[2], after: .milliseconds(1))
      try await loop.sleep(for: .milliseconds(100))
      #expect(log.expired.last == 2 && queue.count == 1)
      queue.close()
      #expect(!items[1].isTimed)
    }
    thread.stop()
  }

  @Test func manyAreAddedAndRemovedInAnyOrder() throws {
    let thread = try EventLoopThread()
    let loop = thread.loop
    try wait(on: loop) {
      var random = SeededGenerator(seed: 5)
      let queue = DeadlineQueue(loop: loop)
      let log = Log()
      let items = (0..<500).map { Item($0, log) }
      for _ in 0..<20_000 {
        let item = items.randomElement(using: &random)!
        if item.isTimed {
          queue.remove(item)
        } else {
          queue.add(item, after: .seconds(Int.random(in: 60...6_000, using: &random)))
        }
      }
      #expect(queue.count == items.count { $0.isTimed })
      for item in items { queue.remove(item) }
      #expect(queue.count == 0 && log.expired.isEmpty)
      queue.close()
    }
    thread.stop()
  }
}
