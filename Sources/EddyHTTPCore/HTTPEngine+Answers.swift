import EddyCore

/// Answers: each names its exchange, and reaches that one or none.
extension HTTPEngine {
  /// Calls `body` with the connection of an exchange, if the answer is owed and can still be sent.
  ///
  /// A connection that is closed meanwhile lives until the end of the turn, so that it need not be
  /// retained here.
  @inline(__always) private func find<Result>(
    _ exchange: Exchange, else absent: Result, _ body: (Connection) -> Result
  ) -> Result {
    guard let reference = connections.find(exchange) else { return absent }
    return reference._withUnsafeGuaranteedRef { connection in
      guard connection.request == exchange.request, connection.isAnswerOwed else { return absent }
      return body(connection)
    }
  }

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
  ) -> Bool {
    find(exchange, else: false) { $0.respond(self, status, fields, body) }
  }

  /// Begins a streamed answer, to be continued by ``write(_:_:)`` and finished by ``end(_:)``.
  ///
  /// - Parameter contentLength: how many bytes will be written; nil if that isn't known: then the
  ///   body is sent in chunks, to HTTP/1.0 up to the end of the connection.
  /// - Returns: as ``respond(_:status:fields:body:)``.
  @discardableResult public func begin(
    _ exchange: Exchange, status: Int, fields: UnsafeRawBufferPointer, contentLength: Int64?
  ) -> Bool {
    find(exchange, else: false) { $0.begin(status, fields, contentLength) }
  }

  /// Continues a streamed answer. What is written in one turn is collected. Bytes beyond the
  /// announced length abort the answer; bytes for an answer without a body (HEAD, 204, 304) are
  /// dropped.
  public func write(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) -> WriteResult {
    find(exchange, else: .gone) { $0.write(bytes) }
  }

  /// Continues a streamed answer by a part of a file, in order with what is written before and
  /// after. The kernel sends it by itself (sendfile(2)), so that it takes no memory however large it
  /// is; a small part is read and collected. Reading happens on the loop's thread.
  ///
  /// A file that ends before the part does aborts the answer; if that is seen later, the
  /// connection is reset, for the answer's length has been announced. The next request of the
  /// connection is taken up when the kernel has all of the file.
  ///
  /// - Parameters:
  ///   - file: kept open until the kernel has the part, or the connection is closed.
  ///   - range: the part, in bytes from the file's start.
  /// - Returns: as ``write(_:_:)``, but never ``WriteResult/full``.
  public func sendFile(_ exchange: Exchange, _ file: OpenFile, _ range: Range<Int64>) -> WriteResult
  {
    find(exchange, else: .gone) { $0.sendFile(file, range) }
  }

  /// Finishes a streamed answer. One that has fewer bytes than announced is aborted.
  ///
  /// - Returns: false if the exchange is no longer there, or was aborted.
  @discardableResult public func end(_ exchange: Exchange) -> Bool {
    find(exchange, else: false) { $0.end() }
  }

  /// Gives up an answer: closes the connection, so that the client can tell that the answer is not
  /// whole. ``ExchangeHandler/abandoned(_:)`` does not come.
  ///
  /// - Returns: false if the exchange is no longer there.
  @discardableResult public func abort(_ exchange: Exchange) -> Bool {
    find(exchange, else: false) { connection in
      connection.abort()
      return true
    }
  }

  /// True if the exchange waits for its answer, or for the rest of it.
  public func isAlive(_ exchange: Exchange) -> Bool {
    find(exchange, else: false) { _ in true }
  }

  /// Asks for ``ExchangeHandler/abandoned(_:)`` as soon as the client ends its side. Without it a
  /// client that ends its side still gets its answer, as RFC 9112 §9.6 lets it expect; a parked
  /// poll rather wants to know that nobody waits any more.
  ///
  /// - Returns: false if the exchange is no longer there. If the client has ended its side
  ///   already, `abandoned` comes in this turn of the loop.
  @discardableResult public func cancelsOnHalfClose(_ exchange: Exchange) -> Bool {
    find(exchange, else: false) { connection in
      connection.cancelsOnHalfClose = true
      if connection.isHalfClosed { schedule(connection) }
      return true
    }
  }

  /// The address of the exchange's client, as text with a final zero byte; 128 bytes hold each.
  ///
  /// - Returns: its length without the zero; `EDDY_ENOTCONN` if the exchange is no longer there;
  ///   `EDDY_EINVAL` if the buffer is too small.
  public func peer(_ exchange: Exchange, into buffer: UnsafeMutableBufferPointer<CChar>) -> Int32 {
    find(exchange, else: Int32(EDDY_ENOTCONN)) { $0.stream.peer(into: buffer) }
  }

  /// The address of the client whose connection an exchange came by, whether the exchange is still
  /// there or not; otherwise as ``peer(_:into:)``.
  public func connectionPeer(
    _ exchange: Exchange, into buffer: UnsafeMutableBufferPointer<CChar>
  ) -> Int32 {
    guard let reference = connections.find(exchange) else { return Int32(EDDY_ENOTCONN) }
    return reference._withUnsafeGuaranteedRef { $0.stream.peer(into: buffer) }
  }
}
