import EddyCore
import Glibc
import Testing

/// Starts a shell command in a group of its own and runs the loop until it has ended.
private final class Shell {
  private(set) var process: EddyCore.Process?
  private(set) var exitStatus: Int32?
  private(set) var signalNumber: Int32?
  var onExit: () -> Void = {}

  func start(_ loop: Loop, _ script: String, output: Int = EDDY_STDIO_NULL) throws {
    var configuration = eddy_process_config()
    configuration.size = MemoryLayout<eddy_process_config>.size
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.on_exit = { _, status, signal, context in
      let shell = Unmanaged<Shell>.fromOpaque(context!).takeUnretainedValue()
      shell.exitStatus = status
      shell.signalNumber = signal
      shell.onExit()
    }
    configuration.standard_input = Int32(EDDY_STDIO_NULL)
    configuration.standard_output = Int32(output)
    configuration.standard_error = Int32(EDDY_STDIO_NULL)
    configuration.new_group = 1
    process = try "/bin/sh".withCString { file in
      try "-c".withCString { flag in
        try script.withCString { script in
          let arguments: [UnsafePointer<CChar>?] = [file, flag, script, nil]
          return try arguments.withUnsafeBufferPointer { arguments in
            configuration.file = file
            configuration.arguments = arguments.baseAddress
            return try EddyCore.Process(loop: loop, configuration: configuration)
          }
        }
      }
    }
  }
}

@Suite struct ProcessTests {
  @Test func aChildTellsItsExitStatusOrItsSignal() throws {
    let loop = try Loop()
    let exited = Shell()
    let killed = Shell()
    try exited.start(loop, "exit 7")
    try killed.start(loop, "kill -USR1 $$")
    try loop.run()
    #expect(exited.exitStatus == 7)
    #expect(exited.signalNumber == 0)
    #expect(killed.exitStatus == 0)
    #expect(killed.signalNumber == SIGUSR1)
    #expect(exited.process?.kill(SIGTERM) == Int32(EDDY_ESRCH))
    exited.process?.close()
    killed.process?.close()
    try loop.run()
    try loop.destroy()
  }

  @Test func whatAChildLeavesInItsGroupEndsWithIt() throws {
    let loop = try Loop()
    let shell = Shell()
    try shell.start(loop, "sleep 1000 & exit 0")
    let group = shell.process!.pid
    try loop.run()
    #expect(shell.exitStatus == 0)
    // The background sleep is init's to reap now; it may take a moment.
    for _ in 0..<200 where kill(-group, 0) == 0 { usleep(10_000) }
    #expect(kill(-group, 0) != 0)
    shell.process?.close()
    try loop.run()
    try loop.destroy()
  }

  @Test func closingKillsAndReapsAChildThatRuns() throws {
    let loop = try Loop()
    let shell = Shell()
    shell.onExit = { Issue.record("a closed process told its end") }
    try shell.start(loop, "trap '' TERM; sleep 1000")
    let pid = shell.process!.pid
    #expect(shell.process?.killGroup(SIGTERM) == 0)
    shell.process?.close()
    try loop.run()
    #expect(kill(pid, 0) != 0)
    try loop.destroy()
  }

  @Test func theEndOfAPipeIsTakenOnce() throws {
    let loop = try Loop()
    let shell = Shell()
    try shell.start(loop, "printf answer", output: EDDY_STDIO_PIPE)
    let process = try #require(shell.process)
    let fd = process.takeDescriptor(1)
    #expect(fd >= 0)
    #expect(process.takeDescriptor(1) == Int32(EDDY_ENOENT))
    #expect(process.takeDescriptor(2) == Int32(EDDY_ENOENT))
    #expect(process.takeDescriptor(3) == Int32(EDDY_EINVAL))
    try loop.run()
    process.close()
    try loop.run()
    var bytes = [UInt8](repeating: 0, count: 16)
    #expect(read(fd, &bytes, bytes.count) == 6)
    #expect(bytes.starts(with: Array("answer".utf8)))
    #expect(close(fd) == 0)
    try loop.destroy()
  }

  @Test func aProgramThatDoesNotExistIsToldAtOnce() throws {
    let loop = try Loop()
    var configuration = eddy_process_config()
    configuration.size = MemoryLayout<eddy_process_config>.size
    configuration.on_exit = { _, _, _, _ in }
    let arguments: [UnsafePointer<CChar>?] = [nil]
    #expect(throws: EddyError(code: Int32(EDDY_ENOENT))) {
      try "/nonexistent/program".withCString { file in
        try arguments.withUnsafeBufferPointer {
          configuration.file = file
          configuration.arguments = $0.baseAddress
          _ = try EddyCore.Process(loop: loop, configuration: configuration)
        }
      }
    }
    try loop.destroy()
  }
}
