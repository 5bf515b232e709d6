import CLibev

/// The descriptors 0, 1 and 2 of a child, and the caller's ends of their pipes.
struct StandardDescriptors {
  /// What each of them is made from; negative: /dev/null.
  private var sources = InlineArray<3, Int32>(repeating: -1)
  /// What is closed once the child has its own, or could not be started: the child's ends of pipes,
  /// and copies. -1 where there is none.
  private var passing = InlineArray<6, Int32>(repeating: -1)
  /// The caller's ends of the pipes, -1 where there is none.
  private(set) var ends = InlineArray<3, Int32>(repeating: -1)

  /// Makes the pipes.
  /// - Throws: `EDDY_EINVAL` for a negative number without a meaning; `EDDY_EMFILE`, `EDDY_ENFILE`;
  ///   `EDDY_EBADF` if a descriptor is not open. Nothing is left open then.
  init(_ configuration: borrowing eddy_process_config) throws(EddyError) {
    do throws(EddyError) {
      try set(0, to: configuration.standard_input)
      try set(1, to: configuration.standard_output)
      try set(2, to: configuration.standard_error)
    } catch {
      closeAll()
      throw error
    }
  }

  private mutating func set(_ number: Int, to wanted: Int32) throws(EddyError) {
    switch wanted {
    case Int32(EDDY_STDIO_NULL): return
    case Int32(EDDY_STDIO_INHERIT): sources[number] = Int32(number)
    case Int32(EDDY_STDIO_PIPE): sources[number] = try makePipe(number)
    case 0...: sources[number] = wanted
    default: throw EddyError(EDDY_EINVAL)
    }
    // A source below 3 could be overwritten by an earlier dup2(2) before its turn comes.
    if (0..<3).contains(sources[number]) {
      let copy = clibev_fcntl_set(sources[number], F_DUPFD_CLOEXEC, 3)
      guard copy >= 0 else { throw .current }
      sources[number] = copy
      passing[3 + number] = copy
    }
  }

  /// - Returns: the child's end.
  private mutating func makePipe(_ number: Int) throws(EddyError) -> Int32 {
    var pipe: (read: Int32, write: Int32) = (-1, -1)
    let status = withUnsafeMutableBytes(of: &pipe) {
      pipe2($0.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC)
    }
    guard status == 0 else { throw .current }
    (passing[number], ends[number]) =
      number == 0 ? (pipe.read, pipe.write) : (pipe.write, pipe.read)
    return passing[number]
  }

  /// What posix_spawn(3) has to do in the child.
  func add(to actions: inout posix_spawn_file_actions_t) -> Int32 {
    for number in 0..<3 {
      let target = Int32(number)
      let result =
        sources[number] < 0
        ? posix_spawn_file_actions_addopen(
          &actions, target, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
        : posix_spawn_file_actions_adddup2(&actions, sources[number], target)
      if result != 0 { return result }
    }
    return 0
  }

  /// Closes what is not the caller's.
  mutating func closePassing() {
    for index in passing.indices { Self.close(&passing[index]) }
  }

  /// Closes the caller's ends, too.
  mutating func closeAll() {
    closePassing()
    for number in ends.indices { Self.close(&ends[number]) }
  }

  /// Gives the caller's end of a pipe to the caller.
  mutating func takeEnd(_ number: Int) -> Int32 {
    defer { ends[number] = -1 }
    return ends[number]
  }

  private static func close(_ descriptor: inout Int32) {
    if descriptor >= 0 { _ = CLibev.close(descriptor) }
    descriptor = -1
  }
}
