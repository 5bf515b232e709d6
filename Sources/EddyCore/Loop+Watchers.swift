import CLibev

// Starting and stopping libev's watchers goes through here, so that the loop knows whether it is alive.
// Each is a no-op when the watcher is already in that state.
//
// libev stops the watcher of a descriptor that epoll refuses before it runs its callback. Until the
// callback runs such a watcher counts as started, and stopping it takes the callback back.
extension Loop {
  @inline(__always)
  func start(_ watcher: UnsafeMutablePointer<ev_io>) {
    guard clibev_io_active(watcher) == 0, clibev_io_pending(watcher) == 0 else { return }
    ev_io_start(ev, watcher)
    active &+= 1
    hasChanged = true
  }

  @inline(__always)
  func stop(_ watcher: UnsafeMutablePointer<ev_io>) {
    guard clibev_io_active(watcher) != 0 || clibev_io_pending(watcher) != 0 else { return }
    ev_io_stop(ev, watcher)
    active &-= 1
    hasChanged = true
  }

  /// Tells that epoll has refused the descriptor of a watcher, which libev has then stopped
  /// (EV_ERROR). A bad descriptor was turned away before, so it was for want of memory or of watches
  /// (epoll_ctl(2), ENOMEM and ENOSPC), and the next turn may do better.
  @inline(never)
  func watchAnew(_ watcher: UnsafeMutablePointer<ev_io>) {
    watcherHasStopped()
    setAnew(watcher)
    start(watcher)
  }

  /// Has libev tell epoll of a descriptor though nothing about it seems to have changed.
  func setAnew(_ watcher: UnsafeMutablePointer<ev_io>) {
    let events = watcher.pointee.events & Int32(EV_READ | EV_WRITE)
    clibev_io_set(watcher, watcher.pointee.fd, events)
  }

  /// Tells that libev has stopped a watcher by itself, just before its callback.
  @inline(__always)
  func watcherHasStopped() {
    active &-= 1
  }
}
