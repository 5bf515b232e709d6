import CLibev

/// What a stream needs only until it is connected.
struct PendingConnection {
  let callback: eddy_stream_connect_cb
  /// Ends the attempt; or reports an outcome that connect(2) gave at once.
  var timer: Deadline
  /// What connect(2) gave at once; otherwise the timer means that time is up.
  var immediateStatus: Int32?
}

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
    guard let callback = configuration.onConnect else { throw EddyError(EDDY_EINVAL) }
    try configuration.check()
    let idle = try configuration.makeIdleDeadline()
    let fd: Int32
    do throws(EddyError) {
      fd = try openSocket(for: address)
    } catch {
      free(idle)
      throw error
    }
    configuration.applyOptions(to: fd)
    let stream = Stream(
      loop: loop, configured: fd, isSocket: true, state: .connecting, idle: idle,
      configuration: configuration)
    stream.beginConnecting(callback, timeout: configuration.connectTimeout)
    stream.startConnecting(address)
    return stream
  }

  static func openSocket(for address: Address) throws(EddyError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fd = socket(address.family, type, 0)
    guard fd >= 0 else { throw .current }
    return fd
  }

  /// Starts the time that all of connecting may take.
  func beginConnecting(_ callback: @escaping eddy_stream_connect_cb, timeout: UInt64) {
    let pending = UnsafeMutablePointer<PendingConnection>.allocate(capacity: 1)
    pending.initialize(
      to: PendingConnection(
        callback: callback,
        timer: Deadline(owner: UnsafeMutableRawPointer(opaque)) { stream in
          Unmanaged<Stream>.fromOpaque(stream)._withUnsafeGuaranteedRef { $0.connectTimerFired() }
        }))
    connection = pending
    loop.start(&pending.pointee.timer, at: loop.now &+ timeout)
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

  private func connectTimerFired() {
    report(connection?.pointee.immediateStatus ?? code(EDDY_ETIMEDOUT))
  }

  /// The socket is writable: connect(2) has come to an end, well or not.
  func finishConnecting() {
    let error = SocketOption.error.get(from: fd) ?? clibev_errno()
    report(error == 0 ? 0 : eddy_error_from_errno(error))
  }

  private func report(_ status: Int32) {
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

  /// Stops the timer, and frees what was needed until here.
  func endConnecting() {
    guard let connection else { return }
    loop.stop(&connection.pointee.timer)
    connection.deinitialize(count: 1)
    connection.deallocate()
    self.connection = nil
  }
}
