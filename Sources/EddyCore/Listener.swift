import CLibev

/// What a listener may be told. The C header `eddy/listener.h` documents each callback.
public struct ListenerConfiguration {
  public var context: UnsafeMutableRawPointer?
  /// Required.
  public var onAccept: eddy_accept_cb?
  public var onError: eddy_listener_error_cb?
  /// The backlog of listen(2); the system may hold it to less (net.core.somaxconn).
  public var backlog: Int32 = 4096
  /// SO_REUSEPORT (socket(7)): several processes share the port.
  public var reusePort = false
  /// "[::]:80" leaves IPv4 alone (IPV6_V6ONLY, ipv6(7)), instead of accepting both.
  public var ipv6Only = false
  /// Nanoseconds of silence until the kernel probes the peer of an accepted TCP connection, rounded
  /// up to seconds, at most `KeepAlive.maximum`; 0: no probes.
  public var keepAlive: UInt64 = 0

  public init() {}

  /// - Throws: `EDDY_EINVAL` for values out of range.
  fileprivate func check() throws(EddyError) -> eddy_accept_cb {
    guard let onAccept, keepAlive <= KeepAlive.maximum else { throw EddyError(EDDY_EINVAL) }
    return onAccept
  }

  /// Sets what a connection inherits from the socket that accepts it. Those options are TCP's, and
  /// fail on another kind of socket, where nothing needs doing.
  fileprivate func applyOptions(to fd: Int32) {
    SocketOption.noDelay.set(on: fd, to: 1)
    if keepAlive > 0 { _ = KeepAlive(silence: keepAlive).apply(to: fd) }
  }
}

/// A listening socket. The loop's thread.
public final class Listener: Handle {
  /// Connections that one turn accepts, so that a burst of them can't hold up the others.
  private static let acceptBatch = 64
  /// How long accepting pauses when descriptors have run out: a level-triggered watcher would spin.
  private static let exhaustionPause: UInt64 = 100 * EDDY_MILLISECOND

  private var io = ev_io()
  private var resumption: TimerNode
  private let fd: Int32
  private let onAccept: eddy_accept_cb
  private let onError: eddy_listener_error_cb?
  /// The device and inode of a Unix socket's file, to be removed with the listener.
  private let file: SocketFile?
  private let boundAddress: Address
  private var isPaused = false

  /// Binds and listens.
  /// - Parameter address: "127.0.0.1:80", "[::1]:80" or "unix:/path"; port 0 lets the system choose.
  /// - Throws: `EDDY_EADDRFORMAT`; what socket(2), bind(2) and listen(2) say; `EDDY_EINVAL`, also
  ///   without `onAccept`; `EDDY_ENOMEM`.
  public convenience init(
    loop: Loop, address: String, configuration: ListenerConfiguration
  ) throws(EddyError) {
    try self.init(loop: loop, at: Address(parsing: address), configuration: configuration)
  }

  convenience init(
    loop: Loop, at address: Address, configuration: ListenerConfiguration
  ) throws(EddyError) {
    let onAccept = try configuration.check()
    guard loop.timers.reserve() else { throw EddyError(EDDY_ENOMEM) }
    let fd: Int32
    do throws(EddyError) {
      fd = try Self.listen(at: address, configuration)
    } catch {
      loop.timers.giveUpReservation()
      throw error
    }
    self.init(loop: loop, listening: fd, configuration, onAccept, ownsFile: true)
  }

  /// A listener on a socket that another program has opened.
  /// - Parameters:
  ///   - fd: a listening stream socket; made non-blocking and close-on-exec, and owned by the
  ///     listener unless this throws. A Unix socket's file stays when the listener is closed.
  ///   - configuration: `backlog`, `reusePort` and `ipv6Only` are the opener's.
  /// - Throws: `EDDY_EBADF`; `EDDY_EINVAL` for a descriptor that is no listening stream socket;
  ///   `EDDY_ENOMEM`.
  public convenience init(
    loop: Loop, adopting fd: Int32, configuration: ListenerConfiguration
  ) throws(EddyError) {
    let onAccept = try configuration.check()
    let flags = clibev_fcntl_get(fd, F_GETFL)
    guard flags >= 0 else { throw EddyError(EDDY_EBADF) }
    let domain = SocketOption.domain.get(from: fd)
    guard domain == AF_INET || domain == AF_INET6 || domain == AF_UNIX,
      SocketOption.type.get(from: fd) == Int32(SOCK_STREAM.rawValue),
      SocketOption.isListening.get(from: fd) == 1
    else { throw EddyError(EDDY_EINVAL) }
    guard clibev_fcntl_set(fd, F_SETFL, flags | O_NONBLOCK) == 0,
      clibev_fcntl_set(fd, F_SETFD, FD_CLOEXEC) == 0
    else { throw .current }
    guard loop.timers.reserve() else { throw EddyError(EDDY_ENOMEM) }
    configuration.applyOptions(to: fd)
    self.init(loop: loop, listening: fd, configuration, onAccept, ownsFile: false)
  }

