import Foundation

/// A blocking HTTP client on a bare socket, which can also break off in any way.
final class RawClient {
  private var socket: Int32
  private var received: [UInt8] = []

  struct Failure: Error {
    let what: String
  }

  /// No test waits longer for a byte.
  static let patience = 20

  init(port: UInt16) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Failure(what: "connect: \(errno)") }
  }

  deinit { close() }

  func close() {
    guard socket >= 0 else { return }
    Glibc.close(socket)
    socket = -1
  }

  /// Ends the connection by a reset.
  func reset() {
    var now = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  func send(
    _ method: String, _ target: String, headers: [String: String] = [:], body: String? = nil
  ) throws {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: test\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
    try write(text + "\r\n" + (body ?? ""))
  }

  func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Failure(what: "send: \(errno)") }
      sent += count
    }
  }

  /// Whether nothing comes for so long.
  func isSilent(milliseconds: Int32) -> Bool {
    var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    return received.isEmpty && Glibc.poll(&poll, 1, milliseconds) == 0
  }

  func receive(toHead isHead: Bool = false) throws -> RawResponse {
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) { head.append(try next()) }
    let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
    guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw Failure(what: "no status line: \(lines[0])")
    }
    var response = RawResponse(status: status, headers: [:], body: [])
    for line in lines.dropFirst() where !line.isEmpty {
      let parts = line.split(separator: ":", maxSplits: 1)
      response.headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    if isHead || status == 204 || status == 304 { return response }
    if let length = response["content-length"].flatMap({ Int($0) }) {
      for _ in 0..<length { response.body.append(try next()) }
    } else if response["transfer-encoding"] == "chunked" {
      while true {
        var line = ""
        while !line.hasSuffix("\r\n") { line.unicodeScalars.append(UnicodeScalar(try next())) }
        guard let size = Int(line.trimmingCharacters(in: .whitespacesAndNewlines), radix: 16)
        else { throw Failure(what: "no chunk size: \(line)") }
        for _ in 0..<size { response.body.append(try next()) }
        _ = (try next(), try next())
        if size == 0 { break }
      }
    }
    return response
  }

  private var position = 0

  private func next() throws -> UInt8 {
    if position == received.count {
      position = 0
      received = [UInt8](repeating: 0, count: 65_536)
      let count = recv(socket, &received, received.count, 0)
      received.removeLast(received.count - max(0, count))
      guard count > 0 else { throw Failure(what: count == 0 ? "end of stream" : "recv: \(errno)") }
    }
    position += 1
    defer {
      if position == received.count {
        received = []
        position = 0
      }
    }
    return received[position - 1]
  }
}

struct RawResponse: Sendable {
  var status: Int
  /// Names in lowercase.
  var headers: [String: String]
  var body: [UInt8]

  subscript(name: String) -> String? { headers[name] }
  var text: String { String(decoding: body, as: UTF8.self) }

  /// A member of a JSON body.
  func member(_ name: String) -> Any? {
    let object = try? JSONSerialization.jsonObject(with: Data(body))
    return (object as? [String: Any])?[name]
  }

  func string(_ name: String) -> String? { member(name) as? String }
  func integer(_ name: String) -> Int? { member(name) as? Int }

  /// Whether it is a problem document (RFC 9457) of this status that says something.
  func isProblem(_ status: Int, type: String? = nil) -> Bool {
    self.status == status && self["content-type"] == "application/problem+json"
      && integer("status") == status && string("title")?.isEmpty == false
      && (type == nil || string("type") == "/problems/\(type!)")
  }
}
