import CLibev

/// A child process, watched by a pidfd (pidfd_open(2)). The loop's thread.
public final class Process: Handle {
  private let watcher: UnsafeMutablePointer<ev_io>
  private let pidfd: Int32
  private let hasGroup: Bool
  private let onExit: eddy_exit_cb
  private var isRunning = true

  /// The child's process id.
  public let pid: Int32

  /// Starts a child (posix_spawn(3)) with default signal dispositions and no signal blocked.
  /// - Parameter configuration: see `eddy/process.h`. Its pointers need not outlive the call.
  /// - Throws: what execve(2) says; `EDDY_EAGAIN` if the system gives no more processes;
  ///   `EDDY_EINVAL`.
  public convenience init(
    loop: Loop, configuration: borrowing eddy_process_config
  ) throws(EddyError) {
    guard let onExit = configuration.on_exit, configuration.file != nil,
      configuration.arguments != nil
    else { throw EddyError(EDDY_EINVAL) }
    let pid = try spawn(configuration)
    let pidfd = clibev_pidfd_open(pid)
    guard pidfd >= 0 else {
      // Out of descriptors: a child that nobody watches must not stay.
      let error = EddyError.current
      CLibev.kill(configuration.new_group != 0 ? -pid : pid, SIGKILL)
      Self.reap(pid)
      throw error
    }
    self.init(
      loop: loop, pid, pidfd, hasGroup: configuration.new_group != 0,
      context: configuration.context, onExit)
  }

  private init(
    loop: Loop, _ pid: Int32, _ pidfd: Int32, hasGroup: Bool, context: UnsafeMutableRawPointer?,
    _ onExit: @escaping eddy_exit_cb
  ) {
    watcher = .allocate(capacity: 1)
    self.pidfd = pidfd
    self.pid = pid
    self.hasGroup = hasGroup
    self.onExit = onExit
    super.init(loop: loop, context: context, forbidsFork: true)
    clibev_io_init(
      watcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Process>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.childHasEnded() }
      }, pidfd, Int32(EV_READ))
    watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    loop.start(watcher)
  }

  deinit {
    watcher.deallocate()
  }

  /// Sends a signal to the child, and to no other process that came by its id.
  /// - Returns: 0; `EDDY_ESRCH` when it has ended; `EDDY_EPERM`; `EDDY_EINVAL`.
  @discardableResult
  public func kill(_ signal: Int32) -> Int32 {
    guard isRunning else { return code(EDDY_ESRCH) }
    return clibev_pidfd_send_signal(pidfd, signal) == 0 ? 0 : EddyError.current.code
  }

  /// Sends a signal to every process of the child's group. Until the child is reaped its id, and
  /// so its group's, can't be another's.
  /// - Returns: 0; `EDDY_ESRCH` when the child has ended; `EDDY_EINVAL` without a group of its own.
  @discardableResult
  public func killGroup(_ signal: Int32) -> Int32 {
    guard hasGroup else { return code(EDDY_EINVAL) }
    guard isRunning else { return code(EDDY_ESRCH) }
    return CLibev.kill(-pid, signal) == 0 ? 0 : EddyError.current.code
  }

  /// Gives the handle back. A child that still runs is killed and reaped before the close callback.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    beginClosing(callback, context)
    if isRunning {
      if hasGroup { killGroup(SIGKILL) }
      kill(SIGKILL)  // it may have left its group (setpgid(2))
    } else {
      finishClosing()
    }
  }

  private func childHasEnded() {
    // The group goes before the child is reaped, while its id is still taken.
    if hasGroup { CLibev.kill(-pid, SIGKILL) }
    let status = Self.reap(pid)
    isRunning = false
    loop.stop(watcher)
    _ = CLibev.close(pidfd)
    if isClosing {
      finishClosing()
    } else {
      onExit(opaque, clibev_exit_status(status), clibev_term_signal(status), context)
    }
  }

  /// The status of a child that has ended, as wait(2) gives it; 0 if the host has reaped it.
  @discardableResult
  private static func reap(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, clibev_errno() == EINTR {}
    return status
  }
}
