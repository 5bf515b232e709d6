import Dispatch
import Eddy
import EddyHTTP
import Glibc
import Logging

@testable import EddyJobs

/// A job server on a loop of its own, reached over real sockets.
///
/// Its methods block, so that its tests need no thread of Swift's pool.
final class JobServer: @unchecked Sendable {
  // Unchecked, because only the test's thread has it.
  let thread: EventLoopThread
  private let parts: Parts
  private var isStopped = false

  var loop: EventLoop { thread.loop }
  var port: UInt16 { parts.port }

  private final class Parts: @unchecked Sendable {
    // Unchecked, because `server` and `service` are touched on the loop's thread only.
    var server: HTTPServer?
    let service: JobService
    let pool: WorkPool
    let port: UInt16

    init(_ server: HTTPServer, _ service: JobService, _ pool: WorkPool, _ address: String) {
      (self.server, self.service, self.pool) = (server, service, pool)
      port = UInt16(address.split(separator: ":").last!)!
    }
  }

  init(
    store: any JobStore = MemoryStore(), poolQueue: Int = 1_024,
    tasks: @escaping @Sendable (EventLoop) -> [TaskDefinition] = { BuiltinTasks.all(loop: $0) },
    configure: @escaping @Sendable (inout JobsConfiguration) -> Void = { _ in }
  ) throws {
    let thread = try EventLoopThread()
    let loop = thread.loop
    parts = try wait(on: loop) {
      var logger = Logger(label: "test")
      logger.logLevel = .critical
      var configuration = JobsConfiguration()
      // Waits are exact here, so that tests can tell early from late.
      configuration.waitJitter = 0
      configure(&configuration)
      let pool = try WorkPool(loop: loop, threads: 2, queueCapacity: poolQueue)
      let service: JobService
      do {
        service = try JobService(
          loop: loop, store: store, tasks: tasks(loop), configuration: configuration, pool: pool,
          logger: logger)
      } catch {
        await pool.close()
        throw error
      }
      let router = Router()
      service.install(on: router)
      try await service.start()
      let server = HTTPServer(loop: loop, router: router, logger: logger)
      let address = try server.listen(on: "127.0.0.1:0")
      return Parts(server, service, pool, address)
    }
    self.thread = thread
  }

  var statistics: JobStatistics {
    let parts = parts
    return try! wait(on: loop) { parts.service.statistics }
  }

  func drain(within limit: Duration) {
    let parts = parts
    try! wait(on: loop) { await parts.service.drain(within: limit) }
  }

  /// Begins to drain, and does not wait for it.
  func beginDrain(within limit: Duration) {
    let parts = parts
    Task(executorPreference: loop) { await parts.service.drain(within: limit) }
  }

  func client() throws -> RawClient { try RawClient(port: port) }

  /// One request on a connection of its own.
  func request(
    _ method: String, _ target: String, headers: [String: String] = [:], body: String? = nil
  ) throws -> RawResponse {
    let client = try client()
    try client.send(method, target, headers: headers, body: body)
    return try client.receive()
  }

  /// Submits, and gives the job's path.
  func submit(_ task: String, _ body: String, headers: [String: String] = [:]) throws -> String {
    let response = try request("POST", "/tasks/\(task)", headers: headers, body: body)
    guard response.status == 202, let location = response["location"] else {
      throw Unexpected(value: response)
    }
    return location
  }

  /// Looks until `condition` holds; false if it does not within 5 s.
  func eventually(_ condition: (JobStatistics) -> Bool) -> Bool {
    for _ in 0..<500 {
      if condition(statistics) { return true }
      usleep(10_000)
    }
    return condition(statistics)
  }

  func stop() {
    guard !isStopped else { return }
    isStopped = true
    let parts = parts
    try! wait(on: loop) {
      await parts.service.drain(within: .zero)
      parts.server?.close()
      parts.server = nil
      await parts.pool.close()
    }
    // The server's last words are said on the loop.
    try! wait(on: loop) {}
    thread.stop()
  }

  deinit { stop() }
}

/// Runs `body` as a task on the loop and blocks this thread, which is not the loop's, until its end.
func wait<Value: Sendable>(
  on loop: EventLoop, _ body: @escaping @Sendable () async throws -> Value
) throws -> Value {
  let outcome = Outcome<Value>()
  Task(executorPreference: loop) {
    do {
      outcome.result = .success(try await body())
    } catch {
      outcome.result = .failure(error)
    }
    outcome.isThere.signal()
  }
  outcome.isThere.wait()
  return try outcome.result!.get()
}

private final class Outcome<Value>: @unchecked Sendable {
  // Unchecked: written before the semaphore is signalled, read after.
  var result: Result<Value, any Error>?
  let isThere = DispatchSemaphore(value: 0)
}
