import HTTPTypes

/// Finds the handler for a request.
///
/// ```swift
/// let router = Router()
/// router.get("/hello/{name}") { request in
///   .text("Hello, \(request.parameters["name"]!).")
/// }
/// ```
///
/// In a pattern, `{name}` stands for any one segment that is not empty, and `{name...}` at the end
/// for all that is left, which may be nothing. A literal goes before a parameter. Literals are
/// written decoded, and match a path that is percent-encoded.
///
/// What no handler answers the router does: 404; 405 with `Allow` where the path has other
/// methods; 501 for a method that no route has and RFC 9110 §9.1 does not know; 400 for a path that
/// cannot be decoded; all as problem documents. HEAD goes to GET's handler where it has none of its
/// own, and OPTIONS, `OPTIONS *` too, is answered 204 with `Allow`.
///
/// Confined to the loop's thread. Add the routes before the server listens.
public final class Router {
  /// A handler that is a task: it may wait, on the loop's thread.
  ///
  /// It begins on the loop's thread at once, without a hop, and continues there after each `await`
  /// that is not of another actor. When the client goes away, the task is cancelled. A ``Problem``
  /// that it throws is the answer; any other error is logged and answered with status 500, without
  /// a word about what it was.
  public typealias Handler = @Sendable (Request) async throws -> Response

  /// A handler that is called on the loop's thread, and answers then or later through its
  /// ``Responder``. It must not block.
  public typealias DeferredHandler = (Request, Responder) -> Void

  private let routes = RouteTrie<Route>()
  /// Each method that a route has, in the order in which they came.
  private var methods: [HTTPRequest.Method] = []

  public init() {}

  /// Adds a route.
  ///
  /// - Parameters:
  ///   - bodyLimit: the largest request body in bytes, above which the answer is 413; the server's
  ///     limit if it is nil, and never above that.
  /// - Precondition: the pattern is well formed, and there is no such route yet.
  public func on(
    _ method: HTTPRequest.Method, _ pattern: String, bodyLimit: Int? = nil,
    _ handler: @escaping Handler
  ) {
    add(method, pattern, bodyLimit, .task(handler))
  }

  /// Adds a route whose handler answers when it likes; otherwise as ``on(_:_:bodyLimit:_:)``.
  public func onDeferred(
    _ method: HTTPRequest.Method, _ pattern: String, bodyLimit: Int? = nil,
    _ handler: @escaping DeferredHandler
  ) {
    add(method, pattern, bodyLimit, .deferred(handler))
  }

  public func get(_ pattern: String, bodyLimit: Int? = nil, _ handler: @escaping Handler) {
    on(.get, pattern, bodyLimit: bodyLimit, handler)
  }

  public func post(_ pattern: String, bodyLimit: Int? = nil, _ handler: @escaping Handler) {
    on(.post, pattern, bodyLimit: bodyLimit, handler)
  }

  public func put(_ pattern: String, bodyLimit: Int? = nil, _ handler: @escaping Handler) {
    on(.put, pattern, bodyLimit: bodyLimit, handler)
  }

  public func patch(_ pattern: String, bodyLimit: Int? = nil, _ handler: @escaping Handler) {
    on(.patch, pattern, bodyLimit: bodyLimit, handler)
  }

  public func delete(_ pattern: String, bodyLimit: Int? = nil, _ handler: @escaping Handler) {
    on(.delete, pattern, bodyLimit: bodyLimit, handler)
  }

  private func add(
    _ method: HTTPRequest.Method, _ pattern: String, _ bodyLimit: Int?, _ action: Route.Action
  ) {
    let pattern = RoutePattern(pattern)
    routes.insert(
      pattern, method,
      Route(parameterNames: pattern.names, bodyLimit: bodyLimit, action: action))
    if !methods.contains(method) { methods.append(method) }
  }
}

extension Router {
  struct Route {
    enum Action {
      case task(Handler)
      case deferred(DeferredHandler)
    }

    let parameterNames: [String]
    let bodyLimit: Int?
    let action: Action
  }

  enum Routing {
    case route(Route, PathParameters)
    /// No handler's business: this is the answer.
    case answer(Response)
  }

  /// The answer to `OPTIONS *`, which asks about the server as a whole (RFC 9110 §9.3.7).
  var serverOptions: Response { Self.options(methods) }

  /// - Parameter path: as it was sent.
  func route(_ method: HTTPRequest.Method, path: UnsafeRawBufferPointer) -> Routing {
    switch routes.find(method, or: method == .head ? .get : nil, path: path) {
    case .found(let route, let values):
      return .route(route, PathParameters(names: route.parameterNames, values: values))
    case .otherMethods(let allowed) where method == .options:
      return .answer(Self.options(allowed))
    case .otherMethods(let allowed) where isKnown(method):
      return .answer(
        Problem(
          .methodNotAllowed,
          "This path does not take \(method.rawValue); it takes \(Self.allow(allowed)).",
          headers: [.allow: Self.allow(allowed)]
        ).response)
    case .notFound where isKnown(method):
      return .answer(Problem(.notFound, "Nothing is here; look at the path once more.").response)
    case .otherMethods, .notFound:
      return .answer(
        Problem(
          .notImplemented,
          "No resource of this server takes \(Self.shortened(method)); they take "
            + "\(Self.allow(methods))."
        ).response)
    case .malformed:
      return .answer(
        Problem(
          .badRequest,
          "The path cannot be decoded: a percent sign has to be followed by two hexadecimal "
            + "digits, and the whole has to be UTF-8 (RFC 3986 §2.1)."
        ).response)
    }
  }

  private func isKnown(_ method: HTTPRequest.Method) -> Bool {
    Self.standardMethods.contains(method) || methods.contains(method)
  }

  /// RFC 9110 §9.1, and PATCH (RFC 5789). CONNECT is for proxies: here nothing implements it.
  private static let standardMethods: [HTTPRequest.Method] = [
    .get, .head, .post, .put, .delete, .options, .trace, .patch,
  ]

  /// A method's name as it may be shown: any client can send one of thousands of characters.
  private static func shortened(_ method: HTTPRequest.Method) -> String {
    let shown = 40
    let name = method.rawValue
    return name.utf8.count <= shown ? name : name.prefix(shown) + "…"
  }

  private static func options(_ methods: [HTTPRequest.Method]) -> Response {
    Response(status: .noContent, headers: [.allow: allow(methods)])
  }

  /// The value of `Allow` (RFC 9110 §10.2.1): also what the router answers by itself.
  private static func allow(_ methods: [HTTPRequest.Method]) -> String {
    var all: [HTTPRequest.Method] = []
    func add(_ method: HTTPRequest.Method) {
      if !all.contains(method) { all.append(method) }
    }
    for method in methods {
      add(method)
      if method == .get { add(.head) }
    }
    add(.options)
    return all.map(\.rawValue).joined(separator: ", ")
  }
}
