import Eddy
import EddyHTTPCore

/// The right to answer one request, now or later.
///
/// A value that may be kept and copied; it names its exchange by the connection's generation and
/// the request's number, which are checked just before each write. A connection or a descriptor
/// that is used again therefore never gets the answer of another.
public struct Responder: @unchecked Sendable {
  // Unchecked, because the dispatcher is confined to the loop's thread, which each use checks: so
  // that a responder can be carried by a closure that comes back to the loop.
  let dispatcher: ExchangeDispatcher
  let exchange: Exchange
  let isHead: Bool

  /// The loop on whose thread it is to be used.
  public var loop: EventLoop { dispatcher.loop }

  /// Answers. Only the first answer counts.
  ///
  /// - Returns: false if the client is gone or the request has been answered: nothing was written.
  /// - Precondition: called on the loop's thread.
  @discardableResult
  public func respond(_ response: Response) -> Bool {
    loop.preconditionOnLoop()
    return dispatcher.answer(self, with: response)
  }

  /// Answers with a problem document; otherwise as ``respond(_:)-(Response)``.
  @discardableResult
  public func respond(_ problem: Problem) -> Bool {
    respond(problem.response)
  }

  /// Whether an answer can still be given.
  ///
  /// - Precondition: called on the loop's thread.
  public var isAlive: Bool {
    loop.preconditionOnLoop()
    return dispatcher.engine?.isAlive(exchange) ?? false
  }

  /// Calls `function` once, on the loop's thread, if the client goes away before the answer: if it
  /// resets the connection or ends its side of it, or if the server closes. A function that was
  /// given before is replaced.
  ///
  /// - Returns: false if no answer can be given any more; then the function will not be called.
  /// - Precondition: called on the loop's thread.
  @discardableResult
  public func onAbandoned(_ function: @escaping () -> Void) -> Bool {
    loop.preconditionOnLoop()
    return dispatcher.onAbandoned(exchange, function)
  }

  /// The address of the connection's other end as text, behind a proxy the proxy's (the client's is
  /// ``Request/remoteAddress``); nil once the exchange is over.
  ///
  /// - Precondition: called on the loop's thread.
  public var remoteAddress: String? {
    loop.preconditionOnLoop()
    return dispatcher.peer(of: exchange)
  }
}
