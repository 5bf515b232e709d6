import EddyCore
import Glibc

/// The three pipes between the loop and a command. The loop's thread.
final class CommandPipes {
  /// The child's ends, to be closed once it has them; -1: /dev/null.
  private(set) var childInput: Int32 = -1
  private(set) var childOutput: Int32 = -1
  private(set) var childError: Int32 = -1
  /// What came from standard output.
  private(set) var output: [UInt8] = []
  /// What came last from standard error.
  private(set) var errorTail: ByteTail
  /// The output has passed its limit. Called once at most, and not by ``readRest()``.
  var onOverflow: (() -> Void)?

  private let input: [UInt8]
  private let outputLimit: Int
  private var written = 0
  private var inputStream: Stream?
  private var outputStream: Stream?
  private var errorStream: Stream?
  /// Whether more than the limit came from standard output.
  private(set) var hasOverflowed = false

  /// What is given to a pipe at once: its capacity (pipe(7)), so that little is copied to wait.
  private static let writeSize = 65_536
  /// The most that a pipe can hold, unless the system is set otherwise
  /// (/proc/sys/fs/pipe-max-size).
  private static let largestPipe = 1 << 20
  /// What one read takes of it.
  private static let readSize = 65_536

  init(_ command: Command, loop: EventLoop) throws(EddyError) {
    input = command.standardInput
    outputLimit = command.outputLimit
    errorTail = ByteTail(limit: command.errorTailLimit)
    do throws(EddyError) {
      try open(loop.core)
    } catch {
      close()
      closeChildEnds()
      throw error
    }
  }

  private func open(_ loop: Loop) throws(EddyError) {
    var configuration = StreamConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onRead = { _, bytes, count, context in
      CommandPipes.of(context).receivedOutput(bytes, count)
    }
    outputStream = try Self.pipe(loop, configuration) {
      childOutput = $0.write; return $0.read
    }
    configuration.onRead = { _, bytes, count, context in
      CommandPipes.of(context).receivedError(bytes, count)
    }
    errorStream = try Self.pipe(loop, configuration) {
      childError = $0.write; return $0.read
    }
    guard !input.isEmpty else { return }
    configuration.onRead = nil
    configuration.onDrain = { _, status, context in
      CommandPipes.of(context).inputDrained(status)
    }
    inputStream = try Self.pipe(loop, configuration) {
      childInput = $0.read; return $0.write
    }
  }

  /// Makes a pipe and a stream on the end that `ours` returns.
  private static func pipe(
    _ loop: Loop, _ configuration: StreamConfiguration,
    _ ours: ((read: Int32, write: Int32)) -> Int32
  ) throws(EddyError) -> Stream {
    var ends: [Int32] = [-1, -1]
    let status = eddy_pipe(&ends)
    guard status == 0 else { throw EddyError(code: status) }
    let end = ours((read: ends[0], write: ends[1]))
    do throws(EddyError) {
      return try Stream(loop: loop, fd: end, configuration: configuration)
    } catch {
      _ = Glibc.close(end)
      throw error
    }
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> CommandPipes {
    Unmanaged<CommandPipes>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
  }

  /// Begins to read and to write.
  func start() {
    outputStream?.readStart()
    errorStream?.readStart()
    writeInput()
  }

  /// Closes the ends that are the child's.
  func closeChildEnds() {
    for end in [childInput, childOutput, childError] where end >= 0 { _ = Glibc.close(end) }
    (childInput, childOutput, childError) = (-1, -1, -1)
  }

  /// Closes the loop's ends.
  func close() {
    for stream in [inputStream, outputStream, errorStream] { stream?.close() }
    (inputStream, outputStream, errorStream) = (nil, nil, nil)
  }

  // MARK: Standard input

  /// Writes until the pipe is full or everything is written.
  private func writeInput() {
    guard let inputStream else { return }
    while written < input.count {
      let end = min(written + Self.writeSize, input.count)
      let queued = input.withUnsafeBytes {
        inputStream.write(UnsafeRawBufferPointer(rebasing: $0[written..<end]))
      }
      // EDDY_EPIPE: the command reads no further, as it may (`head` does).
      guard queued >= 0 else { return closeInput() }
      written = end
      guard queued == 0 else { return }
    }
    closeInput()
  }

  private func inputDrained(_ status: Int32) {
    if status == 0 {
      writeInput()
    } else {
      closeInput()
    }
  }

  private func closeInput() {
    inputStream?.close()
    inputStream = nil
  }

  // MARK: Standard output and standard error

  private func receivedOutput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    guard count > 0 else { return closeOutput() }
    append(UnsafeBufferPointer(start: bytes, count: count))
    if hasOverflowed { onOverflow?() }
  }

  private func receivedError(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
    guard count > 0 else {
      errorStream?.close()
      errorStream = nil
      return
    }
    errorTail.append(UnsafeBufferPointer(start: bytes, count: count))
  }

  /// Keeps what the limit allows. Beyond it the pipe is closed: who writes on gets SIGPIPE.
  private func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    let room = outputLimit - output.count
    output.append(contentsOf: bytes.prefix(room))
    guard bytes.count > room else { return }
    hasOverflowed = true
    closeOutput()
  }

  private func closeOutput() {
    outputStream?.close()
    outputStream = nil
  }

  /// Reads what the child left in the pipes. It does not wait for their end, since a process that
  /// has left the child's group may hold them open, nor for more than a pipe can hold.
  func readRest() {
    readRest(\.outputStream) { self.append($0) }
    readRest(\.errorStream) { self.errorTail.append($0) }
  }

  private func readRest(
    _ stream: KeyPath<CommandPipes, Stream?>, _ take: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.readSize) { buffer in
      var total = 0
      while total < Self.largestPipe, let fd = self[keyPath: stream]?.fd {
        let count = read(fd, buffer.baseAddress, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        total += count
        take(UnsafeBufferPointer(rebasing: buffer[..<count]))
      }
    }
  }
}
