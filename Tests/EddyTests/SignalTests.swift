import Eddy
import Glibc
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct SignalTests {
  @Test func signalsArriveAsTheyCome() async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    let loop = thread.loop
    let signals = try await loop.submit { try loop.signals(SIGUSR1, SIGUSR2) }
    var iterator = signals.makeAsyncIterator()
    kill(getpid(), SIGUSR1)
    #expect(await iterator.next() == SIGUSR1)
    kill(getpid(), SIGUSR2)
    #expect(await iterator.next() == SIGUSR2)
  }

  @Test func aSignalBelongsToOneLoopUntilItsStreamEnds() async throws {
    let first = try EventLoopThread()
    defer { first.stop() }
    let second = try EventLoopThread()
    defer { second.stop() }
    let signals = try await first.loop.submit { try first.loop.signals(SIGWINCH) }
    let task = Task {
      for await _ in signals {}
    }
    await #expect(throws: EddyError.self) {
      try await second.loop.submit { _ = try second.loop.signals(SIGWINCH) }
    }
    task.cancel()
    _ = await task.result
    try await first.loop.submit {}
    try await second.loop.submit { _ = try second.loop.signals(SIGWINCH) }
  }

  @Test(arguments: [0, 65, SIGKILL]) func whatIsNoSignalIsRefused(_ number: Int32) async throws {
    let thread = try EventLoopThread()
    defer { thread.stop() }
    await #expect(throws: EddyError(code: -1)) {
      try await thread.loop.submit { _ = try thread.loop.signals(number) }
    }
  }
}
