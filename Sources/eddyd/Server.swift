import Eddy
import EddyCore
import EddyHTTP
import EddyJobs
import Glibc
import Logging

/// The program at work: from listening to the end of a graceful stop.
///
/// Confined to the loop's thread.
struct Server {
  let settings: Settings
  let loop: EventLoop
  let logger: Logger

  /// Serves until a stop signal (``StopSignals``), and returns when the stop is complete.
  ///
  /// - Throws: ``ListenError``; `AccessLog.OpenFailure`; `JobsConfigurationError`; `EddyError` where the system gives no
  ///   threads or descriptors.
  func run() async throws {
    for remark in settings.remarks { logger.warning("\(remark)") }
    let descriptors = DescriptorLimit.raised(logger: logger)

    let tasks = builtinTasks + settings.tasks
    let pool = try WorkPool(
      loop: loop, threads: settings.threads,
      queueCapacity: tasks.reduce(WorkPool.leastQueue) { $0 + $1.concurrency })
    let jobs = try JobService(
      loop: loop, store: MemoryStore(limits: settings.store), tasks: tasks,
      configuration: settings.jobs, pool: pool,
      logger: logger)
    let router = Router()
    jobs.install(on: router)
    for folder in settings.folders { router.files(folder.prefix, folder.files) }
    try await jobs.start()

    // Before the first client can see the server, so that a signal can't come too early.
    let stop = try StopSignals(loop: loop, logger: logger)
    let accessLog = try settings.accessLog.map {
      try AccessLog($0.destination, format: $0.format, logger: logger)
    }
    // Before it can come: its default would end the program.
    reopen(accessLog, on: try loop.signals(SIGUSR1))
    var limits = settings.limits
    limits.connections =
      settings.connections
      ?? descriptors.connections(
        besides: settings.tasks.reduce(0) { $0 + $1.concurrency },
        // Each may be getting a file.
        descriptorsEach: settings.folders.isEmpty ? 1 : 2)
    let server = HTTPServer(
      loop: loop, router: router, limits: limits, trustedProxies: settings.trustedProxies,
      accessLog: accessLog, logger: logger)
    try listen(server)
    logger.info("tasks", metadata: ["names": .array(tasks.map { .string($0.name) })])

    await stop.first()
    await drain(server, jobs)
    if jobs.statistics.running == 0 { await pool.close() }
    if let accessLog, !accessLog.close() {
      logger.warning("the last lines of the access log could not be written")
    }
    logger.notice("stopped")
  }

  /// Opens the access log anew at each signal: logrotate has renamed the file.
  private func reopen(_ log: AccessLog?, on signals: AsyncStream<Int32>) {
    Task(executorPreference: loop) {
      for await _ in signals { log?.reopen() }
    }
  }

  private var builtinTasks: [TaskDefinition] {
    settings.builtins.map { builtin in
      var task =
        switch builtin {
        case .sleep: BuiltinTasks.sleep(on: loop)
        case .sha256: BuiltinTasks.sha256
        }
      task.bodyLimit = min(task.bodyLimit, settings.limits.body)
      return task
    }
  }

  private func listen(_ server: HTTPServer) throws {
    for address in settings.addresses {
      let numeric: [String]
      do {
        numeric = try address.resolved()
      } catch {
        throw ListenError(address: address.text, reason: "\(error)")
      }
      for text in numeric {
        do {
          let actual = try server.listen(on: text)
          logger.notice(
            "listening on \(actual.hasPrefix("unix:") ? actual : "http://\(actual)")")
        } catch {
          throw ListenError(address: text, reason: error.message, code: Int(error.code))
        }
      }
    }
  }

  /// Held polls are answered at once; what runs may end within the time.
  private func drain(_ server: HTTPServer, _ jobs: JobService) async {
    let statistics = jobs.statistics
    logger.notice(
      "stopping: what runs may end first",
      metadata: [
        "running": "\(statistics.running)", "waiting": "\(statistics.waiting)",
        "within": "\(settings.drain)",
      ])
    // It answers the polls before it waits for anything, and so before the server closes what is
    // idle.
    let drained = Task.immediate(executorPreference: loop) { [limit = settings.drain] in
      await jobs.drain(within: limit)
    }
    await server.drain(within: settings.drain)
    await drained.value
  }
}

extension WorkPool {
  /// Room for the works of a task that go on past their time limit, and so hold a thread but no slot.
  fileprivate static let leastQueue = 64
}

/// An address that can't be listened on: which, why, and what may help.
struct ListenError: Error, CustomStringConvertible {
  let address: String
  let reason: String
  var code = 0

  var description: String {
    let advice =
      switch code {
      case EDDY_EADDRINUSE where address.hasPrefix("unix:"):
        "; stop what listens there, remove the file if it is no socket, or choose another path"
      case EDDY_EADDRINUSE: "; stop what listens there, or choose another with --port"
      case EDDY_EACCES where !address.hasPrefix("unix:"):
        "; ports below 1024 take a privilege: choose another with --port"
      default: ""
      }
    return "cannot listen on \(address): \(reason)\(advice)"
  }
}
