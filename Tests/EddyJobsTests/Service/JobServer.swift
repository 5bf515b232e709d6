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
  // Unchecked, because `server` and `service` are touched on the loop's thread only.
  let thread: EventLoopThread
  let port: UInt16
  private let server: HTTPServer
  private let service: JobService
  let pool: WorkPool
  private var isStopped = false

  var loop: EventLoop { thread.loop }

  init(
    store: any JobStore = MemoryStore(), poolQueue: Int = 1_024,
    tasks: @escaping @Sendable (EventLoop) -> [TaskDefinition] = { BuiltinTasks.all(loop: $0) },
    configure: @escaping @Sendable (inout JobsConfiguration) -> Void = { _ in }
  ) throws {
    let thread = try EventLoopThread()
    let loop = thread.loop
    let parts = try wait(on: loop) {
      var logger = Logger(label: "test")
      logger.logLevel = .critical
      var configuration = JobsConfiguration()
      // Waits are exact here, so that tests can tell early from late.
      configuration.waitJitter = 0
      configure(&configuration)
      let pool = try WorkPool(loop: loop, threads: 2, queueCapacity: poolQueue)
      let service = try JobService(
        loop: loop, store: store, tasks: tasks(loop), configuration: configuration, pool: pool,
        logger: logger)
      let router = Router()
      service.install(on: router)
      try await service.start()
      let server = HTTPServer(loop: loop, router: router, logger: logger)
      let address = try server.listen(on: "127.0.0.1:0")
      return LoopBound((service, server, pool, address), loop: loop)
    }
    (service, server, pool, port) = try wait(on: loop) {
      let (service, server, pool, address) = parts.value
      return Parts(service, server, pool, UInt16(address.split(separator: ":").last!)!)
    }.tuple
    self.thread = thread
  }

  private struct Parts: @unchecked Sendable {
    let tuple: (JobService, HTTPServer, WorkPool, UInt16)
    init(_ service: JobService, _ server: HTTPServer, _ pool: WorkPool, _ port: UInt16) {
      tuple = (service, server, pool, port)
    }
  }

  var statistics: JobStatistics {
    let service = service
    return try! wait(on: loop) { service.statistics }
  }

  func drain(within limit: Duration) {
    let service = service
    try! wait(on: loop) { await service.drain(within: limit) }
  }

  /// Begins to drain, and does not wait for it.
  func beginDrain(within limit: Duration) {
    let service = service
    Task(executorPreference: loop) { await service.drain(within: limit) }
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
    let (service, server, pool) = (service, LoopConfined(server), pool)
    try! wait(on: loop) {
      await service.drain(within: .zero)
      server.value.close()
      await pool.close()
    }
    thread.stop()
  }

  deinit { stop() }

  private struct LoopConfined<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }
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
