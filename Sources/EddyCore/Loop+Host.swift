import CLibev
import Synchronization

// What a host's own loop needs to drive this one.
extension Loop {
  /// Nanoseconds until the loop has something to do without an event: 0 when it has now, `UInt64.max`
  /// when it waits for events alone.
  public var timeout: UInt64 {
    let hasWork =
      hasChanged || attention || alwaysReady > 0 || hasPosts || firstClosing != nil
      || !hooksIdle.isEmpty
      || stopRequested.load(ordering: .acquiring)
    if hasWork { return 0 }
    let due = timers.earliest
    guard due != .max else { return .max }
    let now = Self.readClock()
    return due > now ? due - now : 0
  }

  /// libev's epoll descriptor, found by what it watches: libev doesn't tell it, but the kernel shows
  /// for each epoll descriptor of the process which descriptors it watches (proc(5)), and nobody else
  /// watches the loop's eventfd.
  /// - Throws: `EDDY_ENOTSUP` where /proc is not mounted, and in a child of fork(2) before its first
  ///   turn, in which libev makes the descriptor.
  public func descriptor() throws(EddyError) -> Int32 {
    if epollDescriptor >= 0 { return epollDescriptor }
    guard let directory = opendir("/proc/self/fdinfo") else { throw EddyError(EDDY_ENOTSUP) }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let fd = atoi(clibev_dirent_name(entry).unsafelyUnwrapped)
      if fd > 0, watches(fd, wakeDescriptor) {
        epollDescriptor = fd
        return fd
      }
    }
    throw EddyError(EDDY_ENOTSUP)
  }

  /// Whether `epoll` is an epoll descriptor that watches `target`: its lines "tfd: N …" tell.
  private func watches(_ epoll: Int32, _ target: Int32) -> Bool {
    let path = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      clibev_format_fdinfo(buffer.baseAddress, buffer.count, epoll)
      return fopen(buffer.baseAddress.unsafelyUnwrapped, "re")
    }
    guard let file = path else { return false }
    defer { fclose(file) }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { line in
      let line = line.baseAddress.unsafelyUnwrapped
      while fgets(line, 256, file) != nil {
        if strncmp(line, "tfd:", 4) == 0, atoi(line + 4) == target { return true }
      }
      return false
    }
  }
}
