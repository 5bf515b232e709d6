import CLibev
import EddyCore

/// Files as a part of an answer.
extension Connection {
  /// A part of no more bytes is read behind what is collected: one system call then sends it with
  /// the head, and no descriptor has to be kept.
  private static var largestReadPart: Int { 16384 }

  func sendFile(_ file: OpenFile, _ range: Range<Int64>) -> WriteResult {
    guard answer == .streaming, !isLost else { return .gone }
    guard !range.isEmpty, framing != .none else { return .written }
    let count = Int(range.upperBound - range.lowerBound)
    guard range.lowerBound >= 0 else {
      abort()
      return .gone
    }
    if case .length(let remaining) = framing {
      guard count <= remaining else {
        abort()
        return .gone
      }
      framing = .length(remaining - count)
    }
    let output = engine.output
    engine.claimOutput(self)
    if framing == .chunked {
      output.reserve(18)  // 16 digits and CR LF.
      output.appendUnchecked(hexadecimal: count)
      output.append("\r\n")
    }
    let isSent =
      count <= Self.largestReadPart
      ? output.append(file, from: off_t(range.lowerBound), count)
      : handOver(file, range)
    guard isSent else {
      if !isLost { abort() }
      return .gone
    }
    if framing == .chunked {
      engine.claimOutput(self)
      output.append("\r\n")
    }
    if output.count + stream.queued >= engine.limits.writeBuffer { engine.flushOutput() }
    if isLost { return .gone }
    if !isConsuming { engine.scheduleFlush() }
    return .written
  }

  /// Gives a part to the stream, which has the kernel send it.
  /// - Returns: false if the file can't be read, or the client is gone.
  private func handOver(_ file: OpenFile, _ range: Range<Int64>) -> Bool {
    // The head and the file's first bytes share a packet: the socket holds back what fills none
    // (tcp(7), TCP_CORK). A socket of another kind refuses the option, and needs it not.
    let isFlushed = !engine.isOutput(of: self) || engine.output.isEmpty
    if !isFlushed { setCork(true) }
    engine.flushOutput()
    guard !isLost else { return false }
    let count = UInt64(range.upperBound - range.lowerBound)
    let part = Unmanaged.passRetained(FilePart(connection: self, file: file))
    filesInFlight += 1
    let result = stream.sendFile(
      file.fd, from: UInt64(range.lowerBound), count: count, context: part.toOpaque()
    ) { status, context in
      let part = Unmanaged<FilePart>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue()
      part.connection.fileSent(status)
    }
    if !isFlushed { setCork(false) }
    guard result >= 0 else {
      filesInFlight -= 1
      part.release()
      if Self.isOfFile(Int32(result)) { return false }
      lose()
      return false
    }
    acceptedBytes &+= count
    let waiting = stream.queued + stream.queuedOfFiles
    if waiting > 0 { expectProgress(waiting) }
    return true
  }

  /// Whether a refusal tells of the file, and not of the connection.
  private static func isOfFile(_ error: Int32) -> Bool {
    error == EDDY_EBADF || error == EDDY_EINVAL || error == EDDY_EIO
  }

  /// The kernel has a part of a file, or will never have it.
  private func fileSent(_ status: Int32) {
    filesInFlight -= 1
    guard phase != .closed else { return }
    // A part is missing of an answer that may seem finished to all others.
    guard status == 0 else { return tearDown(reset: true) }
    guard !hasUnwritten else { return }
    drained(0)
  }

  private func setCork(_ isOn: Bool) {
    var value: Int32 = isOn ? 1 : 0
    _ = setsockopt(
      stream.fd, Int32(IPPROTO_TCP), TCP_CORK, &value,
      socklen_t(MemoryLayout<Int32>.size))
  }
}

/// What a stream holds until it has sent a part of a file.
private final class FilePart {
  let connection: Connection
  let file: OpenFile

  init(connection: Connection, file: OpenFile) {
    self.connection = connection
    self.file = file
  }
}

extension OutputBuffer {
  /// Reads a part of a file.
  /// - Returns: false if the file has not so many bytes, or can't be read; then nothing is appended.
  fileprivate func append(_ file: OpenFile, from offset: off_t, _ length: Int) -> Bool {
    reserve(length)
    return appendUnchecked(length) { memory in
      var filled = 0
      while filled < length {
        let result = pread(file.fd, memory + filled, length - filled, offset + off_t(filled))
        if result > 0 { filled += result } else if result == 0 || clibev_errno() != EINTR { break }
      }
      return filled == length
    }
  }
}
