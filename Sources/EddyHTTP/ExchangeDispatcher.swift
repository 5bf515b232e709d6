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
    var task: Task<Void, Never>?
    var onAbandoned: (() -> Void)?
    /// Body writers that wait for a slow client.
    var writers: [CheckedContinuation<Void, any Error>] = []
  }

  /// A request whose body is arriving. A class, so that a piece is appended in place: through a
  /// dictionary's value an unoptimised build copies the whole body each time.
  private final class Incoming {
    let route: Router.Route
    let bodyLimit: Int
    let responder: Responder
    var request: Request

    init(route: Router.Route, bodyLimit: Int, responder: Responder, request: Request) {
      self.route = route
      self.bodyLimit = bodyLimit
      self.responder = responder
      self.request = request
    }
  }

  let loop: EventLoop
  let logger: Logger
  /// Nil once the server is closed: a handler may keep responders, which hold this dispatcher.
  var router: Router?
  private let bodyLimit: Int
  let proxies: TrustedProxies
  /// Nil without an access log.
  let records: AccessRecords?
  /// Proxy fields that contradict each other have been reported.
  var hasReportedContradiction = false
  /// Nil once the server is closed. It holds this dispatcher too, until then.
  var engine: HTTPEngine?
  private var states: [Exchange: State] = [:]
  private var incoming: [Exchange: Incoming] = [:]
  /// The memory that field lines are rendered in, kept from one answer to the next.
  var fieldLines: [UInt8] = []

  /// Room that is made for a body at once. `Content-Length` is only a claim, so beyond this memory
  /// grows with what really comes.
  private static let bodyReserve = 1 << 20

  init(
    loop: EventLoop, router: Router, bodyLimit: Int, proxies: TrustedProxies, accessLog: AccessLog?,
    logger: Logger
  ) {
    self.loop = loop
    self.router = router
    self.bodyLimit = bodyLimit
    self.proxies = proxies
    records = accessLog.map(AccessRecords.init)
    self.logger = logger
  }

  // MARK: The engine's calls

  func receivedHead(
    _ exchange: Exchange, _ head: borrowing RequestHead, _ engine: HTTPEngine
  ) -> BodyPolicy {
    guard let router else { return .discard }
    let method = HTTPRequest.Method(head)
    let forwarded = proxies.isEmpty ? nil : forwardedClient(exchange, head)
    records?.begin(exchange, head, forwarded) { peer(of: exchange) }
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
      request.forwarded = forwarded
      guard head.hasBody else {
        handle(request, route, responder)
        return .discard
      }
      let limit = min(route.bodyLimit ?? bodyLimit, bodyLimit)
      let announced = Int(clamping: head.contentLength ?? 0)
      guard announced <= limit else {
        answer(responder, with: Self.bodyTooLarge(limit))
        return .discard
      }
      request.body.reserveCapacity(min(announced, Self.bodyReserve))
      incoming[exchange] = Incoming(
        route: route, bodyLimit: limit, responder: responder, request: request)
      // The limit is kept here, where the answer can say what it is.
      return .accept(limit: .max)
    }
  }

  func receivedBody(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {
    guard let request = incoming[exchange] else { return }
    let limit = request.bodyLimit
    guard bytes.count <= limit - request.request.body.count else {
      incoming[exchange] = nil
      answer(request.responder, with: Self.bodyTooLarge(limit))
      return
    }
    incoming[exchange]?.request.body.append(contentsOf: bytes)
  }

  func receivedEnd(_ exchange: Exchange) {
    // Most requests have no body, and were handled when their head came.
    guard !incoming.isEmpty, let complete = incoming.removeValue(forKey: exchange) else { return }
    handle(complete.request, complete.route, complete.responder)
  }

  func abandoned(_ exchange: Exchange) {
    incoming[exchange] = nil
    records?.end(exchange)
    guard let state = states.removeValue(forKey: exchange) else { return }
    state.task?.cancel()
    for writer in state.writers { writer.resume(throwing: BodyWriter.ClientGone()) }
    state.onAbandoned?()
  }

  func writable(_ exchange: Exchange) {
    guard let state = states[exchange] else { return }
    let writers = state.writers
    state.writers = []
    for writer in writers { writer.resume() }
  }

  private static func bodyTooLarge(_ limit: Int) -> Response {
    Problem(
      .contentTooLarge,
      "The body is larger than the \(limit) bytes that are allowed here (RFC 9110 §15.5.14)."
    ).response
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
    records?.end(exchange)
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
      state(of: exchange).writers.append(continuation)
    }
  }

  func peer(of exchange: Exchange) -> String? {
    addressText { engine?.peer(exchange, into: $0) }
  }

  /// The engine has answered a request itself.
  func refused(_ exchange: Exchange, _ status: Int, _ contentLength: Int) {
    records?.refused(exchange, status: status, bytes: contentLength) {
      addressText { engine?.connectionPeer(exchange, into: $0) }
    }
  }

  private func addressText(
    _ write: (UnsafeMutableBufferPointer<CChar>) -> Int32?
  ) -> String? {
    /// As eddy/stream.h says, this holds every address.
    let longestAddress = 128
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: longestAddress) { buffer in
      guard let length = write(buffer), length >= 0, let text = buffer.baseAddress
      else { return nil }
      return String(cString: text)
    }
  }
}
