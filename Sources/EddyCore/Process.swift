import CLibev

/// A child process, watched by a pidfd (pidfd_open(2)). The loop's thread.
public final class Process: Handle {
  private final var io = ev_io()
  /// Lies in the object: a final stored property of a class has one address.
  @inline(__always)
  private final var watcher: UnsafeMutablePointer<ev_io> {
    withUnsafeMutablePointer(to: &io) { $0 }
  }
  private let pidfd: Int32
  private let hasGroup: Bool
  private let onExit: eddy_exit_cb
  private var standard: StandardDescriptors
  private var isRunning = true

  /// The child's process id.
  public let pid: Int32

  /// Starts a child (posix_spawn(3)) with default signal dispositions and no signal blocked.
  /// - Parameter configuration: see `eddy/process.h`. Its pointers need not outlive the call.
  /// - Throws: what execve(2) says; `EDDY_EAGAIN` if the system gives no more processes;
  ///   `EDDY_EMFILE`, `EDDY_ENFILE`; `EDDY_EINVAL`. No child and no pipe is left then.
  public convenience init(
    loop: Loop, configuration: borrowing eddy_process_config
  ) throws(EddyError) {
    guard let onExit = configuration.on_exit, configuration.file != nil,
      configuration.arguments != nil
    else { throw EddyError(EDDY_EINVAL) }
    var standard = try StandardDescriptors(configuration)
    let pid: Int32
    let pidfd: Int32
    do throws(EddyError) {
      pid = try spawn(configuration, standard)
      pidfd = try Self.watch(pid, hasGroup: configuration.new_group != 0)
    } catch {
      standard.closeAll()
      throw error
    }
    standard.closePassing()
    self.init(
      loop: loop, pid, pidfd, standard, hasGroup: configuration.new_group != 0,
      context: configuration.context, onExit)
  }

  private init(
    loop: Loop, _ pid: Int32, _ pidfd: Int32, _ standard: StandardDescriptors, hasGroup: Bool,
    context: UnsafeMutableRawPointer?, _ onExit: @escaping eddy_exit_cb
  ) {
    self.pidfd = pidfd
    self.pid = pid
    self.standard = standard
    self.hasGroup = hasGroup
    self.onExit = onExit
    super.init(loop: loop, context: context, forbidsFork: true)
    clibev_io_init(
      watcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Process>.fromOpaque(data)._withUnsafeGuaranteedRef {
          if clibev_io_active(watcher) == 0 { return $0.loop.watchAnew($0.watcher) }
          $0.childHasEnded()
        }
      }, pidfd, Int32(EV_READ))
    watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    loop.start(watcher)
  }

  /// The descriptor that watches a child.
  /// - Throws: `EDDY_EMFILE` and others of pidfd_open(2): a child that nobody watches must not stay.
  private static func watch(_ pid: Int32, hasGroup: Bool) throws(EddyError) -> Int32 {
    let pidfd = clibev_pidfd_open(pid)
    guard pidfd < 0 else { return pidfd }
    let error = EddyError.current
    CLibev.kill(hasGroup ? -pid : pid, SIGKILL)
    reap(pid)
    throw error
  }

  /// The caller's end of a pipe that `EDDY_STDIO_PIPE` has made. It becomes the caller's; what was
  /// not taken is closed by `close`.
  /// - Parameter number: the child's descriptor, 0 to 2.
  /// - Returns: the descriptor; `EDDY_ENOENT` if there is none, or it was taken; `EDDY_EINVAL`.
  public func takeDescriptor(_ number: Int32) -> Int32 {
    guard (0..<3).contains(number) else { return code(EDDY_EINVAL) }
    let end = standard.takeEnd(Int(number))
    return end >= 0 ? end : code(EDDY_ENOENT)
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
    standard.closeAll()
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
      loop.dispatch(.exit, onExit, context) {
        onExit(opaque, clibev_exit_status(status), clibev_term_signal(status), context)
      }
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