  /// - Parameter loop: has reserved room for the timer.
  private init(
    loop: Loop, listening fd: Int32, _ configuration: ListenerConfiguration,
    _ onAccept: @escaping eddy_accept_cb, ownsFile: Bool
  ) {
    var bound = Address()
    _ = bound.fill { getsockname(fd, $0, $1) }
    self.fd = fd
    self.onAccept = onAccept
    onError = configuration.onError
    file = ownsFile ? SocketFile(at: bound) : nil
    boundAddress = bound
    resumption = TimerNode { listener in
      Unmanaged<Listener>.fromOpaque(listener)._withUnsafeGuaranteedRef {
        $0.loop.start($0.watcher)
      }
    }
    super.init(loop: loop, context: configuration.context)
    let data = Unmanaged.passUnretained(self).toOpaque()
    clibev_io_init(
      watcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Listener>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.acceptable() }
      }, fd, Int32(EV_READ))
    watcher.pointee.data = data
    resumption.owner = data
    loop.start(watcher)
  }

  // A stored property of a final class does not move.

  private var watcher: UnsafeMutablePointer<ev_io> {
    @inline(__always) get { withUnsafeMutablePointer(to: &io) { $0 } }
  }

  private var resumptionNode: UnsafeMutablePointer<TimerNode> {
    @inline(__always) get { withUnsafeMutablePointer(to: &resumption) { $0 } }
  }

  private static func listen(
    at address: Address, _ configuration: ListenerConfiguration
  ) throws(EddyError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fd = socket(address.family, type, 0)
    guard fd >= 0 else { throw .current }
    // A restarted server must not wait for its old connections' TIME-WAIT (ip(7)).
    SocketOption.reuseAddress.set(on: fd, to: 1)
    if configuration.reusePort { SocketOption.reusePort.set(on: fd, to: 1) }
    // Said either way: what holds otherwise is the system's setting (net.ipv6.bindv6only).
    if address.family == AF_INET6 {
      SocketOption.ipv6Only.set(on: fd, to: configuration.ipv6Only ? 1 : 0)
    }
    configuration.applyOptions(to: fd)
    var result = address.withSockaddr { bind(fd, $0, $1) }
    if result != 0, clibev_errno() == EADDRINUSE {
      if SocketFile.removeStale(at: address) {
        result = address.withSockaddr { bind(fd, $0, $1) }
      } else {
        clibev_set_errno(EADDRINUSE)
      }
    }
    let isBound = result == 0
    if isBound { result = CLibev.listen(fd, configuration.backlog) }
    guard result == 0 else {
      let error = EddyError.current
      if isBound { SocketFile(at: address)?.remove(at: address) }
      _ = CLibev.close(fd)
      throw error
    }
    return fd
  }

  /// The address as text with a final zero, with the port that the system chose.
  /// - Returns: its length; `EDDY_EINVAL` if the buffer is too small.
  public func address(into buffer: UnsafeMutableBufferPointer<CChar>) -> Int32 {
    boundAddress.write(to: buffer)
  }

  /// The same as a string.
  public var addressText: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Address.textCapacity) { buffer in
      _ = address(into: buffer)
      return String(cString: buffer.baseAddress.unsafelyUnwrapped)
    }
  }

  /// Stops accepting; connections wait in the backlog.
  public func pause() {
    isPaused = true
    loop.stop(watcher)
    loop.stop(resumptionNode)
  }

  /// Accepts again.
  public func resume() {
    guard !isClosing else { return }
    isPaused = false
    loop.stop(resumptionNode)
    loop.start(watcher)
  }

  /// Closes the socket.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    pause()
    loop.timers.giveUpReservation()
    // The file goes first: once the socket is closed, another process may put its own there.
    file?.remove(at: boundAddress)
    _ = CLibev.close(fd)
    beginClosing(callback, context)
    finishClosing()
  }

  private func acceptable() {
    if clibev_io_active(watcher) == 0 { loop.watchAnew(watcher) }
    for _ in 0..<Self.acceptBatch {
      let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
      let connection = accept4(fd, nil, nil, flags)
      guard connection >= 0 || mayGoOn(after: clibev_errno()) else { return }
      guard connection >= 0 else { continue }
      let (callback, listener, context) = (onAccept, opaque, context)
      unmanagedLoop._withUnsafeGuaranteedRef {
        $0.dispatch(.accept, callback, context) { callback(listener, connection, context) }
      }
      if isClosing || isPaused { return }
    }
  }

  /// Whether accept4(2) may be called again in this turn.
  private func mayGoOn(after error: Int32) -> Bool {
    switch error {
    case EAGAIN: return false
    case EMFILE, ENFILE, ENOMEM, ENOBUFS:
      loop.stop(watcher)
      loop.start(resumptionNode, at: loop.now &+ Self.exhaustionPause)
    case EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP, EFAULT:
      loop.stop(watcher)
    default:
      // ECONNABORTED, EINTR, and errors of the connection itself that Linux passes on
      // (accept(2), "Error handling"): that connection is lost, the next may be fine.
      return true
    }
    guard let onError else { return false }
    let status = eddy_error_from_errno(error)
    loop.dispatch(.accept, onError, context) { onError(opaque, status, context) }
    return false
  }
}
