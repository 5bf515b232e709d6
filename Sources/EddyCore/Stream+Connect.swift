import CLibev

extension Stream {
  /// Starts to connect. `onConnect` tells the outcome, always from the loop.
  /// - Parameter address: "127.0.0.1:8888", "[::1]:8888" or "unix:/path".
  /// - Throws: `EDDY_EADDRFORMAT`; what socket(2) says; `EDDY_EINVAL` without `onConnect`.
  public static func connect(
    loop: Loop, address: String, configuration: StreamConfiguration
  ) throws(EddyError) -> Stream {
    try connect(loop: loop, to: Address(parsing: address), configuration: configuration)
  }

  static func connect(
    loop: Loop, to address: Address, configuration: StreamConfiguration
  ) throws(EddyError) -> Stream {
    let fd = try openSocket(for: address)
    let stream: Stream
    do throws(EddyError) {
      stream = try makeConnecting(loop, fd: fd, configuration)
    } catch {
      _ = CLibev.close(fd)
      throw error
    }
    configuration.applyOptions(to: fd)
    stream.startConnecting(address)
    return stream
  }

  static func openSocket(for address: Address) throws(EddyError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fd = socket(address.family, type, 0)
    guard fd >= 0 else { throw .current }
    return fd
  }

  /// A stream that waits for its connection, for as long as the configuration says.
  /// - Parameters:
  ///   - fd: the stream's, unless this throws; -1 if there is none yet.
  ///   - start: starts what is waited for, of which nothing comes before this has returned.
  static func makeConnecting(
    _ loop: Loop, fd: Int32, _ configuration: StreamConfiguration,
    _ start: (UnsafeMutablePointer<PendingConnection>) throws(EddyError) -> Void = { _ in }
  ) throws(EddyError) -> Stream {
    try configuration.check()
    let pending = try PendingConnection.make(loop, configuration)
    let idle: UnsafeMutablePointer<IdleDeadline>?
    do throws(EddyError) {
      idle = try configuration.makeIdleDeadline(loop)
    } catch {
      PendingConnection.free(pending, loop)
      throw error
    }
    do throws(EddyError) {
      try start(pending)
    } catch {
      PendingConnection.free(pending, loop)
      if let idle { IdleDeadline.free(idle, loop) }
      throw error
    }
    let stream = Stream(
      loop: loop, configured: fd, isSocket: true, state: .connecting, idle: idle,
      configuration: configuration)
    stream.connection = pending
    pending.pointee.stream = .passUnretained(stream)
    loop.start(&pending.pointee.timer, at: Loop.due(after: configuration.connectTimeout))
    return stream
  }

  private func startConnecting(_ address: Address) {
    let result = address.withSockaddr { CLibev.connect(fd, $0, $1) }
    let error = clibev_errno()
    if result == 0 {
      reportFromLoop(0)
    } else if error == EINPROGRESS {
      awaitWritability()
    } else {
      reportFromLoop(eddy_error_from_errno(error))
    }
  }

  private func reportFromLoop(_ status: Int32) {
    guard let connection else { return }
    connection.pointee.immediateStatus = status
    loop.start(&connection.pointee.timer, at: loop.now)
  }

  func connectTimerFired() {
    report(connection?.pointee.immediateStatus ?? code(EDDY_ETIMEDOUT))
  }

  /// The socket is writable: connect(2) has come to an end, well or not.
  func finishConnecting() {
    let error = SocketOption.error.get(from: fd) ?? clibev_errno()
    report(error == 0 ? 0 : eddy_error_from_errno(error))
  }

  func report(_ status: Int32) {
    guard let callback = connection?.pointee.callback else { return }
    stopAwaitingWritability()
    state = status == 0 ? .open : .connectFailed
    if status == 0 {
      detour.remove(.refused)
      startIdleDeadline()
    }
    endConnecting()
    loop.dispatch(.connect, callback, context) { callback(opaque, status, context) }
  }

  /// Ends what was needed until here.
  func endConnecting() {
    guard let connection else { return }
    self.connection = nil
    PendingConnection.free(connection, loop)
  }
}
