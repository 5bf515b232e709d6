import Eddy
import EddyHTTP
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ServerLifetimeTests {
  /// Keeps what a handler was given, as one does that answers later.
  private final class Kept: Sendable {
    let responders = Mutex<[Responder]>([])
  }

  private func serve(_ thread: EventLoopThread) async throws {
    let loop = thread.loop
    let (address, server) = try await loop.submit {
      let kept = Kept()
      let router = Router()
      router.onDeferred(.get, "/later") { _, responder in
        kept.responders.withLock { $0.append(responder) }
      }
      let server = HTTPServer(loop: loop, router: router)
      return (try server.listen(on: "127.0.0.1:0"), LoopBound(server, loop: loop))
    }
    let client = try RawClient(address)
    try client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
    while try await loop.submit({ server.value.connectionCount }) == 0 {
      try await Task.sleep(for: .milliseconds(1))
    }
    thread.stop()
  }

  @Test func aServerThatOutlivesItsLoopsThreadIsLetGo() async throws {
    weak var loop: EventLoop?
    do {
      let thread = try EventLoopThread()
      loop = thread.loop
      try await serve(thread)
    }
    #expect(loop == nil)
  }
}
