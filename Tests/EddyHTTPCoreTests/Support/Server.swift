import CLibev
import EddyCore
import Testing

@testable import EddyHTTPCore

/// Records what the engine tells, and answers as a test wants it to.
final class Recorder: ExchangeHandler {
  enum Event: Equatable {
    case head(String)
    case body([UInt8])
    case end
    case abandoned
    case writable
  }

  private(set) var events: [Event] = []
  private(set) var exchanges: [Exchange] = []
  private(set) var heads: [ParsedHead] = []
  var policy = BodyPolicy.accept(limit: .max)
  var onHead: (HTTPEngine, Exchange) -> Void = { _, _ in }
  var onBody: (HTTPEngine, Exchange) -> Void = { _, _ in }
  /// By default a complete request is answered with 200 and its target as body.
  var onEnd: (HTTPEngine, Exchange) -> Void = { _, _ in }
  var onWritable: (HTTPEngine, Exchange) -> Void = { _, _ in }
  private unowned(unsafe) var engine: HTTPEngine! = nil

  init() {
    onEnd = { [unowned self] engine, exchange in
      engine.respond(exchange, body: heads[heads.count - 1].target)
    }
  }

  /// Bodies of consecutive calls are joined, so that records of differently split input are equal.
  private func record(_ event: Event) {
    if case .body(let more) = event, case .body(let bytes)? = events.last {
      events[events.count - 1] = .body(bytes + more)
    } else {
      events.append(event)
    }
  }

  func receivedHead(
    _ exchange: Exchange, _ head: borrowing RequestHead, _ engine: HTTPEngine
  ) -> BodyPolicy {
    self.engine = engine
    record(.head(head.methodBytes.text + " " + head.target.text))
    exchanges.append(exchange)
    heads.append(ParsedHead(head))
    onHead(engine, exchange)
    return policy
  }

  func receivedBody(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {
    record(.body(Array(bytes)))
    onBody(engine, exchange)
  }

  func receivedEnd(_ exchange: Exchange) {
    record(.end)
    onEnd(engine, exchange)
  }

  func abandoned(_ exchange: Exchange) { record(.abandoned) }

  func writable(_ exchange: Exchange) {
    record(.writable)
    onWritable(engine, exchange)
  }
}

extension HTTPEngine {
  @discardableResult func respond(
    _ exchange: Exchange, status: Int = 200, fields: String = "", body: String = ""
  ) -> Bool {
    withBytes(fields) { fields in
      withBytes(body) { respond(exchange, status: status, fields: fields, body: $0) }
    }
  }

  @discardableResult func begin(
    _ exchange: Exchange, status: Int = 200, length: Int64? = nil
  ) -> Bool {
    begin(
      exchange, status: status, fields: UnsafeRawBufferPointer(start: nil, count: 0),
      contentLength: length)
  }

  @discardableResult func write(_ exchange: Exchange, _ text: String) -> WriteResult {
    withBytes(text) { write(exchange, $0) }
  }
}

/// An engine on a loop that the test turns itself, and clients at the other ends of socket pairs:
/// no threads, and no wait except for deadlines.
final class Server {
  let loop: Loop
  let recorder = Recorder()
  let engine: HTTPEngine

  init(_ limits: HTTPLimits = HTTPLimits()) throws {
    loop = try Loop()
    engine = HTTPEngine(loop: loop, limits: limits, handler: recorder)
  }

  deinit {
    engine.close()
    turn()
    try? loop.destroy()
  }

  var events: [Recorder.Event] { recorder.events }

  /// Turns the loop until nothing is left to do at once.
  func turn(_ times: Int = 6) {
    for _ in 0..<times { _ = try? loop.run(.nowait) }
  }

  /// Turns the loop until something is true, for two seconds at most.
  @discardableResult func wait(_ isTrue: () -> Bool) -> Bool {
    for _ in 0..<2000 {
      turn(1)
      if isTrue() { return true }
      usleep(1000)
    }
    return false
  }

  func connect() -> Client {
    var fds: [Int32] = [0, 0]
    let result = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &fds)
    precondition(result == 0)
    engine.adopt(fd: fds[0])
    return Client(fd: fds[1], server: self)
  }

  /// A TCP connection to `127.0.0.1:port`; nil if it is refused.
  func connect(to address: String) -> Client? {
    let port = UInt16(address.components(":")[1])!
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        CLibev.connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      _ = CLibev.close(fd)
      return nil
    }
    _ = clibev_fcntl_set(fd, F_SETFL, O_NONBLOCK)
    turn()
    return Client(fd: fd, server: self)
  }

  /// Sends one connection's bytes, and gives back all that it answers.
  func answer(_ text: String) -> String {
    let client = connect()
    client.send(text)
    return client.receive()
  }
}

final class Client {
  let fd: Int32
  private let server: Server
  private(set) var hasEnded = false
  private var isClosed = false

  init(fd: Int32, server: Server) {
    self.fd = fd
    self.server = server
  }

  deinit { close() }

  func close() {
    if !isClosed { _ = CLibev.close(fd) }
    isClosed = true
  }

  /// Ends this side.
  func finish() { _ = shutdown(fd, Int32(SHUT_WR)) }

  /// Sends as much as the socket takes, turning the loop so that it takes all.
  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    var attempts = 0
    while !rest.isEmpty, attempts < 1000 {
      let count = rest.withUnsafeBytes { EddyHTTPCoreTests.send(fd, $0) }
      if count > 0 { rest = rest.dropFirst(count) } else { attempts += 1 }
      server.turn(1)
    }
    server.turn()
  }

  /// What has been answered so far.
  func receive() -> String { String(decoding: receiveBytes(), as: UTF8.self) }

  func receiveBytes() -> [UInt8] {
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      server.turn(2)
      let count = read(fd, &buffer, buffer.count)
      if count > 0 { received += buffer[..<count] }
      if count == 0 { hasEnded = true }
      if count <= 0 { return received }
    }
  }

  /// Waits until the server ends its side; gives back what came before.
  func receiveAll() -> String {
    var received = receive()
    server.wait {
      received += receive()
      return hasEnded
    }
    return received
  }
}

/// send(2) without a signal.
func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  CLibev.send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
}

/// The status of the first answer in a text, 0 without one.
func status(_ answer: String) -> Int {
  let parts = answer.split(separator: " ", maxSplits: 2)
  return parts.count > 1 && parts[0] == "HTTP/1.1" ? Int(parts[1]) ?? 0 : 0
}

/// All statuses in a text of answers whose bodies have no line that begins with "HTTP/".
func statuses(_ answers: String) -> [Int] {
  answers.components("HTTP/1.1 ").dropFirst().compactMap { Int($0.prefix(3)) }
}

extension String {
  /// Everything between occurrences of a text.
  func components(_ separator: String) -> [String] {
    var parts: [String] = []
    var part: [UInt8] = []
    let bytes = Array(utf8)
    let mark = Array(separator.utf8)
    var index = 0
    while index < bytes.count {
      if bytes[index...].starts(with: mark) {
        parts.append(String(decoding: part, as: UTF8.self))
        part = []
        index += mark.count
      } else {
        part.append(bytes[index])
        index += 1
      }
    }
    return parts + [String(decoding: part, as: UTF8.self)]
  }
}
