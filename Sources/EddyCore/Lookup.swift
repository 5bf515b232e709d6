import CLibev

/// What a lookup may be told.
public struct LookupConfiguration {
  public var context: UnsafeMutableRawPointer?
  /// Required. The C header `eddy/lookup.h` documents it.
  public var onDone: eddy_lookup_cb?
  /// One of `EDDY_FAMILY_…`.
  public var family = code(EDDY_FAMILY_ANY)
  /// Nanoseconds until `EDDY_ETIMEDOUT`.
  public var timeout: UInt64 = 30 * EDDY_SECOND

  public init() {}
}

/// A lookup of the addresses of a host name with getaddrinfo(3). The loop's thread.
public final class Lookup: Handle {
  /// The longest name (RFC 1035, section 2.3.4: 255 bytes on the wire), in bytes of text.
  static let maximumNameLength = 253

  private let onDone: eddy_lookup_cb
  /// nil for an address as text, which no thread is asked for.
  private let threads: LookupThreads?
  /// nil once `onDone` has been called, or never will be.
  private var request: UnsafeMutablePointer<LookupRequest>?
  private var deadline: TimerNode
  private var timer: UnsafeMutablePointer<TimerNode> {
    @inline(__always) get { withUnsafeMutablePointer(to: &deadline) { $0 } }
  }

  /// Starts a lookup.
  /// - Parameters:
  ///   - host: a name, or an address as text without brackets.
  ///   - port: 0 to 65,535, for the addresses.
  /// - Throws: `EDDY_EINVAL`; `EDDY_ENAMETOOLONG`; `EDDY_EAGAIN` if the system gives no thread;
  ///   `EDDY_ENOMEM`.
  public convenience init(
    loop: Loop, host: UnsafePointer<CChar>, port: Int, configuration: LookupConfiguration
  ) throws(EddyError) {
    guard let onDone = configuration.onDone, let port = UInt16(exactly: port),
      host.pointee != 0, configuration.timeout <= Timer.maximumDelay
    else { throw EddyError(EDDY_EINVAL) }
    guard strnlen(host, Self.maximumNameLength + 1) <= Self.maximumNameLength else {
      throw EddyError(EDDY_ENAMETOOLONG)
    }
    let family = try Self.family(configuration.family)
    guard loop.timers.reserve() else { throw EddyError(EDDY_ENOMEM) }
    let request: UnsafeMutablePointer<LookupRequest>
    let threads: LookupThreads?
    do throws(EddyError) {
      (request, threads) = try Self.ask(loop, host, port, family)
    } catch {
      loop.timers.giveUpReservation()
      throw error
    }
    self.init(
      loop: loop, request, threads, context: configuration.context, onDone,
      timeout: configuration.timeout)
  }

  private init(
    loop: Loop, _ request: UnsafeMutablePointer<LookupRequest>, _ threads: LookupThreads?,
    context: UnsafeMutableRawPointer?, _ onDone: @escaping eddy_lookup_cb, timeout: UInt64
  ) {
    self.onDone = onDone
    self.request = request
    self.threads = threads
    deadline = TimerNode { lookup in
      Unmanaged<Lookup>.fromOpaque(lookup)._withUnsafeGuaranteedRef { $0.timeIsUp() }
    }
    super.init(loop: loop, context: context, forbidsFork: true)
    // An answer that has come already waits for the loop's thread, on which this runs.
    request.pointee.lookup = Unmanaged.passUnretained(self)
    deadline.owner = Unmanaged.passUnretained(self).toOpaque()
    loop.start(timer, at: Loop.due(after: timeout))
  }

  /// - Returns: the request, and who is at it: nil if the answer is known, and on its way.
  private static func ask(
    _ loop: Loop, _ host: UnsafePointer<CChar>, _ port: UInt16, _ family: Int32
  ) throws(EddyError) -> (UnsafeMutablePointer<LookupRequest>, LookupThreads?) {
    guard let request = LookupRequest.allocate(host: host, port: port, family: family) else {
      throw EddyError(EDDY_ENOMEM)
    }
    if LookupRequest.resolveNumeric(request) {
      LookupRequest.post(request, to: .passUnretained(loop))
      return (request, nil)
    }
    do throws(EddyError) {
      let threads = try loop.lookupThreads()
      try threads.submit(request)
      return (request, threads)
    } catch {
      LookupRequest.free(request)
      throw error
    }
  }

  private static func family(_ family: Int32) throws(EddyError) -> Int32 {
    switch Int(family) {
    case EDDY_FAMILY_ANY: AF_UNSPEC
    case EDDY_FAMILY_IPV4: AF_INET
    case EDDY_FAMILY_IPV6: AF_INET6
    default: throw EddyError(EDDY_EINVAL)
    }
  }

  /// Whether it still waits for its answer.
  public var isRunning: Bool { request != nil }

  /// Ends the lookup. If `onDone` has not been called, it never will be.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    loop.stop(timer)
    loop.timers.giveUpReservation()
    if let request { giveUp(request) }
    beginClosing(callback, context)
    finishClosing()
  }

  private func giveUp(_ request: UnsafeMutablePointer<LookupRequest>) {
    self.request = nil
    if let threads {
      threads.giveUp(request)
    } else {
      request.pointee.isGivenUp = true
    }
  }

  private func timeIsUp() {
    // An answer that is on its way comes in time.
    guard let request, let threads, !threads.isAnswered(request) else { return }
    giveUp(request)
    tell(code(EDDY_ETIMEDOUT), nil, 0)
  }

  /// An answer has come to the loop's thread.
  static func deliver(_ request: UnsafeMutableRawPointer?) {
    let request = request.unsafelyUnwrapped.assumingMemoryBound(to: LookupRequest.self)
    if !request.pointee.isGivenUp, let lookup = request.pointee.lookup {
      lookup._withUnsafeGuaranteedRef { lookup in
        lookup.request = nil
        lookup.loop.stop(lookup.timer)
        lookup.tell(
          request.pointee.status, request.pointee.addresses, request.pointee.count)
      }
    }
    LookupRequest.free(request)
  }

  private func tell(
    _ status: Int32, _ addresses: UnsafePointer<eddy_address>?, _ count: Int
  ) {
    loop.dispatch(.lookup, onDone, context) {
      onDone(opaque, status, addresses, count, context)
    }
  }
}

extension Loop {
  /// - Throws: `EDDY_ENOMEM`.
  fileprivate func lookupThreads() throws(EddyError) -> LookupThreads {
    if let lookups { return lookups }
    let threads = try LookupThreads(loop: self)
    lookups = threads
    return threads
  }
}
