/// What the engine does with the body of a request.
public enum BodyPolicy: Equatable, Sendable {
  /// Hand it on through ``ExchangeHandler/receivedBody(_:_:)``.
  ///
  /// A body of more than `limit` bytes (or of more than ``HTTPLimits/body``) is answered with 413:
  /// at once if `Content-Length` says so, else when that many bytes have come.
  case accept(limit: Int)
  /// Read and drop it, within ``HTTPLimits/body``; ``ExchangeHandler/receivedEnd(_:)`` still comes.
  case discard
}

/// What became of a part of a streamed answer.
public enum WriteResult: Equatable, Sendable {
  /// Accepted.
  case written
  /// Accepted, but the client is slow: wait for ``ExchangeHandler/writable(_:)`` before writing
  /// more. What is written regardless is kept in memory without a bound.
  case full
  /// Nothing was written: the exchange is no longer there.
  case gone
}

/// Receives the requests of an ``HTTPEngine``.
///
/// All calls come on the loop's thread. Each of them may answer, then or at any later time, and may
/// call any other function of the engine. The order for one exchange is: `receivedHead`,
/// `receivedBody` any number of times, `receivedEnd`; no further call comes once the answer is
/// finished or `abandoned` has come.
public protocol ExchangeHandler: AnyObject {
  /// A request's head has come.
  ///
  /// - Parameter head: a view of the read buffer, valid until this function returns.
  /// - Returns: what to do with the body; without meaning if the request has none or if it was
  ///   answered inside this call.
  func receivedHead(
    _ exchange: Exchange, _ head: borrowing RequestHead, _ engine: HTTPEngine
  ) -> BodyPolicy

  /// A part of the body, without its transfer coding; the bytes are valid until the function
  /// returns.
  func receivedBody(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer)

  /// The request is complete.
  func receivedEnd(_ exchange: Exchange)

  /// No answer can be sent any more: the client is gone, broke the protocol, was too slow, or the
  /// engine had to answer instead (413, 408, …).
  ///
  /// Called once, only if the answer was not finished, and never from inside a call that the
  /// handler makes into the engine, except ``HTTPEngine/close()``.
  func abandoned(_ exchange: Exchange)

  /// A streamed answer, of which a write was ``WriteResult/full``, may be continued.
  func writable(_ exchange: Exchange)
}
