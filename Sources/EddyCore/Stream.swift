import CLibev

/// What a stream may be told. The C header `eddy/stream.h` documents each callback.
public struct StreamConfiguration {
  public var context: UnsafeMutableRawPointer?
  /// Required by `Stream.connect`.
  public var onConnect: eddy_stream_connect_cb?
  /// Required before `readStart`.
  public var onRead: eddy_stream_read_cb?
  public var onDrain: eddy_stream_drain_cb?
  /// Nanoseconds for connect(2).
  public var connectTimeout: UInt64 = 30 * EDDY_SECOND
  /// At this many queued bytes a write is refused.
  public var writeHighMark = 1 << 20
  /// `onDrain` is called when the queue falls to this many bytes. Below the high mark.
  public var writeLowMark = 0

  public init() {}
}

/// A byte stream over a TCP or Unix socket, or one end of a pipe. The loop's thread.
///
/// The read watcher stays armed while the stream reads; the write watcher is armed only while
/// bytes wait that the kernel did not take.
public final class Stream: Handle {
  enum State: UInt8 {
    case connecting
    case connectFailed
    case open
  }

  private let readWatcher: UnsafeMutablePointer<ev_io>
  /// Made when it is first needed: most streams never have to wait before they can write.
  private var writeWatcher: UnsafeMutablePointer<ev_io>?

  /// The descriptor, which the stream owns; -1 once it is closed.
  public private(set) var fd: Int32
  /// A pipe has neither MSG_NOSIGNAL nor shutdown(2).
  let isSocket: Bool
  var state: State
  /// The peer has ended its side, or the connection has failed: no further read callback comes.
  private var hasEnded = false
  var isShutdownRequested = false
  /// Why writing is no longer possible, or 0.
  var writeError: Int32 = 0
  /// The queue has been above the low mark since `onDrain` was last due.
  var owesDrain = false
  var queue = WriteQueue()
  /// Owned; nil once the stream is connected, or was so from the start.
  var connection: UnsafeMutablePointer<PendingConnection>?

  let onRead: eddy_stream_read_cb?
  let onDrain: eddy_stream_drain_cb?
  let writeHighMark: Int
  let writeLowMark: Int

  /// A stream over an open, connected descriptor, which is made non-blocking and close-on-exec.
  /// - Parameter fd: owned by the stream, unless this throws.
  /// - Throws: `EDDY_EBADF`; `EDDY_EINVAL` for a socket that is no stream, or marks out of order.
  public convenience init(
    loop: Loop, fd: Int32, configuration: StreamConfiguration
  ) throws(EddyError) {
    try Self.check(configuration)
    let isSocket = try Self.prepare(fd)
    self.init(
      loop: loop, configured: fd, isSocket: isSocket, state: .open, configuration: configuration)
  }

  /// A stream over a connection that a `Listener` has accepted, which needs no system call to be
  /// made ready: accept4(2) has set its flags, and TCP_NODELAY comes from the listening socket.
  /// - Throws: `EDDY_EINVAL` for marks out of order; the descriptor is then still the caller's.
  public convenience init(
    loop: Loop, accepted fd: Int32, configuration: StreamConfiguration
  ) throws(EddyError) {
    try Self.check(configuration)
    self.init(
      loop: loop, configured: fd, isSocket: true, state: .open, configuration: configuration)
  }

  init(
    loop: Loop, configured fd: Int32, isSocket: Bool, state: State,
    configuration: StreamConfiguration
  ) {
    readWatcher = .allocate(capacity: 1)
    self.fd = fd
    self.isSocket = isSocket
    self.state = state
    onRead = configuration.onRead
    onDrain = configuration.onDrain
    writeHighMark = configuration.writeHighMark
    writeLowMark = configuration.writeLowMark
    super.init(loop: loop, context: configuration.context)
    clibev_io_init(
      readWatcher, { _, watcher, _ in Stream.of(watcher).readable() }, fd, Int32(EV_READ))
    readWatcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    readWatcher.deallocate()
    writeWatcher?.deallocate()
  }

