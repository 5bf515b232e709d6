import Eddy
import EddyCore
import EddyHTTPCore
import HTTPTypes
import Logging

/// Takes the engine's requests to their handlers, and the handlers' answers back.
final class ExchangeDispatcher: ExchangeHandler, @unchecked Sendable {
  // Unchecked, because it is confined to the loop's thread. Tasks of handlers hold it, and run
  // there; responders and body writers hold it, and check where they are.

  /// What is known of an exchange whose answer is not finished; most have none, because they are
  /// answered inside the call that brings them.
  private final class State {
    /// While the body arrives.
    var pending: (route: Router.Route, request: Request)?
    var task: Task<Void, Never>?
    var onAbandoned: (() -> Void)?
    /// A body writer that waits for a slow client.
    var writer: CheckedContinuation<Void, any Error>?
  }

  let loop: EventLoop
  let logger: Logger
  private let router: Router
  private let bodyLimit: Int
  /// Nil once the server is closed. It holds this dispatcher too, until then.
  var engine: HTTPEngine?
  private var states: [Exchange: State] = [:]
  /// The memory that field lines are rendered in, kept from one answer to the next.
  var fieldLines: [UInt8] = []

  /// Room that is made for a body at once. `Content-Length` is only a claim, so beyond this memory
  /// grows with what really comes.
  private static let bodyReserve = 1 << 20

  init(loop: EventLoop, router: Router, bodyLimit: Int, logger: Logger) {
    self.loop = loop
    self.router = router
    self.bodyLimit = bodyLimit
    self.logger = logger
  }

  // MARK: The engine's calls

  func receivedHead(
    _ exchange: Exchange, _ head: borrowing RequestHead, _ engine: HTTPEngine
  ) -> BodyPolicy {
    let method = HTTPRequest.Method(head)
    let responder = Responder(dispatcher: self, exchange: exchange, isHead: method == .head)
    if head.targetForm == .asterisk {
      answer(responder, with: router.serverOptions)
      return .discard
    }
    switch router.route(method, path: head.path) {
    case .answer(let response):
      answer(responder, with: response)
      return .discard
    case .route(let route, let parameters):
      var request = Request(head, method: method, exchange: responder)
      request.parameters = parameters
      guard head.hasBody else {
        handle(request, route, responder)
        return .discard
      }
      let limit = min(route.bodyLimit ?? bodyLimit, bodyLimit)
      let announced = Int(clamping: head.contentLength ?? 0)
      request.body.reserveCapacity(min(announced, limit, Self.bodyReserve))
      state(of: exchange).pending = (route, request)
      return .accept(limit: limit)
    }
  }

  func receivedBody(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {
    states[exchange]?.pending?.request.body.append(contentsOf: bytes)
  }

  func receivedEnd(_ exchange: Exchange) {
    guard let pending = states[exchange]?.pending, let responder = pending.request.exchange else {
      return
    }
    states[exchange] = nil
    handle(pending.request, pending.route, responder)
  }

  func abandoned(_ exchange: Exchange) {
    guard let state = states.removeValue(forKey: exchange) else { return }
    state.task?.cancel()
    state.writer?.resume(throwing: BodyWriter.ClientGone())
    state.onAbandoned?()
  }

  func writable(_ exchange: Exchange) {
    guard let state = states[exchange], let writer = state.writer else { return }
    state.writer = nil
    writer.resume()
  }

  // MARK: Handlers

  private func handle(_ request: Request, _ route: Router.Route, _ responder: Responder) {
    switch route.action {
    case .deferred(let handler):
      handler(request, responder)
    case .task(let handler):
      start(responder) { [self] in
        await send(await response(of: handler, to: request), responder)
      }
    }
  }

  /// Runs `operation` as the exchange's task: at once and in this very call up to its first
  /// suspension, then on the loop.
  func start(_ responder: Responder, _ operation: @escaping @Sendable () async -> Void) {
    let task = Task.immediate(executorPreference: loop, operation: operation)
    guard engine?.isAlive(responder.exchange) == true else { return }
    // The handler waits, so it is to know when nobody waits for it any more.
    state(of: responder.exchange).task = task
    engine?.cancelsOnHalfClose(responder.exchange)
  }

  private func response(of handler: Router.Handler, to request: Request) async -> Response {
    do {
      return try await handler(request)
    } catch let problem as Problem {
      return problem.response
    } catch {
      if !(Task.isCancelled && error is CancellationError) {
        logger.error(
          "A handler failed.",
          metadata: [
            "method": "\(request.method.rawValue)", "path": "\(request.path)",
            "error": "\(String(reflecting: error))",
          ])
      }
      return Problem(.internalServerError, "The server made a mistake; it has been logged.")
        .response
    }
  }

  // MARK: States

  private func state(of exchange: Exchange) -> State {
    if let known = states[exchange] { return known }
    let new = State()
    states[exchange] = new
    return new
  }

  /// The answer is finished.
  func forget(_ exchange: Exchange) {
    if !states.isEmpty { states[exchange] = nil }
  }

  func onAbandoned(_ exchange: Exchange, _ function: @escaping () -> Void) -> Bool {
    guard let engine, engine.isAlive(exchange) else { return false }
    state(of: exchange).onAbandoned = function
    return engine.cancelsOnHalfClose(exchange)
  }

  /// Waits until a slow client has taken enough of what was written.
  func waitUntilWritable(_ exchange: Exchange) async throws {
    try await withCheckedThrowingContinuation { continuation in
      state(of: exchange).writer = continuation
    }
  }

  func peer(of exchange: Exchange) -> String? {
    /// As eddy/stream.h says, this holds every address.
    let longestAddress = 128
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: longestAddress) { buffer in
      guard let engine, engine.peer(exchange, into: buffer) >= 0, let text = buffer.baseAddress
      else { return nil }
      return String(cString: text)
    }
  }
}
