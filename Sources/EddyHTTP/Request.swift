import HTTPTypes

/// A request whose head and body have arrived.
///
/// A value that owns what it holds: keep it as long as you like, on any thread. Its parts are
/// decoded when they are asked for; keep what you ask for twice.
public struct Request: Sendable {
  public let method: HTTPRequest.Method
  /// 0 or 1, of HTTP/1.0 or HTTP/1.1. A later minor version counts as 1 (RFC 9110 §2.5).
  public let minorVersion: Int
  /// The values of the route's `{name}` segments.
  public internal(set) var parameters = PathParameters()
  /// The content, whole; within the route's limit.
  public internal(set) var body: [UInt8]

  let head: HeadBytes
  let exchange: Responder?
  /// What a trusted proxy says of the client.
  var forwarded: ForwardedClient?

  init(
    method: HTTPRequest.Method, minorVersion: Int, head: HeadBytes, body: [UInt8] = [],
    exchange: Responder?
  ) {
    self.method = method
    self.minorVersion = minorVersion
    self.head = head
    self.body = body
    self.exchange = exchange
  }

  /// A request that came over no connection, to call a handler with.
  ///
  /// - Parameter target: path and query, percent-encoded.
  public init(
    method: HTTPRequest.Method = .get, target: String, headers: HTTPFields = [:],
    body: [UInt8] = [], parameters: [String: String] = [:]
  ) {
    self.init(
      method: method, minorVersion: 1, head: HeadBytes(target: target, headers: headers),
      body: body, exchange: nil)
    self.parameters = PathParameters(
      names: Array(parameters.keys), values: Array(parameters.values))
  }

  /// The path, as it was sent: not decoded.
  public var path: String { head.text(head.path) }

  /// The host, and the port if it was sent, that the request is for: the target's when that has
  /// one, else the Host field's (RFC 9112 §3.2.2). Empty in an HTTP/1.0 request without Host.
  public var authority: String { head.text(head.host) }

  /// The query, decoded; empty if there is none.
  public var query: Query {
    Query(bytes: head.query.map { head[$0] } ?? [])
  }

  /// The value of a field; nil if it was not sent. Where it was sent in several lines, they are
  /// combined with commas (RFC 9110 §5.3).
  public func header(_ name: HTTPField.Name) -> String? {
    head.value(of: name)
  }

  /// The client's address as text, such as `127.0.0.1:40112`, or `unix:`. Behind a trusted proxy
  /// (``TrustedProxies``) it is the address that the proxy names, with the port only if the proxy
  /// names that too; else it is the connection's, and nil once the request has been answered.
  ///
  /// - Precondition: called on the loop's thread.
  public var remoteAddress: String? { forwarded?.address ?? exchange?.remoteAddress }

  /// The scheme that the client has used: `http`, or `https` if a trusted proxy says so.
  public var scheme: String { forwarded?.scheme ?? "http" }

  /// Every field, in the order in which they were sent. It is made anew each time: for one field,
  /// ``header(_:)`` costs less.
  public var headers: HTTPFields {
    var fields = HTTPFields()
    for field in head.fields {
      guard let name = HTTPField.Name(head.text(field.name)) else { continue }
      fields.append(HTTPField(name: name, value: head[field.value]))
    }
    return fields
  }
}
