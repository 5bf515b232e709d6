import Eddy
import EddyHTTP
import Logging
import Synchronization

/// A server on a loop of its own, and what a test wants to know of it.
final class TestServer: Sendable {
  let loop: EventLoop
  let address: String
  let server: LoopBound<HTTPServer>
  let log: Log
  private let thread: EventLoopThread

  /// - Parameter routes: called on the loop's thread.
  init(
    limits: HTTPLimits = HTTPLimits(), trustedProxies: TrustedProxies = .none,
    accessLog: AccessLog? = nil, _ routes: @escaping @Sendable (Router, EventLoop) -> Void
  ) async throws {
    let thread = try EventLoopThread()
    let loop = thread.loop
    let log = Log()
    (address, server) = try await loop.submit {
      let router = Router()
      routes(router, loop)
      let logger = Logger(label: "test") { _ in LogRecorder(log: log) }
      let server = HTTPServer(
        loop: loop, router: router, limits: limits, trustedProxies: trustedProxies,
        accessLog: accessLog, logger: logger)
      return (try server.listen(on: "127.0.0.1:0"), LoopBound(server, loop: loop))
    }
    self.thread = thread
    self.loop = loop
    self.log = log
  }

  deinit {
    loop.execute { [server] in server.value.close() }
    thread.stop()
  }

  func client() throws -> RawClient {
    try RawClient(address)
  }

  /// Waits for `condition`, at most 5 s.
  func eventually(_ condition: @escaping @Sendable () -> Bool) async throws -> Bool {
    for _ in 0..<500 {
      if condition() { return true }
      try await loop.sleep(for: .milliseconds(10))
    }
    return condition()
  }
}

/// What happened, in order; any thread.
final class Log: Sendable {
  private let kept = Mutex<[String]>([])
  var entries: [String] { kept.withLock { $0 } }

  func append(_ entry: String) {
    kept.withLock { $0.append(entry) }
  }
}

/// Puts a logger's messages and metadata into a log.
struct LogRecorder: LogHandler {
  let log: Log
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    log.append("\(event.level) \(event.message) \(event.metadata ?? [:])")
  }
}
