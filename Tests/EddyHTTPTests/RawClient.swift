import Dispatch
import Glibc

/// Runs what blocks on a thread of its own: Swift's few threads are for what does not.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
{
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
  }
}

/// A client that sends what it is told, byte for byte.
///
/// Unchecked, because a test uses its clients one call after the other.
final class RawClient: @unchecked Sendable {
  struct Answer: Equatable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  struct Failure: Error {
    let reason: String
  }

  private var fd: Int32
  private var received: [UInt8] = []

  /// - Parameter address: `127.0.0.1:port`.
  init(_ address: String) throws {
    guard let port = address.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw Failure(reason: "\(address) has no port")
    }
    fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var peer = sockaddr_in()
    peer.sin_family = sa_family_t(AF_INET)
    peer.sin_port = port.bigEndian
    peer.sin_addr.s_addr = inet_addr("127.0.0.1")
    let status = withUnsafeBytes(of: &peer) {
      connect(
        fd, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    // The descriptor is closed by deinit, which runs also when this throws.
    guard status == 0 else {
      throw Failure(reason: "connect: \(String(cString: strerror(errno)))")
    }
    // No test waits longer than this for anything.
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit {
    close()
  }

  func close() {
    if fd >= 0 { Glibc.close(fd) }
    fd = -1
  }

  /// Closes with a reset.
  func reset() {
    var abort = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// Ends this side only.
  func endSending() {
    shutdown(fd, Int32(SHUT_WR))
  }

  func send(_ text: String) throws {
    try send(Array(text.utf8))
  }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(fd, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Failure(reason: "send: \(String(cString: strerror(errno)))") }
      sent += count
    }
  }

  /// Sends a request and reads its answer.
  func request(
    _ method: String = "GET", _ target: String, fields: [String] = [], body: [UInt8]? = nil
  ) async throws -> Answer {
    var lines = ["\(method) \(target) HTTP/1.1", "Host: test"] + fields
    if let body { lines.append("Content-Length: \(body.count)") }
    let head = lines.joined(separator: "\r\n") + "\r\n\r\n"
    return try await blocking { [self] in
      try send(head)
      if let body { try send(body) }
      return try readAnswer(hasBody: method != "HEAD")
    }
  }

  /// Reads the next answer.
  func answer(hasBody: Bool = true) async throws -> Answer {
    try await blocking { [self] in try readAnswer(hasBody: hasBody) }
  }

  /// Reads to the end of the connection.
  func rest() async throws -> [UInt8] {
    try await blocking { [self] in try readRest() }
  }

  /// Reads `count` bytes.
  func take(_ count: Int) async throws -> [UInt8] {
    try await blocking { [self] in try read(count) }
  }

  private func readAnswer(hasBody: Bool) throws -> Answer {
    var answer = try head()
    while answer.status < 200 { answer = try head() }
    guard hasBody, answer.status != 204, answer.status != 304 else { return answer }
    if let length = answer.headers["content-length"].flatMap({ Int($0) }) {
      answer.body = try read(length)
    } else if answer.headers["transfer-encoding"] == "chunked" {
      answer.body = try chunks()
    } else {
      answer.body = try readRest()
    }
    return answer
  }

  private func readRest() throws -> [UInt8] {
    while try receive() {}
    defer { received = [] }
    return received
  }

  private func read(_ count: Int) throws -> [UInt8] {
    while received.count < count {
      guard try receive() else { throw Failure(reason: "The connection ended in mid-answer.") }
    }
    defer { received.removeFirst(count) }
    return Array(received.prefix(count))
  }

  private func head() throws -> Answer {
    let lines = try linesOfHead()
    let status = Int(lines[0].dropFirst("HTTP/1.1 ".count).prefix(3)) ?? 0
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { throw Failure(reason: "not a field line: \(line)") }
      headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    return Answer(status: status, headers: headers, body: [])
  }

  private func linesOfHead() throws -> [String] {
    var lines: [String] = []
    while true {
      let line = try line()
      if line.isEmpty { return lines }
      lines.append(line)
    }
  }

  private func line() throws -> String {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        let line = received[..<end].filter { $0 != UInt8(ascii: "\r") }
        received.removeFirst(end + 1)
        return String(decoding: line, as: UTF8.self)
      }
      guard try receive() else { throw Failure(reason: "The connection ended.") }
    }
  }

  private func chunks() throws -> [UInt8] {
    var body: [UInt8] = []
    while true {
      guard let size = Int(try line(), radix: 16) else { throw Failure(reason: "no chunk size") }
      if size == 0 {
        guard try line().isEmpty else { throw Failure(reason: "trailers") }
        return body
      }
      body += try read(size)
      guard try line().isEmpty else { throw Failure(reason: "a chunk without its end") }
    }
  }

  /// False at the end of the connection.
  private func receive() throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(fd, &buffer, buffer.count, 0)
    guard count >= 0 else { throw Failure(reason: "recv: \(String(cString: strerror(errno)))") }
    received += buffer[..<count]
    return count > 0
  }
}
