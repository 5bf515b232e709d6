import EddyCore

/// An HTTP/1.1 server on one loop (RFC 9110, RFC 9112).
///
/// It reads and checks requests, hands them to its ``ExchangeHandler``, and writes the answers that
/// it is given, on each connection in the order of the requests. Everything runs on the loop's
/// thread, and every member is for that thread.
public final class HTTPEngine {
  let loop: Loop
  let limits: HTTPLimits
  let handler: any ExchangeHandler

  /// - Parameters:
  ///   - loop: kept by the engine.
  ///   - handler: kept by the engine until it is freed.
  ///   - serverName: the value of `Server` in every answer; without one if it is empty. A token
  ///     (RFC 9110 §10.2.4).
  public init(
    loop: Loop, limits: HTTPLimits, handler: any ExchangeHandler, serverName: StaticString = "eddy"
  ) {
    self.loop = loop
    self.limits = limits
    self.handler = handler
  }

  /// Listens on an address, `127.0.0.1:8888`, `[::1]:8888` or `unix:/path`; may be called several
  /// times.
  ///
  /// - Returns: the address as text, with the port that the system chose if it was 0.
  /// - Throws: `EDDY_EADDRFORMAT`, `EDDY_EADDRINUSE` and others of bind(2).
  @discardableResult public func listen(
    address: String, backlog: Int32 = 0, reusePort: Bool = false
  ) throws(EddyError) -> String {
    throw EddyError(code: -25)
  }

  /// Serves a connection that was accepted elsewhere. The descriptor is the engine's from here on.
  public func adopt(fd: Int32) {}

  /// What it listens on, as text.
  public var addresses: [String] { [] }

  /// How many connections are open, those that are being closed included.
  public var connectionCount: Int { 0 }

  /// Answers a request.
  ///
  /// - Parameters:
  ///   - status: 200 to 599; any other is sent as 500.
  ///   - fields: complete field lines, `name: value\r\n` each, without `Date`, `Server`,
  ///     `Content-Length`, `Transfer-Encoding` and `Connection`, which the engine writes.
  ///   - body: not sent to HEAD, nor with 204 and 304. Read before the function returns.
  /// - Returns: false if the exchange is no longer there (the client is gone, timed out, …), or
  ///   has been answered: then nothing was written.
  @discardableResult public func respond(
    _ exchange: Exchange, status: Int, fields: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
  ) -> Bool { false }

  /// Begins a streamed answer, to be continued by ``write(_:_:)`` and finished by ``end(_:)``.
  ///
  /// - Parameter contentLength: how many bytes will be written; nil if that isn't known: then the
  ///   body is sent in chunks, to HTTP/1.0 up to the end of the connection.
  /// - Returns: as ``respond(_:status:fields:body:)``.
  @discardableResult public func begin(
    _ exchange: Exchange, status: Int, fields: UnsafeRawBufferPointer, contentLength: Int64?
  ) -> Bool { false }

  /// Continues a streamed answer. Bytes beyond the announced length abort it.
  public func write(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) -> WriteResult { .gone }

  /// Finishes a streamed answer. One that has fewer bytes than announced is aborted.
  ///
  /// - Returns: false if the exchange is no longer there, or was aborted.
  @discardableResult public func end(_ exchange: Exchange) -> Bool { false }

  /// Gives up an answer: closes the connection, so that the client can tell that the answer is not
  /// whole. ``ExchangeHandler/abandoned(_:)`` does not come.
  ///
  /// - Returns: false if the exchange is no longer there.
  @discardableResult public func abort(_ exchange: Exchange) -> Bool { false }

  /// True if the exchange waits for its answer, or for the rest of it.
  public func isAlive(_ exchange: Exchange) -> Bool { false }

  /// Asks for ``ExchangeHandler/abandoned(_:)`` as soon as the client ends its side. Without it a
  /// client that ends its side still gets its answer, as RFC 9112 §9.6 lets it expect; a parked
  /// poll rather wants to know that nobody waits any more.
  ///
  /// - Returns: false if the exchange is no longer there. If the client has ended its side
  ///   already, `abandoned` comes in this turn of the loop.
  @discardableResult public func cancelsOnHalfClose(_ exchange: Exchange) -> Bool { false }

  /// The address of the exchange's client, as text with a final zero byte; 128 bytes hold each.
  ///
  /// - Returns: its length without the zero; `EDDY_ENOTCONN` if the exchange is no longer there;
  ///   `EDDY_EINVAL` if the buffer is too small.
  public func peer(_ exchange: Exchange, into buffer: UnsafeMutableBufferPointer<CChar>) -> Int32 {
    -18
  }

  /// Stops gracefully: stops listening; closes idle connections at once; gives the others
  /// `Connection: close` with their next answer.
  ///
  /// - Parameters:
  ///   - deadline: nanoseconds from now, after which what is left is closed.
  ///   - done: called once from the loop when no connection is left.
  public func drain(
    deadline: UInt64, context: UnsafeMutableRawPointer?,
    done: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void
  ) {}

  /// Closes everything at once: listeners, connections, timers. Exchanges that wait for an answer
  /// are abandoned. Call it before the engine is freed; a second call does nothing.
  public func close() {}
}
