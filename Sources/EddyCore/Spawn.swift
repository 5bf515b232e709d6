import CLibev

/// Starts a process (posix_spawn(3)): no Swift code runs between fork and exec.
func spawn(_ configuration: borrowing eddy_process_config) throws(EddyError) -> pid_t {
  var actions = posix_spawn_file_actions_t()
  var attributes = posix_spawnattr_t()
  guard posix_spawn_file_actions_init(&actions) == 0 else { throw EddyError(EDDY_ENOMEM) }
  defer { posix_spawn_file_actions_destroy(&actions) }
  guard posix_spawnattr_init(&attributes) == 0 else { throw EddyError(EDDY_ENOMEM) }
  defer { posix_spawnattr_destroy(&attributes) }

  var standard = try StandardDescriptors(configuration)
  defer { standard.close() }
  try check(standard.add(to: &actions))
  // What the host opened without close-on-exec is not the child's business either.
  try check(posix_spawn_file_actions_addclosefrom_np(&actions, 3))
  if let directory = configuration.directory {
    try check(posix_spawn_file_actions_addchdir_np(&actions, directory))
  }

  var signals = sigset_t()
  sigfillset(&signals)
  try check(posix_spawnattr_setsigdefault(&attributes, &signals))
  sigemptyset(&signals)
  try check(posix_spawnattr_setsigmask(&attributes, &signals))
  var flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
  if configuration.new_group != 0 {
    flags |= POSIX_SPAWN_SETPGROUP
    try check(posix_spawnattr_setpgroup(&attributes, 0))
  }
  try check(posix_spawnattr_setflags(&attributes, Int16(flags)))

  var pid: pid_t = 0
  // The C prototype wants pointers to char that it promises not to write through.
  let arguments = UnsafeRawPointer(configuration.arguments)
    .assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self)
  let environment =
    UnsafeRawPointer(configuration.environment)?
    .assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self)
    ?? UnsafePointer(clibev_environ())
  try check(
    posix_spawnp(&pid, configuration.file, &actions, &attributes, arguments, environment))
  return pid
}

/// posix_spawn's functions return an errno value.
private func check(_ systemError: Int32) throws(EddyError) {
  guard systemError == 0 else { throw EddyError(code: eddy_error_from_errno(systemError)) }
}

/// The child's descriptors 0, 1 and 2.
private struct StandardDescriptors {
  private var sources: (Int32, Int32, Int32)
  private var copies: (Int32, Int32, Int32) = (-1, -1, -1)

  /// A source below 3 could be overwritten by an earlier dup2(2) before its turn comes, so it is
  /// copied out of the way first.
  init(_ configuration: borrowing eddy_process_config) throws(EddyError) {
    sources = (
      configuration.standard_input, configuration.standard_output, configuration.standard_error
    )
    do throws(EddyError) {
      copies.0 = try Self.copyIfLow(sources.0)
      copies.1 = try Self.copyIfLow(sources.1)
      copies.2 = try Self.copyIfLow(sources.2)
    } catch {
      close()
      throw error
    }
  }

  private static func copyIfLow(_ fd: Int32) throws(EddyError) -> Int32 {
    guard (0..<3).contains(fd) else { return -1 }
    let copy = clibev_fcntl_set(fd, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw .current }
    return copy
  }

  func add(to actions: inout posix_spawn_file_actions_t) -> Int32 {
    var result = Self.add(sources.0, copies.0, as: 0, to: &actions)
    if result == 0 { result = Self.add(sources.1, copies.1, as: 1, to: &actions) }
    if result == 0 { result = Self.add(sources.2, copies.2, as: 2, to: &actions) }
    return result
  }

  private static func add(
    _ source: Int32, _ copy: Int32, as target: Int32, to actions: inout posix_spawn_file_actions_t
  ) -> Int32 {
    if source < 0 {
      return posix_spawn_file_actions_addopen(
        &actions, target, "/dev/null", target == 0 ? O_RDONLY : O_WRONLY, 0)
    }
    return posix_spawn_file_actions_adddup2(&actions, copy >= 0 ? copy : source, target)
  }

  mutating func close() {
    for copy in [copies.0, copies.1, copies.2] where copy >= 0 { _ = CLibev.close(copy) }
    copies = (-1, -1, -1)
  }
}
