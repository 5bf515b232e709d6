import EddyCore
import Dispatch
import Glibc
import Testing

@Suite struct TimerTests {
  @Test func timersFireInTheOrderOfTheirDeadlinesAndNeverEarly() throws {
    let loop = try Loop()
    let start = loop.now
    var fired: [Int] = []
    for (name, delay) in [(3, 30), (1, 10), (2, 20), (0, 0)] as [(Int, UInt64)] {
      loop.after(delay * 1_000_000) {
        #expect(loop.now >= start + delay * 1_000_000)
        fired.append(name)
      }
    }
    try loop.run()
    #expect(fired == [0, 1, 2, 3])
    try loop.destroy()
  }

  @Test func aRepeatingTimerSkipsWhatTheLoopWasTooBusyFor() throws {
    let loop = try Loop()
    let interval: UInt64 = 10_000_000
    var times: [UInt64] = []
    var timer: Timer?
    let box = ClosureBox {
      times.append(loop.now)
      if times.count == 1 { usleep(35_000) }  // the 2nd, 3rd and 4th deadlines pass
      if times.count == 3 { timer?.close() }
    }
    timer = Timer(loop: loop, context: box.context) { _, context in ClosureBox.call(context) }
    let start = loop.now
    timer?.start(delay: interval, repeat: interval)
    try loop.run()
    #expect(times.count == 3)
    // Each call stands at or after a multiple of the interval, and no two in the same one.
    let intervals = times.map { ($0 - start) / interval }
    #expect(Set(intervals).count == 3)
    withExtendedLifetime(box) {}
    try loop.destroy()
  }

  @Test func aTimerMayCloseItselfAndAnotherInItsCallback() throws {
    let loop = try Loop()
    var other: Timer?
    let never = ClosureBox { Issue.record("a closed timer fired") }
    other = Timer(loop: loop, context: never.context) { _, context in ClosureBox.call(context) }
    other?.start(delay: 1_000_000)
    loop.after(0) { other?.close() }
    try loop.run()
    withExtendedLifetime(never) {}
    try loop.destroy()
  }

  @Test func anOpenTimerKeepsTheLoopFromBeingDestroyed() throws {
    let loop = try Loop()
    let timer = Timer(loop: loop, context: nil) { _, _ in }
    #expect(throws: EddyError(code: Int32(EDDY_EBUSY))) { try loop.destroy() }
    #expect(!loop.isAlive)
    timer.close()
    try loop.run()
    try loop.destroy()
  }
}
