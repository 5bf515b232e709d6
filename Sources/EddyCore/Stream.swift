import CLibev

/// A byte stream over a TCP or Unix socket, or one end of a pipe. The loop's thread.
///
/// It watches for bytes to read while it reads, and for room to write only while bytes wait that
/// the kernel did not take.
public final class Stream: Handle {
  enum State: UInt8 {
    case connecting
    case connectFailed
    case open
  }

  /// Why a write can't go straight to send(2), so that a write asks one question.
  struct Detour: OptionSet {
    let rawValue: UInt8
    /// Not connected, ended, failed or closing: `refusal` says which.
    static let refused = Detour(rawValue: 1)
    /// Others wait before it.
    static let queued = Detour(rawValue: 2)
    /// A pipe has neither MSG_NOSIGNAL nor shutdown(2).
    static let pipe = Detour(rawValue: 4)
    /// The time of the last byte is kept, also of reads.
    static let timed = Detour(rawValue: 8)
  }

  // What each read and write uses stands together: cache lines.
  private var io = ev_io()
  let onRead: eddy_stream_read_cb?
  /// The descriptor, which the stream owns; -1 before there is one, and once it is closed.
  public private(set) var fd: Int32
  var detour: Detour
  /// What the watcher watches: EV_READ, EV_WRITE, both, or 0 when it is stopped.
  private(set) var interest: UInt8 = 0
  var state: State
  /// The peer has ended its side, or the connection has failed: no further read callback comes.
  var hasEnded = false
  var isShutdownRequested = false
  /// The queue has been above the low mark since `onDrain` was last due.
  var owesDrain = false
  /// Why writing is no longer possible, or 0.
  var writeError: Int32 = 0
  /// Owned; nil when nothing waits to be written or told.
  var queue: UnsafeMutablePointer<WriteQueue>?
  /// Owned; nil without `onIdle`, and once the stream is closing.
  var idle: UnsafeMutablePointer<IdleDeadline>?
  /// Owned; nil once the stream is connected, or was so from the start.
  var connection: UnsafeMutablePointer<PendingConnection>?

  let onDrain: eddy_stream_drain_cb?
  let writeHighMark: Int
  let writeLowMark: Int

  /// A stream over an open, connected descriptor, which is made non-blocking and close-on-exec.
  /// - Parameter fd: owned by the stream, unless this throws.
  /// - Throws: `EDDY_EBADF`; `EDDY_EINVAL` for a socket that is no stream, or a configuration out of
  ///   order; `EDDY_ENOMEM`.
  public convenience init(
    loop: Loop, fd: Int32, configuration: StreamConfiguration
  ) throws(EddyError) {
    try configuration.check()
    let isSocket = try Self.prepare(fd)
    let idle = try configuration.makeIdleDeadline(loop)
    if isSocket { configuration.applyOptions(to: fd) }
    self.init(
      loop: loop, configured: fd, isSocket: isSocket, state: .open, idle: idle,
      configuration: configuration)
  }

  /// A stream over a connection that a `Listener` has accepted, which needs no system call to be
  /// made ready: accept4(2) has set its flags, and the options come from the listening socket.
  /// - Throws: `EDDY_EINVAL` for a configuration out of order; `EDDY_ENOMEM`. The descriptor is then
  ///   still the caller's.
  public convenience init(
    loop: Loop, accepted fd: Int32, configuration: StreamConfiguration
  ) throws(EddyError) {
    try configuration.check()
    guard fd >= 0 else { throw EddyError(EDDY_EBADF) }
    let idle = try configuration.makeIdleDeadline(loop)
    if configuration.delayWrites { SocketOption.noDelay.set(on: fd, to: 0) }
    configuration.applyKeepAlive(to: fd)
    self.init(
      loop: loop, configured: fd, isSocket: true, state: .open, idle: idle,
      configuration: configuration)
  }

  /// - Parameter idle: owned from here on.
  init(
    loop: Loop, configured fd: Int32, isSocket: Bool, state: State,
    idle: UnsafeMutablePointer<IdleDeadline>?, configuration: StreamConfiguration
  ) {
    self.fd = fd
    self.state = state
    self.idle = idle
    detour = isSocket ? [] : .pipe
    if state != .open { detour.insert(.refused) }
    onRead = configuration.onRead
    onDrain = configuration.onDrain
    writeHighMark = configuration.writeHighMark
    writeLowMark = configuration.writeLowMark
    super.init(loop: loop, context: configuration.context)
    prepareWatcher()
    adoptIdleDeadline()
  }

