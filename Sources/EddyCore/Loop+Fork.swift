import CLibev
import Synchronization

extension Loop {
  /// Makes the loop usable in a child that fork(2) has made. The header `eddy/loop.h` tells what a
  /// program that forks may do.
  /// - Throws: `EDDY_EBUSY` while a handle is open that can't be used in a child; `EDDY_EMFILE`;
  ///   `EDDY_ENFILE`.
  public func forked() throws(EddyError) {
    guard handlesThatForbidFork == 0 else { throw EddyError(EDDY_EBUSY) }
    guard getpid() != owner else { return }
    // A loop that another thread ran at the fork may be half way through anything.
    guard !isRunning || isRunningHere else { throw EddyError(EDDY_EBUSY) }
    let wake = Self.makeWakeDescriptor()
    guard wake >= 0 else { throw .current }
    // libev makes a new epoll descriptor before it tells the kernel of this change, so the parent's,
    // which the old one is, does not notice.
    ev_loop_fork(ev)
    ev_io_stop(ev, wakeWatcher)
    _ = close(wakeDescriptor)
    wakeDescriptor = wake
    clibev_io_set(wakeWatcher, wake, Int32(EV_READ))
    ev_io_start(ev, wakeWatcher)
    sharedPosts.forked()
    epollDescriptor = -1
    hasChanged = true
    owner = getpid()
    // Only the thread that forked is in the child.
    lookups?.forget()
    lookups = nil
    if isRunning { attention = true }
    lastThread.store(UInt(bitPattern: clibev_thread()), ordering: .relaxed)
  }
}
