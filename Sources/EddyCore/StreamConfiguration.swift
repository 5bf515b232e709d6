import CLibev

/// What a stream may be told. The C header `eddy/stream.h` documents each callback.
public struct StreamConfiguration {
  public var context: UnsafeMutableRawPointer?
  /// Required by `Stream.connect`.
  public var onConnect: eddy_stream_connect_cb?
  /// Required before `readStart`.
  public var onRead: eddy_stream_read_cb?
  public var onDrain: eddy_stream_drain_cb?
  /// Nanoseconds for connect(2).
  public var connectTimeout: UInt64 = 30 * EDDY_SECOND
  /// At this many queued bytes a write is refused.
  public var writeHighMark = 1 << 20
  /// `onDrain` is called when the queue falls to this many bytes. Below the high mark.
  public var writeLowMark = 0
  /// Nanoseconds without a byte in or out, from the opening on, until `onIdle`; 0: for ever.
  public var idleTimeout: UInt64 = 0
  /// Required with `idleTimeout`, and before `Stream.setIdleTimeout`.
  public var onIdle: eddy_stream_idle_cb?
  /// Nanoseconds of silence until the kernel probes a TCP peer, rounded up to seconds, at most
  /// `KeepAlive.maximum`; 0: as the descriptor has it.
  public var keepAlive: UInt64 = 0
  /// Whether the kernel may collect small writes (Nagle's algorithm: TCP_NODELAY off, tcp(7)).
  public var delayWrites = false
  /// `Stream.connect(loop:host:port:configuration:)`: nanoseconds after which the next address is
  /// tried beside the last; at least 10 ms (RFC 8305, section 8).
  public var attemptDelay: UInt64 = 250 * EDDY_MILLISECOND

  /// The least `attemptDelay` (RFC 8305, section 8).
  private static let minimumAttemptDelay: UInt64 = 10 * EDDY_MILLISECOND

  public init() {}

  /// - Throws: `EDDY_EINVAL` for values that contradict each other or are out of range.
  func check() throws(EddyError) {
    guard writeHighMark > writeLowMark, writeLowMark >= 0,
      idleTimeout == 0 || onIdle != nil, idleTimeout <= Timer.maximumDelay,
      connectTimeout <= Timer.maximumDelay, keepAlive <= KeepAlive.maximum,
      attemptDelay >= Self.minimumAttemptDelay, attemptDelay <= Timer.maximumDelay
    else { throw EddyError(EDDY_EINVAL) }
  }

  /// Sets the options of a socket that nobody has set up for this library. Those of TCP fail on
  /// another kind of socket, and then nothing needs doing.
  func applyOptions(to fd: Int32) {
    SocketOption.noDelay.set(on: fd, to: delayWrites ? 0 : 1)
    applyKeepAlive(to: fd)
  }

  func applyKeepAlive(to fd: Int32) {
    if keepAlive > 0 { _ = KeepAlive(silence: keepAlive).apply(to: fd) }
  }
}
