import EddyHTTPCore
import FoundationEssentials
import HTTPTypes

/// A regular file that is open for reading, closed when nobody holds it any more.
public typealias OpenFile = EddyHTTPCore.OpenFile

/// The answer to a request.
///
/// The server itself writes `Date`, `Server`, `Connection`, `Content-Length` and
/// `Transfer-Encoding`; what a handler sets of these is left out. Of an answer to HEAD only the
/// head is sent; one with status 204 or 304 has no body (RFC 9110 §15.3.5, §15.4.5).
public struct Response: Sendable {
  /// The content of an answer.
  public enum Body: Sendable {
    /// Nothing, with `Content-Length: 0`.
    case empty
    case bytes([UInt8])
    /// Text, sent in UTF-8.
    case string(String)
    /// Written piece by piece. With a `length` (bytes) it is sent with a `Content-Length`, and
    /// what is written has to be exactly that much; without one it is chunked.
    ///
    /// The function runs as a task on the loop's thread, and is cancelled when the client goes
    /// away. If it throws, the connection is closed so that the client sees that the answer is not
    /// whole. For HEAD it does not run.
    case stream(length: Int64? = nil, @Sendable (BodyWriter) async throws -> Void)
    /// A part of a file, sent by the kernel (sendfile(2)) and so in bounded memory: `range` in bytes
    /// from the file's start, all of which it has to have.
    case file(OpenFile, range: Range<Int64>)
    /// Parts one after the other, with their lengths' sum as `Content-Length`.
    case segments([Segment])

    /// A part of an answer's content.
    public enum Segment: Sendable {
      case bytes([UInt8])
      /// As ``Response/Body/file(_:range:)``.
      case file(OpenFile, range: Range<Int64>)
    }
  }

  public var status: HTTPResponse.Status
  public var headers: HTTPFields
  public var body: Body

  public init(
    status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: Body = .empty
  ) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// `text` as `text/plain; charset=utf-8`.
  public static func text(
    _ text: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    response(status, headers, type: "text/plain; charset=utf-8", .string(text))
  }

  /// `bytes` with a content type, by default `application/octet-stream`.
  public static func bytes(
    _ bytes: [UInt8], contentType: String = "application/octet-stream",
    status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    response(status, headers, type: contentType, .bytes(bytes))
  }

  /// `value` as `application/json`, its keys in order and its dates as RFC 3339 text.
  ///
  /// - Throws: `EncodingError` of `value`'s own `encode(to:)`.
  public static func json(
    _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    let bytes = [UInt8](try encoder.encode(value))
    return response(status, headers, type: "application/json", .bytes(bytes))
  }

  private static func response(
    _ status: HTTPResponse.Status, _ headers: HTTPFields, type: String, _ body: Body
  ) -> Response {
    var headers = headers
    headers[.contentType] = type
    return Response(status: status, headers: headers, body: body)
  }
}