  @inline(__always)
  private static func of(_ watcher: UnsafeMutablePointer<ev_io>?) -> Stream {
    let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
    return Unmanaged<Stream>.fromOpaque(data).takeUnretainedValue()
  }

  static func check(_ configuration: StreamConfiguration) throws(EddyError) {
    guard configuration.writeHighMark > configuration.writeLowMark,
      configuration.writeLowMark >= 0
    else { throw EddyError(EDDY_EINVAL) }
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
    if isSocket { disableNagle(fd) }
    return isSocket
  }

  /// Sets TCP_NODELAY (tcp(7)): the loop collects small writes itself. On another kind of socket
  /// the call fails, and nothing needs doing.
  static func disableNagle(_ fd: Int32) {
    var on: Int32 = 1
    setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }
}

// MARK: - Readiness to write

extension Stream {
  /// Has `writable` called as soon as the kernel takes bytes, or a connection is made or not.
  func awaitWritability() {
    let watcher = writeWatcher ?? makeWriteWatcher()
    loop.start(watcher)
  }

  func stopAwaitingWritability() {
    if let writeWatcher { loop.stop(writeWatcher) }
  }

  private func makeWriteWatcher() -> UnsafeMutablePointer<ev_io> {
    let watcher = UnsafeMutablePointer<ev_io>.allocate(capacity: 1)
    clibev_io_init(
      watcher,
      { _, watcher, _ in
        let stream = Stream.of(watcher)
        if clibev_io_active(watcher) == 0 { stream.loop.watcherHasStopped() }
        stream.writable()
      }, fd, Int32(EV_WRITE))
    watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    writeWatcher = watcher
    return watcher
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
    loop.start(readWatcher)
    return 0
  }

  /// Pauses reading.
  public func readStop() {
    loop.stop(readWatcher)
  }

  private func readable() {
    if clibev_io_active(readWatcher) == 0 { loop.watcherHasStopped() }
    let buffer = loop.readBuffer
    let count = CLibev.read(fd, buffer.baseAddress, buffer.count)
    if count > 0 {
      onRead?(opaque, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count, context)
    } else if count == 0 {
      endReading(code(EDDY_EOF))
    } else {
      let error = clibev_errno()
      guard error != EAGAIN, error != EINTR else { return }
      endReading(eddy_error_from_errno(error))
    }
  }

  private func endReading(_ status: Int32) {
    hasEnded = true
    loop.stop(readWatcher)
    onRead?(opaque, nil, Int(status), context)
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
    if queue.isEmpty { finishShutdown() }
    return 0
  }

  func finishShutdown() {
    if isSocket {
      _ = CLibev.shutdown(fd, Int32(SHUT_WR))
    } else {
      closeDescriptor()
    }
  }

  /// Closes the stream and its descriptor at once; what is still queued is dropped.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    beginClosing(callback, context)
    endConnecting()
    closeDescriptor()
    queue.clear()
    finishClosing()
  }

  /// The same, but a TCP peer gets a reset instead of an end (SO_LINGER of 0, socket(7)).
  public func reset(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    var abort = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
    close(callback)
  }

  /// The watchers stop first: libev must not hold a descriptor that is closed, or reused.
  private func closeDescriptor() {
    loop.stop(readWatcher)
    stopAwaitingWritability()
    guard fd >= 0 else { return }
    _ = CLibev.close(fd)
    fd = -1
  }

  /// The peer's address as text with a final zero.
  /// - Returns: its length; `EDDY_ENOTCONN`; `EDDY_EINVAL` if the buffer is too small.
  public func peer(into buffer: UnsafeMutableBufferPointer<CChar>) -> Int32 {
    var address = Address()
    guard address.fill({ getpeername(fd, $0, $1) }) == 0 else { return code(EDDY_ENOTCONN) }
    return address.write(to: buffer)
  }
}
