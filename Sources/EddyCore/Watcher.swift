import CLibev

/// Watches the readiness of one descriptor, which it never closes. The loop's thread.
public final class Watcher: Handle {
  private final var storage = ev_io()
  private let callback: eddy_watcher_cb
  private let fd: Int32
  /// epoll does not know such descriptors, so that a host which waits for the loop's would wait for ever.
  private let isAlwaysReady: Bool

  /// - Parameter fd: an open descriptor that poll(2) accepts. It must stay open until the watcher
  ///   is stopped or closed.
  /// - Throws: `EDDY_EBADF` if `fd` is not open.
  public convenience init(
    loop: Loop, fd: Int32, context: UnsafeMutableRawPointer?, _ callback: @escaping eddy_watcher_cb
  ) throws(EddyError) {
    guard clibev_fcntl_get(fd, F_GETFD) >= 0 else { throw EddyError(EDDY_EBADF) }
    self.init(loop: loop, open: fd, context: context, callback)
  }

  private init(
    loop: Loop, open fd: Int32, context: UnsafeMutableRawPointer?,
    _ callback: @escaping eddy_watcher_cb
  ) {
    self.callback = callback
    self.fd = fd
    isAlwaysReady = clibev_is_always_ready(fd) != 0
    super.init(loop: loop, context: context)
    clibev_io_init(
      watcher,
      { _, watcher, events in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Watcher>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.ready(events) }
      }, fd, 0)
    watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
  }

  /// A stored property of a final class does not move.
  private var watcher: UnsafeMutablePointer<ev_io> {
    @inline(__always) get { withUnsafeMutablePointer(to: &storage) { $0 } }
  }

  /// Starts watching, or changes what is watched.
  /// - Parameter events: `EDDY_READABLE`, `EDDY_WRITABLE` or both.
  /// - Throws: `EDDY_EINVAL`; `EDDY_EBADF` if the descriptor is no longer open, which libev would
  ///   take for a mistake in the program and abort.
  public func start(_ events: Int32) throws(EddyError) {
    guard !isClosing else { throw EddyError(EDDY_EALREADY) }
    guard events > 0, events & ~code(EDDY_READABLE | EDDY_WRITABLE) == 0 else {
      throw EddyError(EDDY_EINVAL)
    }
    guard clibev_fcntl_get(fd, F_GETFD) >= 0 else { throw EddyError(EDDY_EBADF) }
    stop()
    unmanagedLoop._withUnsafeGuaranteedRef { loop in
      if isAlwaysReady { loop.alwaysReady += 1 }
      clibev_io_set(watcher, fd, events)  // EV_READ and EV_WRITE have the header's values
      loop.start(watcher)
    }
  }

  public func stop() {
    unmanagedLoop._withUnsafeGuaranteedRef { loop in
      let isStarted = clibev_io_active(watcher) != 0 || clibev_io_pending(watcher) != 0
      if isAlwaysReady, isStarted { loop.alwaysReady -= 1 }
      loop.stop(watcher)
    }
  }

  /// Stops and frees the watcher.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    stop()
    beginClosing(callback, context)
    finishClosing()
  }

  private func ready(_ events: Int32) {
    let events = events & code(EDDY_READABLE | EDDY_WRITABLE)
    unmanagedLoop._withUnsafeGuaranteedRef { loop in
      if clibev_io_active(watcher) == 0 { return loop.watchAnew(watcher) }
      loop.dispatch(.watcher, callback, context) { callback(opaque, events, context) }
    }
  }
}
