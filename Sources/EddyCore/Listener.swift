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

  public init() {}
}

/// A listening socket. The loop's thread.
public final class Listener: Handle {
  /// Connections that one turn accepts, so that a burst of them can't hold up the others.
  private static let acceptBatch = 64
  /// How long accepting pauses when descriptors have run out: a level-triggered watcher would spin.
  private static let exhaustionPause: UInt64 = 100 * EDDY_MILLISECOND

  private let watcher: UnsafeMutablePointer<ev_io>
  private let resumption: UnsafeMutablePointer<ev_timer>
  private let fd: Int32
  private let onAccept: eddy_accept_cb
  private let onError: eddy_listener_error_cb?
  /// The device and inode of a Unix socket's file, to be removed with the listener.
  private let file: SocketFile?
  private let boundAddress: Address
  private var isPaused = false

  /// Binds and listens.
  /// - Parameter address: "127.0.0.1:80", "[::1]:80" or "unix:/path"; port 0 lets the system choose.
  /// - Throws: `EDDY_EADDRFORMAT`; what socket(2), bind(2) and listen(2) say; `EDDY_EINVAL`
  ///   without `onAccept`.
  public convenience init(
    loop: Loop, address: String, configuration: ListenerConfiguration
  ) throws(EddyError) {
    try self.init(loop: loop, at: Address(parsing: address), configuration: configuration)
  }

  convenience init(
    loop: Loop, at address: Address, configuration: ListenerConfiguration
  ) throws(EddyError) {
    guard let onAccept = configuration.onAccept else { throw EddyError(EDDY_EINVAL) }
    let fd = try Self.listen(at: address, configuration)
    self.init(loop: loop, listening: fd, configuration, onAccept)
  }

  private init(
    loop: Loop, listening fd: Int32, _ configuration: ListenerConfiguration,
    _ onAccept: @escaping eddy_accept_cb
  ) {
    var bound = Address()
    _ = bound.fill { getsockname(fd, $0, $1) }
    watcher = .allocate(capacity: 1)
    resumption = .allocate(capacity: 1)
    self.fd = fd
    self.onAccept = onAccept
    onError = configuration.onError
    file = SocketFile(at: bound)
    boundAddress = bound
    super.init(loop: loop, context: configuration.context)
    let data = Unmanaged.passUnretained(self).toOpaque()
    clibev_io_init(
      watcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Listener>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.acceptable() }
      }, fd, Int32(EV_READ))
    watcher.pointee.data = data
    clibev_timer_init(
      resumption,
      { _, timer, _ in
        let data = timer.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Listener>.fromOpaque(data)._withUnsafeGuaranteedRef {
          $0.loop.watcherHasStopped()
          $0.loop.start($0.watcher)
        }
      }, 0, 0)
    resumption.pointee.data = data
    loop.start(watcher)
  }

  deinit {
    watcher.deallocate()
    resumption.deallocate()
  }

  private static func listen(
    at address: Address, _ configuration: ListenerConfiguration
  ) throws(EddyError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fd = socket(address.family, type, 0)
    guard fd >= 0 else { throw .current }
    var on: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    // A restarted server must not wait for its old connections' TIME-WAIT (ip(7)).
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, size)
    SocketOption.noDelay.set(on: fd, to: 1)  // Linux hands the option on to what is accepted
    if configuration.reusePort { setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, size) }
    var result = address.withSockaddr { bind(fd, $0, $1) }
    if result != 0, clibev_errno() == EADDRINUSE {
      if SocketFile.removeStale(at: address) {
        result = address.withSockaddr { bind(fd, $0, $1) }
      } else {
        clibev_set_errno(EADDRINUSE)
      }
    }
    if result == 0 { result = CLibev.listen(fd, configuration.backlog) }
    guard result == 0 else {
      let error = EddyError.current
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
    loop.stop(resumption)
  }

  /// Accepts again.
  public func resume() {
    guard !isClosing else { return }
    isPaused = false
    loop.stop(resumption)
    loop.start(watcher)
  }

  /// Closes the socket.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    pause()
    // The file goes first: once the socket is closed, another process may put its own there.
    file?.remove(at: boundAddress)
    _ = CLibev.close(fd)
    beginClosing(callback, context)
    finishClosing()
  }

  private func acceptable() {
    for _ in 0..<Self.acceptBatch {
      let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
      let connection = accept4(fd, nil, nil, flags)
      if connection >= 0 {
        onAccept(opaque, connection, context)
        if isClosing || isPaused { return }
        continue
      }
      let error = clibev_errno()
      switch error {
      case EAGAIN: return
      case EMFILE, ENFILE, ENOMEM, ENOBUFS:
        loop.stop(watcher)
        loop.start(resumption, delay: Self.exhaustionPause)
        onError?(opaque, eddy_error_from_errno(error), context)
        return
      case EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP, EFAULT:
        loop.stop(watcher)
        onError?(opaque, eddy_error_from_errno(error), context)
        return
      default:
        // ECONNABORTED, EINTR, and errors of the connection itself that Linux passes on
        // (accept(2), "Error handling"): that connection is lost, the next may be fine.
        continue
      }
    }
  }
}

/// The file of a Unix socket, known by device and inode, so that nobody else's is removed.
private struct SocketFile {
  private let device: dev_t
  private let inode: ino_t

  init?(at address: Address) {
    var status = stat()
    let exists = address.withPath { path in path.map { stat($0, &status) == 0 } ?? false }
    guard exists else { return nil }
    device = status.st_dev
    inode = status.st_ino
  }

  func remove(at address: Address) {
    guard let present = SocketFile(at: address), present.device == device, present.inode == inode
    else { return }
    address.withPath { path in
      if let path { unlink(path) }
    }
  }

  /// Removes the file of a Unix socket that nobody listens on any more. True if it did. A file of
  /// another kind stays: to connect to one is refused, too.
  static func removeStale(at address: Address) -> Bool {
    var status = stat()
    let isSocket = address.withPath { path in
      path.map { lstat($0, &status) == 0 && status.st_mode & mode_t(S_IFMT) == mode_t(S_IFSOCK) }
        ?? false
    }
    guard isSocket else { return false }
    // Non-blocking: connect(2) would wait for room in the backlog of one that somebody listens on.
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let probe = socket(AF_UNIX, type, 0)
    guard probe >= 0 else { return false }
    defer { _ = CLibev.close(probe) }
    let isRefused =
      address.withSockaddr { connect(probe, $0, $1) } != 0 && clibev_errno() == ECONNREFUSED
    return isRefused && address.withPath { path in path.map { unlink($0) == 0 } ?? false }
  }
}
