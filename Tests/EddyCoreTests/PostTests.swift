import EddyCore
import Dispatch
import Glibc
import Synchronization
import Testing

@Suite struct PostTests {
  @Test func postsOfOneThreadRunInTheirOrderAndNoneIsLost() throws {
    let threads = 4
    let postsPerThread = 20_000
    let loop = Shared(try Loop())
    let seen = Shared([[Int]](repeating: [], count: threads))
    let finished = DispatchSemaphore(value: 0)
    let remaining = Shared(threads * postsPerThread)
    startThreads(threads, finished) { thread in
      for number in 0..<postsPerThread {
        loop.value.post {
          seen.value[thread].append(number)
          remaining.value -= 1
          if remaining.value == 0 { loop.value.stop() }
        }
      }
    }
    try loop.value.run(.untilStopped)
    for _ in 0..<threads { finished.wait() }
    for thread in 0..<threads {
      #expect(seen.value[thread] == Array(0..<postsPerThread))
    }
    try loop.value.destroy()
  }

  @Test func aPostBeforeTheRunKeepsTheLoopAlive() throws {
    let loop = try Loop()
    var ran = false
    loop.post { ran = true }
    #expect(loop.isAlive)
    try loop.run()
    #expect(ran)
    #expect(!loop.isAlive)
    try loop.destroy()
  }

  @Test func aPostWakesALoopThatBlocks() throws {
    let loop = Shared(try Loop())
    let finished = DispatchSemaphore(value: 0)
    startThreads(1, finished) { _ in
      usleep(20_000)
      loop.value.post { loop.value.stop() }
    }
    try loop.value.run(.untilStopped)
    finished.wait()
    try loop.value.destroy()
  }

  @Test func postsThatPostAgainDoNotStarveTimers() throws {
    let loop = try Loop(postBatch: 8)
    var posts = 0
    var timerFired = false
    func again() {
      posts += 1
      if !timerFired { loop.post(again) }
    }
    loop.post(again)
    loop.after(1_000_000) { timerFired = true }
    try loop.run()
    #expect(timerFired)
    #expect(posts > 8)
    try loop.destroy()
  }

  @Test func aStopBeforeTheRunIsKeptForIt() throws {
    let loop = Shared(try Loop())
    onThreads(1) { _ in loop.value.stop() }
    try loop.value.run(.untilStopped)
    var ran = false
    loop.value.post { ran = true }
    try loop.value.run(.once)
    #expect(ran)
    try loop.value.destroy()
  }

  @Test func destroyRunsWhatStillWaits() throws {
    let loop = Shared(try Loop())
    let ran = Shared(0)
    onThreads(2) { _ in loop.value.post { ran.value += 1 } }
    try loop.value.destroy()
    #expect(ran.value == 2)
  }

  @Test func aLoopThatRunsCannotBeRunAgainOrDestroyed() throws {
    let loop = try Loop()
    var errors: [Int32] = []
    loop.post {
      do throws(EddyError) { try loop.run() } catch { errors.append(error.code) }
      do throws(EddyError) { try loop.destroy() } catch { errors.append(error.code) }
    }
    try loop.run()
    #expect(errors == [Int32(EDDY_EBUSY), Int32(EDDY_EBUSY)])
    try loop.destroy()
  }
}
