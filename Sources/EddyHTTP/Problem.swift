import HTTPTypes

/// What went wrong with a request, for its sender: a problem document (RFC 9457).
///
/// Throw it from a handler, or answer its ``response``. `detail` is read by a person: say what was
/// wrong, with which value, and what would be right.
///
/// ```swift
/// throw Problem(.badRequest, "wait=abc is not a number of seconds; write wait=0 to wait=180.")
/// ```
public struct Problem: Error, Sendable, Equatable {
  /// A member that RFC 9457 §3.2 lets a problem type add.
  public enum Value: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
  {
    case string(String)
    case integer(Int)
    case boolean(Bool)

    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
  }

  /// The status of the answer, and the document's `status`.
  public var status: HTTPResponse.Status
  /// A URI reference that names the kind of problem. `about:blank`: the status says it all
  /// (RFC 9457 §4.2.1).
  public var type: String
  /// A short summary, the same each time the type occurs; by default the status's reason phrase.
  public var title: String
  /// What went wrong this time.
  public var detail: String?
  /// A URI reference that names this occurrence.
  public var instance: String?
  /// Further members. One that has the name of a member of the standard is left out.
  public var extensions: [String: Value]
  /// Fields that the answer carries besides, such as `Retry-After` or `Allow`.
  public var headers: HTTPFields

  public init(
    _ status: HTTPResponse.Status, _ detail: String? = nil, type: String = "about:blank",
    title: String? = nil, instance: String? = nil, extensions: [String: Value] = [:],
    headers: HTTPFields = [:]
  ) {
    self.status = status
    self.type = type
    self.title = title ?? Self.reasonPhrase(of: status)
    self.detail = detail
    self.instance = instance
    self.extensions = extensions
    self.headers = headers
  }

  /// The document, as JSON in UTF-8. Extensions come in the order of their names.
  public var document: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(160 + (detail?.utf8.count ?? 0))
    bytes.append(contentsOf: "{\"type\":".utf8)
    JSONText.append(type, to: &bytes)
    bytes.append(contentsOf: ",\"title\":".utf8)
    JSONText.append(title, to: &bytes)
    bytes.append(contentsOf: ",\"status\":\(status.code)".utf8)
    if let detail {
      bytes.append(contentsOf: ",\"detail\":".utf8)
      JSONText.append(detail, to: &bytes)
    }
    if let instance {
      bytes.append(contentsOf: ",\"instance\":".utf8)
      JSONText.append(instance, to: &bytes)
    }
    for (name, value) in extensions.sorted(by: { $0.key < $1.key })
    where !Self.standardMembers.contains(name) {
      bytes.append(UInt8(ascii: ","))
      JSONText.append(name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      switch value {
      case .string(let string): JSONText.append(string, to: &bytes)
      case .integer(let integer): bytes.append(contentsOf: "\(integer)".utf8)
      case .boolean(let boolean): bytes.append(contentsOf: "\(boolean)".utf8)
      }
    }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  /// The answer: the document as `application/problem+json`, with ``headers``.
  public var response: Response {
    var fields = headers
    fields[.contentType] = "application/problem+json"
    return Response(status: status, headers: fields, body: .bytes(document))
  }

  private static let standardMembers: Set = ["type", "title", "status", "detail", "instance"]

  private static func reasonPhrase(of status: HTTPResponse.Status) -> String {
    if !status.reasonPhrase.isEmpty { return status.reasonPhrase }
    // A status made from a number alone has no phrase.
    return standardErrors.first { $0 == status }?.reasonPhrase ?? "Status \(status.code)"
  }

  private static let standardErrors: [HTTPResponse.Status] = [
    .badRequest, .unauthorized, .forbidden, .notFound, .methodNotAllowed, .notAcceptable,
    .requestTimeout, .conflict, .gone, .lengthRequired, .preconditionFailed, .contentTooLarge,
    .uriTooLong, .unsupportedMediaType, .rangeNotSatisfiable, .expectationFailed,
    .misdirectedRequest, .unprocessableContent, .tooEarly, .upgradeRequired,
    .preconditionRequired, .tooManyRequests, .requestHeaderFieldsTooLarge,
    .unavailableForLegalReasons, .internalServerError, .notImplemented, .badGateway,
    .serviceUnavailable, .gatewayTimeout, .httpVersionNotSupported,
  ]
}
