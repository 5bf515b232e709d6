import Eddy
import EddyCore
import EddyHTTPCore
import HTTPTypes
import Logging

/// What the server bounds: sizes, numbers and times, each with a default and the status that
/// passing it leads to.
public typealias HTTPLimits = EddyHTTPCore.HTTPLimits

/// An HTTP/1.1 server on one loop: a router's handlers over the engine.
///
/// ```swift
/// try EventLoop.run { loop in
///   let router = Router()
///   router.get("/") { _ in .text("Hello.\n") }
///   let server = HTTPServer(loop: loop, router: router)
///   print(try server.listen(on: "127.0.0.1:8888"))
///   for await _ in try loop.signals(SIGTERM, SIGINT) { break }
///   await server.drain(within: .seconds(10))
/// }
/// ```
///
/// Confined to the loop's thread.
public final class HTTPServer {
  public let loop: EventLoop
  private let dispatcher: ExchangeDispatcher

  /// - Parameters:
  ///   - router: with all its routes.
  ///   - limits: `body` is the largest that any route may take.
  ///   - trustedProxies: whose word about the client's address and scheme is believed.
  ///   - accessLog: gets a line for each answer.
  ///   - logger: gets the errors of handlers, and of accepting connections.
  /// - Precondition: called on the loop's thread; before it runs, on the one that created it.
  public init(
    loop: EventLoop, router: Router, limits: HTTPLimits = HTTPLimits(),
    trustedProxies: TrustedProxies = .none, accessLog: AccessLog? = nil,
    logger: Logger = Logger(label: "eddy.http")
  ) {
    loop.preconditionOnLoop()
    self.loop = loop
    dispatcher = ExchangeDispatcher(
      loop: loop, router: router, bodyLimit: limits.body, proxies: trustedProxies,
      accessLog: accessLog, logger: logger)
    var engineLimits = limits
    // The dispatcher's business, which knows what to say about it.
    engineLimits.body = .max
    let engine = HTTPEngine(loop: loop.core, limits: engineLimits, handler: dispatcher)
    var failures = AcceptFailures(logger: logger)
    engine.onAcceptError = { failures.add($0, now: loop.now) }
    if accessLog != nil {
      engine.onRefusal = { [unowned dispatcher] in dispatcher.refused($0, $1, $2) }
    }
    dispatcher.engine = engine
  }

  deinit {
    if loop.isOnLoop && !loop.core.isRunning {
      // Nobody may run the loop again: what is queued now would stay, and keep it alive. The turn
      // is for the close callbacks of the connections.
      dispatcher.close()
      _ = try? loop.run(.nowait)
    } else {
      // Elsewhere than on its thread the loop may not be touched, and there not from inside whatever
      // lets the server go.
      loop.execute { [dispatcher] in dispatcher.close() }
    }
  }

  /// Listens on an address: `127.0.0.1:8888`, `[::1]:8888` or `unix:/run/eddy.sock`. It may be
  /// called for several.
  ///
  /// - Parameter reusePort: lets several processes share the port (SO_REUSEPORT, socket(7)).
  /// - Returns: the address as text, with the port that the system chose where 0 was asked for.
  /// - Throws: `EDDY_EADDRFORMAT`; `EDDY_EADDRINUSE`, `EDDY_EACCES` and others of bind(2);
  ///   `EDDY_EALREADY` once the server is closed.
  @discardableResult
  public func listen(on address: String, reusePort: Bool = false) throws(EddyError) -> String {
    loop.preconditionOnLoop()
    guard let engine = dispatcher.engine else { throw EddyError(code: Int32(EDDY_EALREADY)) }
    return try engine.listen(address: address, reusePort: reusePort)
  }

  /// The addresses that it listens on.
  public var addresses: [String] { dispatcher.engine?.addresses ?? [] }

  /// The connections that are open, those that are being closed included.
  public var connectionCount: Int { dispatcher.engine?.connectionCount ?? 0 }

  /// Stops gracefully, and returns when no connection is left: accepts no more; closes idle
  /// connections; lets requests that have come be answered. What is left when the time is over is
  /// cut off. The server is closed then.
  public func drain(within limit: Duration) async {
    loop.preconditionOnLoop()
    await dispatcher.drain(within: limit)
  }

  /// Closes everything at once; requests that wait for an answer are abandoned. A second call
  /// does nothing.
  public func close() {
    loop.preconditionOnLoop()
    dispatcher.close()
  }
}

extension ExchangeDispatcher {
  fileprivate func drain(within limit: Duration) async {
    guard let engine else { return }
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let box = Unmanaged.passRetained(ContinuationBox(continuation))
      engine.drain(deadline: limit.clampedNanoseconds, context: box.toOpaque()) { context in
        Unmanaged<ContinuationBox>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue()
          .continuation.resume()
      }
    }
    close()
  }

  fileprivate func close() {
    guard let engine else { return }
    engine.close()
    self.engine = nil
    router = nil
  }
}

private final class ContinuationBox {
  let continuation: CheckedContinuation<Void, Never>

  init(_ continuation: CheckedContinuation<Void, Never>) {
    self.continuation = continuation
  }
}