  override func tellBeforeClosing() {
    endQueue()
  }

  /// Makes a caller's descriptor fit for the loop. True if it is a socket.
  private static func prepare(_ fd: Int32) throws(EddyError) -> Bool {
    let flags = clibev_fcntl_get(fd, F_GETFL)
    guard flags >= 0 else { throw EddyError(EDDY_EBADF) }
    var type: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    let isSocket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0
    guard !isSocket || type == Int32(SOCK_STREAM.rawValue) else { throw EddyError(EDDY_EINVAL) }
    guard clibev_fcntl_set(fd, F_SETFL, flags | O_NONBLOCK) == 0,
      clibev_fcntl_set(fd, F_SETFD, FD_CLOEXEC) == 0
    else { throw .current }
    return isSocket
  }
}

// MARK: - Readiness

extension Stream {
  @inline(__always)
  private var watcher: UnsafeMutablePointer<ev_io> {
    withUnsafeMutablePointer(to: &io) { $0 }
  }

  /// Prepares the watcher for the descriptor, which it does not watch yet.
  private func prepareWatcher() {
    clibev_io_init(
      watcher,
      { _, watcher, events in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        let stream = Unmanaged<Stream>.fromOpaque(data)
        if events == Int32(EV_READ) {
          stream.readable()
        } else {
          stream._withUnsafeGuaranteedRef { $0.readyToWrite(events) }
        }
      }, fd, 0)
    watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
  }

  /// Takes over the descriptor that a race has brought.
  func adopt(_ fd: Int32) {
    self.fd = fd
    prepareWatcher()
  }

  private func watch(_ events: UInt8) {
    guard events != interest else { return }
    if interest != 0 { loop.stop(watcher) }
    interest = events
    guard events != 0 else { return }
    clibev_io_modify(watcher, Int32(events))
    loop.start(watcher)
  }

  func awaitReadability() { watch(interest | UInt8(EV_READ)) }

  func stopAwaitingReadability() { watch(interest & ~UInt8(EV_READ)) }

  /// Has `writable` called as soon as the kernel takes bytes, or a connection is made or not.
  func awaitWritability() { watch(interest | UInt8(EV_WRITE)) }

  func stopAwaitingWritability() { watch(interest & ~UInt8(EV_WRITE)) }

  /// libev must not hold a descriptor that is closed, or reused.
  func closeDescriptor() {
    watch(0)
    guard fd >= 0 else { return }
    _ = CLibev.close(fd)
    fd = -1
  }

  /// Room comes before bytes: what the program answers to them then finds a shorter queue.
  @inline(never)
  fileprivate func readyToWrite(_ events: Int32) {
    if clibev_io_active(watcher) == 0 {
      loop.watchAnew(watcher)
      // Bytes and room can be had without a notice, too; but of a connection nothing has been learnt.
      guard state == .open else { return }
    }
    if interest & UInt8(EV_WRITE) != 0 { writable() }
    if interest & UInt8(events & Int32(EV_READ)) != 0 { readable() }
  }

  private func readable() {
    Unmanaged.passUnretained(self).readable()
  }

  /// What read(2) has given is no bytes, or more must be done than to hand them on.
  @inline(never)
  fileprivate func readCarefully(_ result: Int) {
    if result > 0 {
      if detour.contains(.timed) { noteTraffic() }
      Unmanaged.passUnretained(self).deliver(result)
    } else if result == 0 {
      endReading(code(EDDY_EOF))
    } else {
      let error = clibev_errno()
      guard error != EAGAIN, error != EINTR else { return }
      endReading(eddy_error_from_errno(error))
    }
  }

  private func endReading(_ status: Int32) {
    hasEnded = true
    stopAwaitingReadability()
    let callback = onRead.unsafelyUnwrapped
    loop.dispatch(.read, callback, context) { callback(opaque, nil, Int(status), context) }
  }
}

