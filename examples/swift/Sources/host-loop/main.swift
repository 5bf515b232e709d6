// host-loop: a program whose own loop, around poll(2), drives Eddy's.
//
//   swift run host-loop      each line is handed to the loop; "slow" holds it up; the end (Ctrl-D) ends
//
// It shows what a host needs to wait for both loops at once, a hook in each turn, the counters, and
// how a callback that holds the loop up is found.

import EddyCore
import Glibc

/// Confined to the thread that drives the loop.
final class Host {
  private static let tick = 100 * EDDY_MILLISECOND
  /// What takes longer holds everybody else up noticeably.
  private static let slow = 20 * EDDY_MILLISECOND

  private let loop: Loop
  private var hook: Hook!
  private var timer: Timer!
  private var lines = Lines()
  private var (turns, ticks) = (0, 0)

  init() throws(EddyError) {
    loop = try Loop()
    let context = Unmanaged.passUnretained(self).toOpaque()
    loop.watchCallbacks(longerThan: Self.slow) { slow, _ in
      Host.tell(of: slow!.pointee)
    }
    hook = Hook(loop: loop, kind: .beforeBlocking, context: context) { _, context in
      Host.of(context).turns += 1
    }
    hook.start()
    timer = Timer(loop: loop, context: context) { _, context in Host.of(context).ticks += 1 }
    timer.start(delay: Self.tick, repeat: Self.tick)
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> Host {
    Unmanaged<Host>.fromOpaque(context!).takeUnretainedValue()
  }

  /// A program with many callbacks would ask dladdr(3) for the function's name.
  private static func tell(of slow: eddy_slow_callback) {
    let isKnown = slow.function == unsafeBitCast(Line.slow, to: UnsafeMutableRawPointer.self)
    print(isKnown ? "Line.slow" : "a callback", "took \(slow.duration / EDDY_MILLISECOND) ms")
    fflush(nil)
  }

  /// Until the end of standard input.
  func run() throws(EddyError) {
    var ready = [
      pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
      pollfd(fd: try loop.descriptor(), events: Int16(POLLIN), revents: 0),
    ]
    var hasMore = true
    while hasMore {
      // What a timer or a line has started may be due at once: turns, until it is time to wait.
      repeat { try loop.run(.nowait) } while loop.timeout == 0
      poll(&ready, 2, Self.pollTimeout(loop.timeout))
      if ready[0].revents != 0 { hasMore = lines.read { post($0) } }
    }
    timer.close()
    try loop.run(.untilIdle)  // the last lines
  }

  private func post(_ text: String) {
    let line = Unmanaged.passRetained(Line(text)).toOpaque()  // the callback takes it over
    loop.post(text == "slow" ? Line.slow : Line.show, line)
  }

  /// In poll(2)'s milliseconds: rounded up, so that a timer is due when the time is over.
  private static func pollTimeout(_ nanoseconds: UInt64) -> Int32 {
    guard nanoseconds != .max else { return -1 }
    return Int32(clamping: (nanoseconds + EDDY_MILLISECOND - 1) / EDDY_MILLISECOND)
  }

  func end() throws(EddyError) {
    print(
      "\(loop.turns) turns (the hook counted \(turns)),",
      "\(loop.events) events, of them \(ticks) ticks,",
      "\(loop.postsRun) posts, \(loop.wakes) wakes;",
      "longest callback \(loop.longestCallback / EDDY_MILLISECOND) ms")
    hook.close()
    try loop.destroy()
  }
}

/// A line on its way to the loop, and what may be done with it there.
final class Line {
  private let text: String

  init(_ text: String) {
    self.text = text
  }

  static let show: Loop.Post = { context, _ in
    print("line:", Unmanaged<Line>.fromOpaque(context!).takeRetainedValue().text)
    fflush(nil)
  }

  /// As a program does that computes, or reads from a slow disk.
  static let slow: Loop.Post = { context, argument in
    usleep(60_000)
    Line.show(context, argument)
  }
}

/// Cuts standard input into lines.
struct Lines {
  private static let chunk = 4096
  private var rest: [UInt8] = []

  /// Reads what is there, and hands on each line. False at the end of the input.
  mutating func read(_ body: (String) -> Void) -> Bool {
    var bytes = [UInt8](repeating: 0, count: Self.chunk)
    let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
    rest += bytes.prefix(max(0, count))
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      body(String(decoding: rest[..<end], as: UTF8.self))
      rest.removeSubrange(...end)
    }
    if count <= 0, !rest.isEmpty { body(String(decoding: rest, as: UTF8.self)) }
    return count > 0
  }
}

do {
  let host = try Host()
  try host.run()
  try host.end()
} catch {
  let line = Array("host-loop: \(error.message)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
  exit(1)
}
