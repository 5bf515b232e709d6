import EddyCore
import Dispatch
import Glibc
import Synchronization
import Testing

/// One work of the tests: counts itself, and notes the thread that completes it.
private final class Work {
  let body: () -> Void
  let done: (Int32) -> Void

  init(body: @escaping () -> Void, done: @escaping (Int32) -> Void) {
    self.body = body
    self.done = done
  }
}

extension Pool {
  fileprivate func submit(
    _ body: @escaping () -> Void, done: @escaping (Int32) -> Void,
    accepted: UnsafeMutablePointer<OpaquePointer?>? = nil
  ) -> Int32 {
    let work = Unmanaged.passRetained(Work(body: body, done: done))
    let status = submit(
      work: { context in
        Unmanaged<Work>.fromOpaque(context!).takeUnretainedValue().body()
      },
      done: { status, context in
        Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().done(status)
      }, context: work.toOpaque(), accepted: accepted)
    if status != 0 { work.release() }
    return status
  }
}

@Suite struct PoolTests {
  @Test func workRunsOffTheLoopAndCompletesOnIt() throws {
    let loop = try Loop()
    let pool = try Pool(loop: loop, threads: 3)
    let ran = Atomic<Int>(0)
    var completed = 0
    for _ in 0..<1000 {
      let status = pool.submit {
        #expect(!loop.isOnLoopThread)
        ran.add(1, ordering: .relaxed)
      } done: { status in
        #expect(loop.isOnLoopThread)
        #expect(status == 0)
        completed += 1
      }
      #expect(status == 0)
    }
    try loop.run()
    #expect(ran.load(ordering: .relaxed) == 1000)
    #expect(completed == 1000)
    pool.close()
    try loop.run()
    try loop.destroy()
  }

  @Test func aFullQueueTakesNothing() throws {
    let loop = try Loop()
    let pool = try Pool(loop: loop, threads: 1, queueCapacity: 2)
    let gate = DispatchSemaphore(value: 0)
    let started = DispatchSemaphore(value: 0)
    #expect(
      pool.submit {
        started.signal()
        gate.wait()
      } done: { _ in
      } == 0)
    started.wait()
    #expect(pool.submit({}, done: { _ in }) == 0)
    #expect(pool.submit({}, done: { _ in }) == 0)
    #expect(pool.waiting == 2)
    #expect(pool.submit({}, done: { _ in }) == Int32(EDDY_EAGAIN))
    gate.signal()
    try loop.run()
    pool.close()
    try loop.run()
    try loop.destroy()
  }

  @Test func aCancelledWorkCompletesWithoutHavingRun() throws {
    let loop = try Loop()
    let pool = try Pool(loop: loop, threads: 1, queueCapacity: 1)
    let gate = DispatchSemaphore(value: 0)
    let started = DispatchSemaphore(value: 0)
    _ = pool.submit {
      started.signal()
      gate.wait()
    } done: { _ in
    }
    started.wait()
    var statuses: [Int32] = []
    var work: OpaquePointer?
    _ = pool.submit(
      { Issue.record("cancelled work ran") }, done: { statuses.append($0) }, accepted: &work)
    #expect(Pool.cancel(try #require(work)) == 0)
    #expect(Pool.cancel(try #require(work)) == Int32(EDDY_EALREADY))
    #expect(statuses.isEmpty)
    #expect(pool.waiting == 0)
    #expect(pool.submit({}, done: { statuses.append($0) }) == 0)
    gate.signal()
    try loop.run()
    #expect(statuses == [Int32(EDDY_ECANCELED), 0])
    pool.close()
    try loop.run()
    try loop.destroy()
  }

  @Test func closingCancelsWhatWaitsAndLetsWhatRunsEnd() throws {
    let loop = try Loop()
    let pool = try Pool(loop: loop, threads: 1)
    let gate = DispatchSemaphore(value: 0)
    let started = DispatchSemaphore(value: 0)
    var statuses: [Int32] = []
    _ = pool.submit {
      started.signal()
      gate.wait()
    } done: {
      statuses.append($0)
    }
    started.wait()
    _ = pool.submit({ Issue.record("cancelled work ran") }, done: { statuses.append($0) })
    var isClosed = false
    let closed = ClosureBox { isClosed = true }
    pool.close({ ClosureBox.call($0) }, context: closed.context)
    #expect(pool.submit({}, done: { _ in }) == Int32(EDDY_EALREADY))
    loop.after(5_000_000) { gate.signal() }
    try loop.run()
    #expect(statuses == [Int32(EDDY_ECANCELED), 0])
    #expect(isClosed)
    withExtendedLifetime(closed) {}
    try loop.destroy()
  }

  @Test func aPoolMustHaveThreadsAndAQueue() throws {
    let loop = try Loop()
    #expect(throws: EddyError(code: Int32(EDDY_EINVAL))) { try Pool(loop: loop, threads: 0) }
    #expect(throws: EddyError(code: Int32(EDDY_EINVAL))) { try Pool(loop: loop, threads: 1025) }
    #expect(throws: EddyError(code: Int32(EDDY_EINVAL))) {
      try Pool(loop: loop, threads: 1, queueCapacity: 0)
    }
    try loop.destroy()
  }
}
