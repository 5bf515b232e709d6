import CLibev
import EddyCore

/// Where connections come from.
extension HTTPEngine {
  /// Listens on an address, `127.0.0.1:8888`, `[::1]:8888` or `unix:/path`; may be called several
  /// times.
  ///
  /// - Parameters:
  ///   - backlog: of listen(2); 0: the listener's default.
  ///   - reusePort: several processes share the port (SO_REUSEPORT, socket(7)).
  /// - Returns: the address as text, with the port that the system chose if it was 0.
  /// - Throws: `EDDY_EADDRFORMAT`, `EDDY_EADDRINUSE` and others of bind(2); `EDDY_EALREADY` when
  ///   the engine drains or is closed.
  @discardableResult public func listen(
    address: String, backlog: Int32 = 0, reusePort: Bool = false
  ) throws(EddyError) -> String {
    guard !isDraining, !isClosed else { throw EddyError(code: Int32(EDDY_EALREADY)) }
    var configuration = ListenerConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onAccept = { _, fd, context in
      HTTPEngine.of(context).accepted(fd, isFromListener: true)
    }
    configuration.onError = { _, error, context in
      let engine = HTTPEngine.of(context)
      engine.acceptErrors = (engine.acceptErrors.count + 1, error)
    }
    if backlog > 0 { configuration.backlog = backlog }
    configuration.reusePort = reusePort
    let listener = try Listener(loop: loop, address: address, configuration: configuration)
    listeners.append(listener)
    if isAcceptingPaused { listener.pause() }
    return listener.addressText
  }

  /// What it listens on, as text, in the order of the calls of `listen`.
  public var addresses: [String] { listeners.map { $0.addressText } }

  /// Serves a connection that was accepted elsewhere. The descriptor is the engine's from here on.
  public func adopt(fd: Int32) { accepted(fd, isFromListener: false) }

  private static func of(_ context: UnsafeMutableRawPointer?) -> HTTPEngine {
    Unmanaged<HTTPEngine>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
  }

  /// No retain: a connection that is closed lives until the end of the turn.
  @inline(__always) private static func withConnection(
    _ context: UnsafeMutableRawPointer?, _ body: (Connection) -> Void
  ) {
    Unmanaged<Connection>.fromOpaque(context.unsafelyUnwrapped)._withUnsafeGuaranteedRef(body)
  }

  private func accepted(_ fd: Int32, isFromListener: Bool) {
    guard !isClosed else {
      _ = CLibev.close(fd)
      return
    }
    let place = connections.next
    let connection = Connection(engine: self, slot: place.slot, generation: place.generation)
    var configuration = StreamConfiguration()
    configuration.context = Unmanaged.passUnretained(connection).toOpaque()
    configuration.onRead = { _, bytes, length, context in
      HTTPEngine.withConnection(context) { connection in
        if length > 0 {
          connection.received(UnsafeRawBufferPointer(start: bytes, count: length))
        } else {
          connection.readEnded(length)
        }
      }
    }
    configuration.onDrain = { _, status, context in
      HTTPEngine.withConnection(context) { $0.drained(status) }
    }
    // The engine has its own marks, and must not lose a part of an answer to a refused write.
    configuration.writeHighMark = .max
    do throws(EddyError) {
      let stream =
        isFromListener
        ? try Stream(loop: loop, accepted: fd, configuration: configuration)
        : try Stream(loop: loop, fd: fd, configuration: configuration)
      connection.attach(stream)
    } catch {
      _ = CLibev.close(fd)
      acceptErrors = (acceptErrors.count + 1, error.code)
      return
    }
    connections.insert(connection)
    _ = connection.stream.readStart()
    connection.settle()
    pauseAcceptingIfFull()
  }

  private func pauseAcceptingIfFull() {
    guard limits.connections > 0, connections.count >= limits.connections, !isAcceptingPaused
    else { return }
    isAcceptingPaused = true
    for listener in listeners { listener.pause() }
  }

  /// A connection's last act. The list of those to attend to keeps it until the end of the turn:
  /// functions of its own may be on the stack.
  func connectionClosed(_ connection: Connection) {
    schedule(connection)
    connections.remove(connection)
    if isAcceptingPaused, connections.count < limits.connections {
      isAcceptingPaused = false
      for listener in listeners { listener.resume() }
    }
    if isDraining, connections.count == 0 { postDrained() }
  }
}
