import CLibev

/// Connects to the first of several addresses that answers (Happy Eyeballs, RFC 8305): they are tried
/// in turn, each a little after the last or as soon as one has failed. The loop's thread.
final class ConnectionRace {
  /// Called once, unless the race is cancelled. It may be called from inside `start`.
  /// - Parameters:
  ///   - fd: connected, non-blocking, the callee's; -1 if no address could be connected.
  ///   - status: 0, or why the last attempt failed.
  typealias Finish =
    @convention(c) (_ owner: UnsafeMutableRawPointer, _ fd: Int32, _ status: Int32) -> Void

  private struct Attempt {
    /// First, so that a watcher's address is its attempt's.
    var watcher = ev_io()
    let address: eddy_address
  }

  private let unmanagedLoop: Unmanaged<Loop>
  private let owner: UnsafeMutableRawPointer
  private let finish: Finish
  private let attemptDelay: UInt64
  /// One for each address, in the order in which they are tried.
  private let attempts: UnsafeMutablePointer<Attempt>
  private let count: Int
  /// The next address to be tried.
  private var next = 0
  private var running = 0
  private var lastError = code(EDDY_EINVAL)
  private var isOver = false
  private var timer: TimerNode

  private var loop: Loop { unmanagedLoop.takeUnretainedValue() }

  /// - Parameters:
  ///   - addresses: at least one, the best first (RFC 6724).
  ///   - attemptDelay: nanoseconds from one attempt to the next.
  /// - Throws: `EDDY_ENOMEM`.
  convenience init(
    loop: Loop, addresses: UnsafeBufferPointer<eddy_address>, attemptDelay: UInt64,
    owner: UnsafeMutableRawPointer, finish: @escaping Finish
  ) throws(EddyError) {
    guard loop.timers.reserve() else { throw EddyError(EDDY_ENOMEM) }
    guard let memory = malloc(addresses.count * MemoryLayout<Attempt>.stride) else {
      loop.timers.giveUpReservation()
      throw EddyError(EDDY_ENOMEM)
    }
    let attempts = memory.bindMemory(to: Attempt.self, capacity: addresses.count)
    Self.interleave(addresses) { place, address in
      (attempts + place).initialize(to: Attempt(address: address))
    }
    self.init(
      loop: loop, attempts: attempts, count: addresses.count, attemptDelay: attemptDelay,
      owner: owner, finish: finish)
  }

  private init(
    loop: Loop, attempts: UnsafeMutablePointer<Attempt>, count: Int, attemptDelay: UInt64,
    owner: UnsafeMutableRawPointer, finish: @escaping Finish
  ) {
    unmanagedLoop = .passUnretained(loop)
    self.attempts = attempts
    self.count = count
    self.attemptDelay = attemptDelay
    self.owner = owner
    self.finish = finish
    timer = TimerNode { race in
      Unmanaged<ConnectionRace>.fromOpaque(race).takeUnretainedValue().startNext()
    }
    timer.owner = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    free(attempts)
  }

  /// Gives the addresses in the order of their attempts: by turns of the family of the first and the
  /// other, each family in its own order (RFC 8305, section 4, with a first address family count of
  /// 1).
  static func interleave(
    _ addresses: UnsafeBufferPointer<eddy_address>, _ body: (Int, eddy_address) -> Void
  ) {
    guard let first = addresses.first?.family else { return }
    var same = 0
    var other = 0
    for place in 0..<addresses.count {
      while same < addresses.count, addresses[same].family != first { same += 1 }
      while other < addresses.count, addresses[other].family == first { other += 1 }
      let takesOther = other < addresses.count && (place % 2 == 1 || same == addresses.count)
      body(place, addresses[takesOther ? other : same])
      if takesOther { other += 1 } else { same += 1 }
    }
  }

  /// Begins with the first address.
  func start() {
    startNext()
  }

  /// Ends all attempts. `finish` is not called.
  func cancel() {
    guard !isOver else { return }
    isOver = true
    loop.stop(&timer)
    loop.timers.giveUpReservation()
    for index in 0..<next { close(attempts + index) }
  }
}

// MARK: - Attempts

extension ConnectionRace {
  /// Tries the next address, and those behind it as long as they fail at once.
  private func startNext() {
    loop.stop(&timer)
    while next < count {
      let attempt = attempts + next
      next += 1
      attempt.pointee.watcher.fd = -1
      switch begin(attempt) {
      case .connected(let fd): return end(fd, 0)
      case .failed(let error): lastError = error
      case .running:
        running += 1
        if next < count { loop.start(&timer, at: loop.now &+ attemptDelay) }
        return
      }
    }
    if running == 0 { end(-1, lastError) }
  }

  private enum Beginning {
    case connected(Int32)
    case running
    case failed(Int32)
  }

  private func begin(_ attempt: UnsafeMutablePointer<Attempt>) -> Beginning {
    let address = Address(attempt.pointee.address)
    let fd: Int32
    do throws(EddyError) {
      fd = try Stream.openSocket(for: address)
    } catch {
      return .failed(error.code)
    }
    if address.withSockaddr({ connect(fd, $0, $1) }) == 0 { return .connected(fd) }
    let error = clibev_errno()
    guard error == EINPROGRESS else {
      _ = CLibev.close(fd)
      return .failed(eddy_error_from_errno(error))
    }
    let watcher = UnsafeMutableRawPointer(attempt).assumingMemoryBound(to: ev_io.self)
    clibev_io_init(
      watcher,
      { _, watcher, _ in
        let watcher = watcher.unsafelyUnwrapped
        let race = Unmanaged<ConnectionRace>.fromOpaque(watcher.pointee.data.unsafelyUnwrapped)
          .takeUnretainedValue()
        if clibev_io_active(watcher) == 0 {
          race.loop.watchAnew(watcher)
        } else {
          race.hasEnded(UnsafeMutableRawPointer(watcher).assumingMemoryBound(to: Attempt.self))
        }
      }, fd, Int32(EV_WRITE))
    watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    loop.start(watcher)
    return .running
  }

  /// The socket is writable: its connect(2) has come to an end, well or not.
  private func hasEnded(_ attempt: UnsafeMutablePointer<Attempt>) {
    let fd = attempt.pointee.watcher.fd
    let error = SocketOption.error.get(from: fd) ?? clibev_errno()
    loop.stop(&attempt.pointee.watcher)
    running -= 1
    guard error != 0 else {
      attempt.pointee.watcher.fd = -1  // no longer the race's to close
      return end(fd, 0)
    }
    close(attempt)
    lastError = eddy_error_from_errno(error)
    startNext()
  }

  private func close(_ attempt: UnsafeMutablePointer<Attempt>) {
    guard attempt.pointee.watcher.fd >= 0 else { return }
    loop.stop(&attempt.pointee.watcher)
    _ = CLibev.close(attempt.pointee.watcher.fd)
    attempt.pointee.watcher.fd = -1
  }

  /// The last thing that is done: the callee may let go of the race.
  private func end(_ fd: Int32, _ status: Int32) {
    cancel()
    finish(owner, fd, status)
  }
}
