/// A request's method (RFC 9110 §9.3, RFC 5789).
public enum Method: UInt8, Equatable, Sendable {
  case get, head, post, put, delete, connect, options, trace, patch
  /// One that the engine has no name for; ``RequestHead/methodBytes`` has its name.
  case other

  /// Methods are case-sensitive (RFC 9110 §9.1).
  init(_ bytes: UnsafePointer<UInt8>, count: Int) {
    self =
      switch count {
      case 3:
        if equal(bytes, "GET") { .get } else if equal(bytes, "PUT") { .put } else { .other }
      case 4:
        if equal(bytes, "POST") { .post } else if equal(bytes, "HEAD") { .head } else { .other }
      case 5:
        if equal(bytes, "PATCH") { .patch } else if equal(bytes, "TRACE") { .trace } else { .other }
      case 6:
        equal(bytes, "DELETE") ? .delete : .other
      case 7:
        if equal(bytes, "OPTIONS") {
          .options
        } else if equal(bytes, "CONNECT") {
          .connect
        } else {
          .other
        }
      default:
        .other
      }
  }
}