/// The path of most bytes. It goes without a reference that is counted: the compiler would count one
/// for each use of `self` and `loop`, at two atomic operations each, which is why each field is
/// asked for by itself. And it asks for it anew after a system call, which is cheaper than to keep it
/// in a register that must be saved first.
extension Unmanaged<Stream> {
  @inline(__always)
  fileprivate func readable() {
    let size = read(
      _withUnsafeGuaranteedRef { $0.fd }, readBuffer.baseAddress,
      loop._withUnsafeGuaranteedRef { $0.readBufferSize })
    guard size > 0, !_withUnsafeGuaranteedRef({ $0.detour.contains(.timed) }),
      !loop._withUnsafeGuaranteedRef({ $0.isMeasuring })
    else { return _withUnsafeGuaranteedRef { $0.readCarefully(size) } }
    deliver(size)
  }

  /// - Parameter size: of the bytes in the loop's buffer.
  @inline(__always)
  fileprivate func deliver(_ size: Int) {
    // `readStart` has asked for the callback.
    let callback = _withUnsafeGuaranteedRef { $0.onRead.unsafelyUnwrapped }
    let context = _withUnsafeGuaranteedRef { $0.context }
    let bytes = readBuffer.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
    let stream = OpaquePointer(toOpaque())
    loop._withUnsafeGuaranteedRef {
      $0.dispatch(.read, callback, context) { callback(stream, bytes, size, context) }
    }
  }

  @inline(__always)
  private var loop: Unmanaged<Loop> { _withUnsafeGuaranteedRef { $0.unmanagedLoop } }

  @inline(__always)
  private var readBuffer: UnsafeMutableRawBufferPointer {
    loop._withUnsafeGuaranteedRef { $0.readBuffer }
  }

  /// - Returns: as `Stream.write(_:)`; `EDDY_EINVAL` without bytes.
  @inline(__always)
  func write(_ data: UnsafeRawPointer?, _ count: Int) -> Int {
    guard _fastPath(data != nil), _fastPath(_withUnsafeGuaranteedRef { $0.detour.isEmpty }),
      _fastPath(count >= 0)
    else { return _withUnsafeGuaranteedRef { $0.writeCarefully(data, count) } }
    let sent = send(_withUnsafeGuaranteedRef { $0.fd }, data, count, Int32(MSG_NOSIGNAL))
    return sent == count ? 0 : _withUnsafeGuaranteedRef { $0.writeRest(data, count, sent) }
  }
}

// MARK: - Reading

extension Stream {
  /// Starts to read, or goes on after a pause.
  /// - Returns: 0; `EDDY_EINVAL` without `onRead`; `EDDY_ENOTCONN`, also for a pipe that was ended;
  ///   `EDDY_EOF`; `EDDY_EALREADY` when closing.
  @discardableResult
  public func readStart() -> Int32 {
    guard !isClosing else { return code(EDDY_EALREADY) }
    guard onRead != nil else { return code(EDDY_EINVAL) }
    guard state == .open, fd >= 0 else { return code(EDDY_ENOTCONN) }
    guard !hasEnded else { return code(EDDY_EOF) }
    awaitReadability()
    return 0
  }

  /// Pauses reading.
  public func readStop() {
    stopAwaitingReadability()
  }
}

// MARK: - Closing

extension Stream {
  /// Ends this side once the queue is written (shutdown(2)); a pipe's descriptor has but one side,
  /// which is closed.
  /// - Returns: 0; `EDDY_ENOTCONN`; `EDDY_EALREADY` if done before or closing.
  @discardableResult
  public func shutdown() -> Int32 {
    guard !isClosing, !isShutdownRequested else { return code(EDDY_EALREADY) }
    guard state == .open, writeError == 0 else { return code(EDDY_ENOTCONN) }
    isShutdownRequested = true
    detour.insert(.refused)
    if !detour.contains(.queued) { finishShutdown() }
    return 0
  }

  func finishShutdown() {
    if detour.contains(.pipe) {
      closeDescriptor()
    } else {
      _ = CLibev.shutdown(fd, Int32(SHUT_WR))
    }
  }

  /// Closes the stream and its descriptor at once; what is still queued is dropped, and its `done`
  /// callbacks are called with `EDDY_ECANCELED` just before the close callback.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    detour.insert(.refused)
    endConnecting()
    freeIdleDeadline()
    closeDescriptor()
    abandonQueue()
    beginClosing(callback, context)
    finishClosing()
  }

  /// The same, but a TCP peer gets a reset instead of an end (SO_LINGER of 0, socket(7)).
  public func reset(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    var abort = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
    close(callback)
  }
}
