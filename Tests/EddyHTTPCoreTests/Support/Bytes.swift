@testable import EddyHTTPCore

extension UnsafeRawBufferPointer {
  var text: String { String(decoding: self, as: UTF8.self) }
}

/// Calls with the bytes of a text.
func withBytes<T>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
  let bytes = Array(text.utf8)
  return try bytes.withUnsafeBytes(body)
}

/// A head that was parsed, as values that can be compared.
struct ParsedHead: Equatable {
  var method: Method
  var methodText: String
  var target: String
  var path: String
  var query: String?
  var form: TargetForm
  var host: String
  var minorVersion: UInt8
  var fields: [String]
  var contentLength: Int64?
  var isChunked: Bool
  var expectsContinue: Bool
  var keepsAlive: Bool

  init(_ head: borrowing RequestHead) {
    method = head.method
    methodText = head.methodBytes.text
    target = head.target.text
    path = head.path.text
    query = head.hasQuery ? head.query.text : nil
    form = head.targetForm
    host = head.host.text
    minorVersion = head.minorVersion
    fields = []
    for index in 0..<head.fieldCount {
      let field = head[field: index]
      fields.append("\(field.name.text)=\(field.value.text)")
    }
    contentLength = head.contentLength
    isChunked = head.isChunked
    expectsContinue = head.expectsContinue
    keepsAlive = head.keepsAlive
  }
}

enum ParseResult: Equatable {
  case head(ParsedHead, length: Int)
  case incomplete
  case refused(RequestError)

  var head: ParsedHead? { if case .head(let head, _) = self { head } else { nil } }
  var error: RequestError? { if case .refused(let error) = self { error } else { nil } }
}

func parse(_ text: String, limits: HTTPLimits = HTTPLimits()) -> ParseResult {
  var head = RequestHead(fieldCapacity: limits.fieldCount)
  return withBytes(text) { bytes in
    switch head.parse(bytes, limits) {
    case .complete(let length): .head(ParsedHead(head), length: length)
    case .incomplete: .incomplete
    case .refused(let error): .refused(error)
    }
  }
}

/// The head of a GET with these field lines, complete.
func parse(fields: String..., version: String = "1.1", host: Bool = true) -> ParseResult {
  let lines = fields.map { $0 + "\r\n" }.joined()
  return parse("POST / HTTP/\(version)\r\n" + (host ? "Host: a\r\n" : "") + lines + "\r\n")
}
