import Eddy
import EddyCore
import EddyHTTP
import Logging

/// Takes jobs over HTTP, runs them, and answers whoever waits for them.
///
/// ```swift
/// let service = try JobService(
///   loop: loop, store: MemoryStore(), tasks: [.function("shout") { context in … }], pool: pool,
///   logger: logger)
/// service.install(on: router)
/// try await service.start()
/// ```
///
/// The store is the truth: the service keeps of a job only what it needs to run it or to wait for
/// it, and believes no wake without reading.
///
/// Confined to the loop's thread: `init`, its methods, and the tasks that call them run there. It has
/// to be drained before it is let go.
public final class JobService: @unchecked Sendable {
  // Unchecked, because it is confined to the loop's thread; the tasks that it starts prefer the loop.

  let loop: EventLoop
  let store: any JobStore
  let configuration: JobsConfiguration
  let pool: WorkPool
  let logger: Logger
  /// This worker.
  let owner = WorkerID()
  let runners: [String: TaskRunner]

  var waiters = Waiters()
  var running: [JobID: Attempt] = [:]
  /// Attempts that have not come to an end, among them those whose outcome is decided already.
  var unfinished: [ObjectIdentifier: Attempt] = [:]
  let deadlines: DeadlineQueue
  var counted = JobStatistics()
  var jitter = JitterSource()

  var isDraining = false
  /// The time to finish is over while draining: nothing is begun any more.
  var isGivingBack = false
  /// When draining stops waiting for what runs, by the loop's clock.
  var drainDeadline = UInt64.max
  var isClosed = false
  var isDetached = false
  var isClaiming = false
  var isSweeping = false
  /// Some task is held back.
  var isAnyHeldBack = false
  /// Whether the store's last call failed: it is logged once, and its recovery once.
  var isStoreDown = false
  private var sweepTimer: Timer?

  /// - Parameters:
  ///   - store: this worker's connection, not attached yet.
  ///   - pool: where functions run. Its queue is best as long as their concurrencies add up to.
  /// - Throws: ``JobsConfigurationError``.
  public init(
    loop: EventLoop, store: any JobStore, tasks: [TaskDefinition],
    configuration: JobsConfiguration = JobsConfiguration(), pool: WorkPool, logger: Logger
  ) throws(JobsConfigurationError) {
    loop.preconditionOnLoop()
    if let flaw = configuration.flaw() { throw JobsConfigurationError(flaw) }
    var runners: [String: TaskRunner] = [:]
    for task in tasks {
      if let flaw = task.flaw() { throw JobsConfigurationError(flaw) }
      guard runners.updateValue(TaskRunner(task), forKey: task.name) == nil else {
        throw JobsConfigurationError("there are two tasks named '\(task.name)'")
      }
    }
    self.loop = loop
    self.store = store
    self.configuration = configuration
    self.pool = pool
    self.logger = logger
    self.runners = runners
    deadlines = DeadlineQueue(loop: loop)
  }

  /// What was done so far, and what is under way.
  public var statistics: JobStatistics {
    loop.preconditionOnLoop()
    var statistics = counted
    statistics.waiting = waiters.count
    statistics.running = unfinished.count
    return statistics
  }

  /// Attaches to the store, and begins to take jobs.
  ///
  /// - Throws: the store's error; then nothing was started.
  public func start() async throws(StoreError) {
    loop.preconditionOnLoop()
    let loop = loop
    try await store.attach(
      WorkerAttachment(
        owner: owner, lease: configuration.lease,
        resultTimeToLive: configuration.resultTimeToLive,
        tombstoneTimeToLive: configuration.tombstoneTimeToLive,
        maximumCrashes: configuration.maximumCrashes,
        onWake: { [weak self] wake in
          guard let self else { return }
          loop.execute { self.receive(wake) }
        }))
    // The timer's reference is given back when it is closed.
    let context = Unmanaged.passRetained(self).toOpaque()
    let timer = Timer(loop: loop.core, context: context) { _, context in
      Unmanaged<JobService>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue().sweep()
    }
    let interval = configuration.sweepInterval.clampedNanoseconds
    timer.start(delay: interval, repeat: interval)
    sweepTimer = timer
    refill()
  }

  /// Ends the timers and the lease. Last.
  func close() async {
    guard !isClosed else { return }
    isClosed = true
    if let sweepTimer {
      self.sweepTimer = nil
      sweepTimer.close()
      Unmanaged.passUnretained(self).release()
    }
    deadlines.close()
    await store.detach()
    isDetached = true
  }

  /// Starts a task on the loop's thread, at once.
  @discardableResult
  func spawn(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    Task.immediate(executorPreference: loop) { await body() }
  }

  // MARK: The store's health

  func storeFailed(_ error: StoreError) {
    counted.storeErrors += 1
    if !isStoreDown {
      isStoreDown = true
      logger.error("the job store failed", metadata: ["error": "\(error)"])
    }
  }

  func storeWorked() {
    if isStoreDown {
      isStoreDown = false
      logger.notice("the job store works again")
    }
  }
}

/// A configuration that cannot work.
public struct JobsConfigurationError: Error, CustomStringConvertible {
  /// Which value is wrong, and what would be right.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Random enough to spread polls, and cheaper than the kernel's: SplitMix64.
struct JitterSource: RandomNumberGenerator {
  private var state = UInt64.random(in: .min ... .max)

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
