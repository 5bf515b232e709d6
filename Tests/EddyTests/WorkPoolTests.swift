import Eddy
import Glibc
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct WorkPoolTests {
  /// A gate that blocks a thread until it is opened.
  private final class Gate: Sendable {
    private let isReached = Atomic(false)
    private let isOpen = Atomic(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    func pass() {
      isReached.store(true, ordering: .releasing)
      while !isOpen.load(ordering: .acquiring) { usleep(1000) }
    }

    /// Waits until a thread stands at the gate.
    func reached(_ loop: EventLoop) async throws {
      while !isReached.load(ordering: .acquiring) { try await loop.sleep(for: .milliseconds(1)) }
    }
  }

  private func withPool(
    threads: Int = 2, capacity: Int = 16, _ body: (WorkPool, EventLoop) async throws -> Void
  ) async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let loop = thread.loop
    let pool = try await loop.submit {
      try WorkPool(loop: loop, threads: threads, queueCapacity: capacity)
    }
    try await body(pool, loop)
    await pool.close()
  }

  @Test func workRunsOffTheLoopAndItsResultComesBack() async throws {
    try await withPool { pool, loop in
      let (number, wasOnLoop) = try await pool.run { (6 * 7, loop.isOnLoop) }
      #expect(number == 42)
      #expect(!wasOnLoop)
    }
  }

  @Test func aTaskOnTheLoopResumesOnTheLoop() async throws {
    try await withPool { pool, loop in
      let isOnLoop = try await Task(executorPreference: loop) {
        try await pool.run {}
        return loop.isOnLoop
      }.value
      #expect(isOnLoop)
    }
  }

  @Test func whatWorkThrowsComesBack() async throws {
    struct Failure: Error {}
    try await withPool { pool, _ in
      await #expect(throws: Failure.self) { try await pool.run { throw Failure() } }
    }
  }

  @Test func aThousandWorksGetEachItsOwnResult() async throws {
    try await withPool(threads: 4, capacity: 1000) { pool, _ in
      let sum = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<1000 { group.addTask { try await pool.run { number } } }
        return try await group.reduce(0, +)
      }
      #expect(sum == 499_500)
    }
  }

  @Test func aFullQueueRefuses() async throws {
    try await withPool(threads: 1, capacity: 1) { pool, loop in
      let gate = Gate()
      let running = Task { try await pool.run { gate.pass() } }
      try await gate.reached(loop)
      let waiting = Task.immediate { try await pool.run {} }
      try await loop.submit {}  // behind the work on its way to the queue
      await #expect(throws: WorkPool.Full.self) { try await pool.run {} }
      gate.open()
      try await running.value
      try await waiting.value
    }
  }

  @Test func workOfACancelledTaskIsLeftOut() async throws {
    try await withPool(threads: 1, capacity: 1) { pool, loop in
      let gate = Gate()
      let didRun = Atomic(false)
      let running = Task { try await pool.run { gate.pass() } }
      try await gate.reached(loop)
      let waiting = Task.immediate { try await pool.run { didRun.store(true, ordering: .relaxed) } }
      try await loop.submit {}
      waiting.cancel()
      // The only thread is still at the gate.
      await #expect(throws: CancellationError.self) { try await waiting.value }
      let next = Task.immediate { try await pool.run { 7 } }  // the queue has room for one
      gate.open()
      try await running.value
      #expect(try await next.value == 7)
      let didRunInTheEnd = didRun.load(ordering: .relaxed)
      #expect(!didRunInTheEnd)
    }
  }

  @Test func aTaskThatIsCancelledBeforeItAsksGetsNothingRun() async throws {
    try await withPool { pool, _ in
      let didRun = Atomic(false)
      let task = Task {
        while !Task.isCancelled { await Task.yield() }
        try await pool.run { didRun.store(true, ordering: .relaxed) }
      }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      let didRunInTheEnd = didRun.load(ordering: .relaxed)
      #expect(!didRunInTheEnd)
    }
  }

  @Test func cancellationThatMeetsTheBeginEndsEachTaskOnce() async throws {
    try await withPool(threads: 2, capacity: 1000) { pool, _ in
      for _ in 0..<20 {
        let tasks = (0..<50).map { number in Task { try await pool.run { number } } }
        for task in tasks { task.cancel() }
        for (number, task) in tasks.enumerated() {
          switch await task.result {
          case .success(let value): #expect(value == number)
          case .failure(let error): #expect(error is CancellationError)
          }
        }
      }
    }
  }

  @Test func closingCancelsWhatWaitsAndAwaitsWhatRuns() async throws {
    try await withPool(threads: 1) { pool, loop in
      let gate = Gate()
      let running = Task { try await pool.run { gate.pass() } }
      try await gate.reached(loop)
      let waiting = Task.immediate { try await pool.run {} }
      try await loop.submit {}
      let closing = Task { await pool.close() }
      await #expect(throws: CancellationError.self) { try await waiting.value }
      gate.open()
      await closing.value
      try await running.value
      await #expect(throws: CancellationError.self) { try await pool.run {} }
    }
  }
}
