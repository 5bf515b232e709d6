import Eddy
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct EventLoopTests {
  private actor Counter {
    let loop: EventLoop
    var count = 0

    init(_ loop: EventLoop) {
      self.loop = loop
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func increment() -> Bool {
      count += 1
      return loop.isOnLoop
    }
  }

  @Test func aTaskThatPrefersTheLoopStaysOnItAcrossSuspensions() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let loop = thread.loop
    let places = try await Task(executorPreference: loop) {
      var places = [loop.isOnLoop]
      try await loop.sleep(for: .milliseconds(1))
      places.append(loop.isOnLoop)
      await Task.yield()
      places.append(loop.isOnLoop)
      return places
    }.value
    #expect(places == [true, true, true])
    #expect(!loop.isOnLoop)
  }

  @Test func anActorCanLiveOnTheLoop() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let counter = Counter(thread.loop)
    #expect(await counter.increment())
    // Off the loop's thread this would trap.
    let count = try await thread.loop.submit { counter.assumeIsolated { $0.count } }
    #expect(count == 1)
  }

  @Test func closuresOfOneThreadRunInTheirOrder() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let numbers = Mutex<[Int]>([])
    for number in 0..<2000 {
      thread.loop.execute { numbers.withLock { $0.append(number) } }
    }
    try await thread.loop.submit {}
    #expect(numbers.withLock { $0 } == Array(0..<2000))
  }

  @Test func submitPassesOnWhatIsThrown() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    await #expect(throws: EddyError(code: -1)) {
      try await thread.loop.submit { throw EddyError(code: -1) }
    }
  }

  @Test func sleepLastsAtLeastItsTimeAndDoesNotHoldTheLoopUp() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    // On the loop's thread: the threads that tests share are held up by other tests.
    let took = try await Task(executorPreference: thread.loop) {
      let start = ContinuousClock.now
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<100 {
          group.addTask { try await thread.loop.sleep(for: .milliseconds(50)) }
        }
        try await group.waitForAll()
      }
      return ContinuousClock.now - start
    }.value
    #expect(took >= .milliseconds(50))
    #expect(took < .seconds(2))
  }

  @Test func aCancelledSleepEndsAtOnce() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let task = Task { try await thread.loop.sleep(for: .seconds(3600)) }
    try await thread.loop.sleep(for: .milliseconds(10))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func aSleepOfACancelledTaskDoesNotBegin() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      try await thread.loop.sleep(for: .seconds(3600))
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func runGivesBackWhatMainReturns() throws {
    let result = try EventLoop.run { loop in
      try await loop.sleep(for: .milliseconds(1))
      return loop.isOnLoop
    }
    #expect(result)
  }

  @Test func runPassesOnWhatMainThrows() {
    #expect(throws: CancellationError.self) {
      try EventLoop.run { _ in throw CancellationError() }
    }
  }

  @Test func runEndsWithMainEvenIfItStoppedTheLoopBefore() throws {
    let result = try EventLoop.run { loop in
      loop.stop()
      try await loop.sleep(for: .milliseconds(5))
      return 7
    }
    #expect(result == 7)
  }

  @Test func aLoopThreadCanBeStoppedTwiceAndFromItsDeinit() throws {
    let thread = try EventLoopThread()
    thread.stop()
    thread.stop()
    _ = try EventLoopThread()
  }

  @Test func whatIsQueuedBeforeAThreadIsStoppedRuns() throws {
    let ran = Atomic(0)
    // The stop has to meet the loop in every state: blocked, in a turn, about to block.
    for round in 1...200 {
      let thread = try EventLoopThread()
      for _ in 0..<(round % 5) { thread.loop.execute {} }
      thread.loop.execute { ran.add(1, ordering: .relaxed) }
      thread.stop()
      #expect(ran.load(ordering: .relaxed) == round)
    }
  }

  @Test func aLoopBoundValueIsReachedOnTheLoop() async throws {
    final class Box { var number = 1 }
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let bound = try await thread.loop.submit { LoopBound(Box(), loop: thread.loop) }
    try await thread.loop.submit { bound.value.number += 1 }
    #expect(try await thread.loop.submit { bound.value.number } == 2)
  }

  @Test(
    arguments: [
      (Duration.seconds(-1), 0), (.zero, 0), (.milliseconds(3), 3_000_000),
      (.nanoseconds(1), 1), (Duration(secondsComponent: 0, attosecondsComponent: 1), 1),
      (.seconds(Int64.max), 1 << 62),
    ] as [(Duration, UInt64)])
  func durationsBecomeNanoseconds(_ duration: Duration, _ nanoseconds: UInt64) {
    #expect(duration.clampedNanoseconds == nanoseconds)
  }
}
