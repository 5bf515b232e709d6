import CLibev
import EddyHTTPCore

/// The clients' ends of connections to an engine.
struct Clients {
  static var maximum: Int { 4 }
  /// Bytes of a send buffer that is soon full; the kernel doubles it (socket(7)).
  private static var smallSendBuffer: Int32 { 4096 }
  /// What a client may send without writing it out.
  private static var texts: [StaticString] {
    [
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n",
      "0\r\n\r\n", "GET / HTTP/1.1\r\nHo", "st: a\r\n\r\n", "\r\n", "bad\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n", "0123456789abcdef",
    ]
  }

  private struct Client {
    let fd: Int32
    var hasReceived = false
  }

  private var clients: [Client] = []

  mutating func connect(to engine: HTTPEngine, hasSmallBuffer: Bool) {
    guard clients.count < Self.maximum else { return }
    var fds: [Int32] = [0, 0]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
    require(socketpair(AF_UNIX, type, 0, &fds) == 0, "socketpair failed")
    if hasSmallBuffer {
      var size = Self.smallSendBuffer
      setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    clients.append(Client(fd: fds[1]))
    engine.adopt(fd: fds[0])
  }

  func send(_ number: Int, text: Int, times: Int = 1) {
    let text = Self.texts[text % Self.texts.count]
    for _ in 0..<times {
      send(number, UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
  }

  /// What the socket doesn't take is lost: the engine gets half a request.
  func send(_ number: Int, _ bytes: UnsafeBufferPointer<UInt8>) {
    guard let fd = client(number)?.fd else { return }
    _ = CLibev.send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
  }

  func end(_ number: Int) {
    guard let fd = client(number)?.fd else { return }
    _ = shutdown(fd, Int32(SHUT_WR))
  }

  mutating func close(_ number: Int) {
    guard !clients.isEmpty else { return }
    _ = CLibev.close(clients.remove(at: number % clients.count).fd)
  }

  mutating func receive(_ number: Int) {
    guard !clients.isEmpty else { return }
    let index = number % clients.count
    let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
      let count = read(clients[index].fd, buffer.baseAddress, buffer.count)
      let start = buffer.prefix(max(0, min(count, 9)))
      require(
        clients[index].hasReceived || "HTTP/1.1 ".utf8.starts(with: start),
        "what was answered first isn't a status line")
      return count
    }
    if count > 0 { clients[index].hasReceived = true }
  }

  mutating func closeAll() {
    for client in clients { _ = CLibev.close(client.fd) }
    clients = []
  }

  private func client(_ number: Int) -> Client? {
    clients.isEmpty ? nil : clients[number % clients.count]
  }
}
