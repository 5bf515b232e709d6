import CLibev

/// What a stream needs only until it is connected.
struct PendingConnection {
  let callback: eddy_stream_connect_cb
  /// Ends the attempt; with no delay, it reports an outcome that connect(2) gave at once.
  let timer = UnsafeMutablePointer<ev_timer>.allocate(capacity: 1)
  /// What connect(2) gave at once; otherwise the timer means that time is up.
  var immediateStatus: Int32?

  init(_ callback: @escaping eddy_stream_connect_cb) {
    self.callback = callback
  }
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
    try check(configuration)
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fd = socket(address.family, type, 0)
    guard fd >= 0 else { throw .current }
    disableNagle(fd)
    let stream = Stream(
      loop: loop, configured: fd, isSocket: true, state: .connecting,
      configuration: configuration)
    stream.startConnecting(address, callback, timeout: configuration.connectTimeout)
    return stream
  }

  private func startConnecting(
    _ address: Address, _ callback: @escaping eddy_stream_connect_cb, timeout: UInt64
  ) {
    let pending = UnsafeMutablePointer<PendingConnection>.allocate(capacity: 1)
    pending.initialize(to: PendingConnection(callback))
    connection = pending
    let timer = pending.pointee.timer
    clibev_timer_init(
      timer,
      { _, timer, _ in
        let data = timer.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Stream>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.connectTimerFired() }
      }, 0, 0)
    timer.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    let result = address.withSockaddr { CLibev.connect(fd, $0, $1) }
    let error = clibev_errno()
    if result == 0 {
      pending.pointee.immediateStatus = 0
    } else if error != EINPROGRESS {
      pending.pointee.immediateStatus = eddy_error_from_errno(error)
    }
    let isKnown = pending.pointee.immediateStatus != nil
    if !isKnown { awaitWritability() }
    loop.start(timer, delay: isKnown ? 0 : timeout)
  }

  private func connectTimerFired() {
    loop.watcherHasStopped()
    report(connection?.pointee.immediateStatus ?? code(EDDY_ETIMEDOUT))
  }

  /// The socket is writable: connect(2) has come to an end, well or not.
  func finishConnecting() {
    var error: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size)
    report(error == 0 ? 0 : eddy_error_from_errno(error))
  }

  private func report(_ status: Int32) {
    stopAwaitingWritability()
    state = status == 0 ? .open : .connectFailed
    let callback = connection?.pointee.callback
    endConnecting()
    callback?(opaque, status, context)
  }

  /// Stops the timer, and frees what was needed until here.
  func endConnecting() {
    guard let connection else { return }
    loop.stop(connection.pointee.timer)
    connection.pointee.timer.deallocate()
    connection.deallocate()
    self.connection = nil
  }
}
