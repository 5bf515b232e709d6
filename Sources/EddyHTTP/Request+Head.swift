import EddyHTTPCore
import HTTPTypes

extension Request {
  /// Copies a head that the engine shows.
  init(_ view: borrowing RequestHead, method: HTTPRequest.Method, exchange: Responder) {
    var fields: [FieldRanges] = []
    fields.reserveCapacity(view.fieldCount)
    for index in 0..<view.fieldCount { fields.append(view.fieldRanges(index)) }
    self.init(
      method: method, minorVersion: Int(view.minorVersion),
      head: HeadBytes(
        bytes: Array(view.bytes), path: view.pathRange,
        query: view.hasQuery ? view.queryRange : nil, host: view.hostRange, fields: fields),
      exchange: exchange)
  }
}

extension HTTPRequest.Method {
  /// The method of a head.
  init(_ head: borrowing RequestHead) {
    switch head.method {
    case .get: self = .get
    case .head: self = .head
    case .post: self = .post
    case .put: self = .put
    case .delete: self = .delete
    case .connect: self = .connect
    case .options: self = .options
    case .trace: self = .trace
    case .patch: self = .patch
    case .other:
      // The engine has seen to it that it is a token, which is all that this initialiser asks.
      self = HTTPRequest.Method(String(decoding: head.methodBytes, as: UTF8.self)) ?? .get
    }
  }
}
