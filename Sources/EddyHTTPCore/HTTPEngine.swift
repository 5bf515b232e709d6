import EddyCore

/// An HTTP/1.1 server on one loop (RFC 9110, RFC 9112).
///
/// It reads and checks requests, hands them to its ``ExchangeHandler``, and writes the answers that
/// it is given, on each connection in the order of the requests. Everything runs on the loop's
/// thread, and every member is for that thread.
public final class HTTPEngine {
  let loop: Loop
  let limits: HTTPLimits
  let handler: any ExchangeHandler
  let dates: DateCache

  /// The head of the request that is being read; one for all connections.
  let head: UnsafeMutablePointer<RequestHead>
  /// What is about to be written to ``outputOwner``; one for all connections, because it is
  /// emptied whenever another connection needs it.
  let output = OutputBuffer()
  private var outputOwner: Unmanaged<Connection>?
  /// Where problem documents are put together.
  let problem = OutputBuffer(capacity: 512)

  let connections = ConnectionTable()
  var listeners: [Listener] = []
  var isAcceptingPaused = false
  private var firstScheduled: Unmanaged<Connection>?
  private var lastScheduled: Unmanaged<Connection>?

  let headDeadlines: DeadlineList
  let idleDeadlines: DeadlineList
  let bodyDeadlines: DeadlineList
  let writeDeadlines: DeadlineList
  let lingerDeadlines: DeadlineList

  /// ``drain(deadline:context:done:)`` was called.
  var isDraining = false
  var drainTimer: Timer?
  var drainCallback: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
  var drainContext: UnsafeMutableRawPointer?
  var isClosed = false

  /// How often accepting has failed, and the last reason, a code of `eddy/error.h`. When
  /// descriptors or memory run out, accepting goes on by itself (see `eddy/listener.h`).
  public internal(set) var acceptErrors: (count: Int, last: Int32) = (0, 0) {
    didSet { onAcceptError?(EddyError(code: acceptErrors.last)) }
  }
  /// Called each time that accepting has failed, so that it can be logged.
  public var onAcceptError: ((EddyError) -> Void)?
  /// Called when the engine is about to answer itself (400, 408, 413, …), before
  /// ``ExchangeHandler/abandoned(_:)``, so that it can be logged: with the status and the bytes of
  /// the content. If the head could not be read, the exchange is one that was answered before, or
  /// has the number 0.
  public var onRefusal: ((Exchange, _ status: Int, _ contentLength: Int) -> Void)?

  /// - Parameters:
  ///   - loop: kept by the engine.
  ///   - handler: kept by the engine until it is freed.
  ///   - serverName: the value of `Server` in every answer, a token (RFC 9110 §10.2.4) of at most
  ///     64 bytes; no such line if it is empty.
  public init(
    loop: Loop, limits: HTTPLimits, handler: any ExchangeHandler, serverName: StaticString = "eddy"
  ) {
    precondition(serverName.utf8CodeUnitCount <= 64, "the server's name is too long")
    let limits = limits.countable
    self.loop = loop
    self.limits = limits
    self.handler = handler
    dates = DateCache(serverName: serverName)
    head = .allocate(capacity: 1)
    head.initialize(to: RequestHead(fieldCapacity: limits.fieldCount))
    headDeadlines = DeadlineList(loop: loop, duration: limits.headTimeout) { $0.headTimedOut() }
    idleDeadlines = DeadlineList(loop: loop, duration: limits.idleTimeout) { $0.idleTimedOut() }
    bodyDeadlines = DeadlineList(loop: loop, duration: limits.bodyRateWindow) {
      $0.bodyWindowEnded()
    }
    writeDeadlines = DeadlineList(loop: loop, duration: limits.writeTimeout) { $0.writeTimedOut() }
    lingerDeadlines = DeadlineList(loop: loop, duration: limits.lingerTimeout) { $0.close() }
  }

  deinit {
    precondition(isClosed, "an HTTPEngine was freed before close()")
    head.deinitialize(count: 1)
    head.deallocate()
  }

  /// How many connections are open, those that are being closed included.
  public var connectionCount: Int { connections.count }

  // MARK: - The output buffer

  /// Makes the output buffer that of a connection; what another one has in it is written first.
  @inline(__always) func claimOutput(_ connection: Connection) {
    if !isOutput(of: connection) { changeOutputOwner(connection) }
  }

  private func changeOutputOwner(_ connection: Connection) {
    flushOutput()
    outputOwner = .passUnretained(connection)
  }

  @inline(__always) func isOutput(of connection: Connection) -> Bool {
    outputOwner?.toOpaque() == Unmanaged.passUnretained(connection).toOpaque()
  }

  /// Writes what was collected, and after it `body`, which isn't copied unless the kernel doesn't
  /// take it.
  func flushOutput(
    with body: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    guard let owner = outputOwner else { return }
    outputOwner = nil
    let count = output.count + body.count
    guard count > 0 else { return }
    owner._withUnsafeGuaranteedRef { connection in
      let queued = connection.stream.write(output.bytes, body)
      output.removeAll()
      connection.wrote(count, queued: queued)
    }
  }

  /// Drops what was collected for a connection that is closed.
  func disownOutput(_ connection: Connection) {
    guard isOutput(of: connection) else { return }
    outputOwner = nil
    output.removeAll()
  }

  /// Has what was collected written before the loop blocks again.
  func scheduleFlush() {
    if let outputOwner { schedule(outputOwner.takeUnretainedValue()) }
  }

  // MARK: - Work that is put off

  /// Has a connection's `attend` called from the loop, in this turn.
  func schedule(_ connection: Connection) {
    guard !connection.isScheduled else { return }
    connection.isScheduled = true
    let retained = Unmanaged.passRetained(connection)
    if let lastScheduled {
      lastScheduled._withUnsafeGuaranteedRef { $0.nextScheduled = retained }
      self.lastScheduled = retained
      return
    }
    firstScheduled = retained
    lastScheduled = retained
    loop.post(
      { context, _ in
        Unmanaged<HTTPEngine>.fromOpaque(context!).takeRetainedValue().attendScheduled()
      }, Unmanaged.passRetained(self).toOpaque())
  }

  private func attendScheduled() {
    var next = firstScheduled
    firstScheduled = nil
    lastScheduled = nil
    while let scheduled = next {
      let connection = scheduled.takeRetainedValue()
      next = connection.nextScheduled
      connection.nextScheduled = nil
      connection.isScheduled = false
      connection.attend()
    }
  }
}
