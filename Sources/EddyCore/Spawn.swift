import CLibev

/// Starts a process (posix_spawn(3)): no Swift code runs between fork and exec.
func spawn(
  _ configuration: borrowing eddy_process_config, _ standard: borrowing StandardDescriptors
) throws(EddyError) -> pid_t {
  var actions = posix_spawn_file_actions_t()
  var attributes = posix_spawnattr_t()
  guard posix_spawn_file_actions_init(&actions) == 0 else { throw EddyError(EDDY_ENOMEM) }
  defer { posix_spawn_file_actions_destroy(&actions) }
  guard posix_spawnattr_init(&attributes) == 0 else { throw EddyError(EDDY_ENOMEM) }
  defer { posix_spawnattr_destroy(&attributes) }

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
