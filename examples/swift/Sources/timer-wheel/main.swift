// timer-wheel: sessions that expire when nothing has come from them for a while.
//
//   swift run timer-wheel 100000 3       100,000 sessions, watched for 3 seconds
//
// It shows a timer for each of very many things. A session is touched much more often than it
// expires, and each touch starts its timer anew: Eddy does that in O(1), since the deadline only
// moves later, so that no timing wheel of one's own is needed.

import Eddy
import EddyCore
import Glibc

/// Confined to the loop's thread, as are its sessions.
final class Wheel {
  static let idleLimit = 500 * EDDY_MILLISECOND
  private static let tick = 10 * EDDY_MILLISECOND
  private static let reportInterval = 500 * EDDY_MILLISECOND
  /// Of a hundred sessions, those that are touched in each tick. Some are missed for longer than
  /// the idle limit: 0.93 to the power of 50 ticks is 2.7 %.
  private static let touchedPercent = 7
  /// Of a thousand touches, those that log out.
  static let logoutPermille: UInt32 = 2

  private let loop: Loop
  private var sessions: [Session] = []
  private var timers: [Timer] = []
  private var random: UInt32 = 1
  private let beganAt: UInt64
  var (alive, touched, expired, loggedOut) = (0, 0, 0, 0)

  init(_ loop: Loop, count: Int) {
    self.loop = loop
    loop.updateNow()
    beganAt = loop.now
    sessions = (0..<count).map { _ in Session(loop, of: self) }
    for session in sessions { session.touch() }
    let context = Unmanaged.passUnretained(self).toOpaque()
    let tick = Timer(loop: loop, context: context) { _, context in Wheel.of(context).touchSome() }
    tick.start(delay: Self.tick, repeat: Self.tick)
    let report = Timer(loop: loop, context: context) { _, context in Wheel.of(context).report() }
    report.start(delay: Self.reportInterval, repeat: Self.reportInterval)
    timers = [tick, report]
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> Wheel {
    Unmanaged<Wheel>.fromOpaque(context!).takeUnretainedValue()
  }

  /// xorshift32: cheap, and the same each time.
  func nextRandom() -> UInt32 {
    random ^= random << 13
    random ^= random >> 17
    random ^= random << 5
    return random
  }

  private func touchSome() {
    for _ in 0...sessions.count * Self.touchedPercent / 100 {
      sessions[Int(nextRandom() % UInt32(sessions.count))].touch()
    }
  }

  func report() {
    let passed = (loop.now - beganAt) / EDDY_MILLISECOND
    print(
      "after \(passed) ms: \(alive) alive, \(touched) touched, \(expired) expired,",
      "\(loggedOut) logged out")
    fflush(nil)
  }

  func close() {
    for timer in timers { timer.close() }
    for session in sessions { session.close() }
  }
}

final class Session {
  private unowned let wheel: Wheel
  private var isAlive = false
  private var expiry: Timer!

  init(_ loop: Loop, of wheel: Wheel) {
    self.wheel = wheel
    expiry = Timer(loop: loop, context: Unmanaged.passUnretained(self).toOpaque()) { _, context in
      Unmanaged<Session>.fromOpaque(context!).takeUnretainedValue().expired()
    }
  }

  /// The timer is stopped now, and may be started again.
  private func expired() {
    isAlive = false
    wheel.alive -= 1
    wheel.expired += 1
  }

  /// A request of a session that is there, or the first of a new one in the place of one that is gone.
  func touch() {
    if isAlive && wheel.nextRandom() % 1000 < Wheel.logoutPermille {
      expiry.stop()
      isAlive = false
      wheel.alive -= 1
      wheel.loggedOut += 1
      return
    }
    if !isAlive { wheel.alive += 1 }
    isAlive = true
    wheel.touched += 1
    expiry.start(delay: Wheel.idleLimit)
  }

  func close() {
    expiry.close()
  }
}

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard CommandLine.arguments.count == 3, arguments.count == 2,
  (1...10_000_000).contains(arguments[0]), (1...86_400).contains(arguments[1])
else {
  let usage = Array("usage: timer-wheel SESSIONS SECONDS     for example 100000 3\n".utf8)
  _ = write(STDERR_FILENO, usage, usage.count)
  exit(2)
}
let (count, seconds) = (arguments[0], arguments[1])

try EventLoop.run { loop in
  let wheel = Wheel(loop.core, count: count)
  let end = Task(executorPreference: loop) { try await loop.sleep(for: .seconds(seconds)) }
  let signals = Task(executorPreference: loop) {
    for await _ in try loop.signals(SIGINT, SIGTERM) { end.cancel() }
  }
  _ = await end.result
  signals.cancel()
  wheel.report()
  wheel.close()
}
