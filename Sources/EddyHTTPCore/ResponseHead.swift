/// How the end of an answer's body is told (RFC 9112 §6).
enum ResponseFraming: Equatable {
  /// No body and no field about one.
  case none
  case length(Int)
  case chunked
  /// The connection's end is the body's.
  case close
}

/// What `Connection` says (RFC 9112 §9.3): nothing where the version's default is meant.
enum ConnectionOption {
  case none
  case close
  case keepAlive
}

extension OutputBuffer {
  /// Longest of what `appendHead` writes itself: status line, server and date, framing, connection.
  private static var maximumOwnBytes: Int { 320 }

  /// Writes an answer's head.
  ///
  /// - Parameters:
  ///   - serverAndDate: complete lines; at most 128 bytes.
  ///   - fields: complete lines.
  func appendHead(
    status: Int, framing: ResponseFraming, connection: ConnectionOption,
    serverAndDate: UnsafeRawBufferPointer, fields: UnsafeRawBufferPointer
  ) {
    reserve(Self.maximumOwnBytes + fields.count)
    if status == 200 {
      appendUnchecked("HTTP/1.1 200 OK\r\n")
    } else {
      appendUnchecked("HTTP/1.1 ")
      appendUnchecked(decimal: status)
      appendUnchecked(ASCII.space)
      appendUnchecked(Status.reason(status))
      appendUnchecked("\r\n")
    }
    appendUnchecked(serverAndDate)
    switch framing {
    case .length(let count):
      appendUnchecked("Content-Length: ")
      appendUnchecked(decimal: count)
      appendUnchecked("\r\n")
    case .chunked:
      appendUnchecked("Transfer-Encoding: chunked\r\n")
    case .none, .close:
      break
    }
    switch connection {
    case .none: break
    case .close: appendUnchecked("Connection: close\r\n")
    case .keepAlive: appendUnchecked("Connection: keep-alive\r\n")
    }
    appendUnchecked(fields)
    appendUnchecked("\r\n")
  }

  /// Writes the problem document (RFC 9457) that the engine answers a refused request with.
  func appendProblem(_ error: RequestError) {
    append("{\"type\":\"about:blank\",\"title\":\"")
    append(Status.reason(error.status))
    append("\",\"status\":")
    reserve(3)
    appendUnchecked(decimal: error.status)
    append(",\"detail\":\"")
    append(error.detail)
    append("\"}\n")
  }
}
