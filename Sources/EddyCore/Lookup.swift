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
  private var deadline = ev_timer()
  @inline(__always)
  private var timer: UnsafeMutablePointer<ev_timer> {
    withUnsafeMutablePointer(to: &deadline) { $0 }
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
    guard let request = LookupRequest.allocate(host: host, port: port, family: family) else {
      throw EddyError(EDDY_ENOMEM)
    }
    var threads: LookupThreads?
    if LookupRequest.resolveNumeric(request) {
      request.pointee.progress = .answered
    } else {
      do throws(EddyError) {
        threads = try Self.submit(request, loop)
      } catch {
        LookupRequest.free(request)
        throw error
      }
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
    super.init(loop: loop, context: context)
    // An answer that has come already waits for the loop's thread, on which this runs.
    request.pointee.lookup = Unmanaged.passUnretained(self)
    clibev_timer_init(
      timer,
      { _, timer, _ in
        let data = timer.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Lookup>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.timerFired() }
      }, 0, 0)
    timer.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    loop.start(timer, delay: threads == nil ? 0 : timeout)
  }

  private static func family(_ family: Int32) throws(EddyError) -> Int32 {
    switch Int(family) {
    case EDDY_FAMILY_ANY: AF_UNSPEC
    case EDDY_FAMILY_IPV4: AF_INET
    case EDDY_FAMILY_IPV6: AF_INET6
    default: throw EddyError(EDDY_EINVAL)
    }
  }

  private static func submit(
    _ request: UnsafeMutablePointer<LookupRequest>, _ loop: Loop
  ) throws(EddyError) -> LookupThreads {
    let threads: LookupThreads
    if let present = loop.lookups {
      threads = present
    } else {
      threads = try LookupThreads(loop: loop)
      loop.lookups = threads
    }
    try threads.submit(request)
    return threads
  }

  /// Whether it still waits for its answer.
  public var isRunning: Bool { request != nil }

  /// Ends the lookup. If `onDone` has not been called, it never will be.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    loop.stop(timer)
    if let request { giveUp(request) }
    request = nil
    beginClosing(callback, context)
    finishClosing()
  }

  /// An answer has come to the loop's thread.
  static func deliver(_ request: UnsafeMutableRawPointer?) {
    let request = request.unsafelyUnwrapped.assumingMemoryBound(to: LookupRequest.self)
    if !request.pointee.isGivenUp {
      request.pointee.lookup?._withUnsafeGuaranteedRef { $0.finish(request) }
    }
    LookupRequest.free(request)
  }

  /// The time is up, or the answer was known from the start.
  private func timerFired() {
    loop.watcherHasStopped()
    guard let request else { return }
    if threads?.isAnswered(request) ?? true {
      finish(request)
    } else {
      finish(nil)
    }
    giveUp(request)
  }

  private func giveUp(_ request: UnsafeMutablePointer<LookupRequest>) {
    if let threads {
      threads.giveUp(request)
    } else {
      LookupRequest.free(request)
    }
  }

  /// - Parameter answer: nil when the time is up. It outlives the callback.
  private func finish(_ answer: UnsafeMutablePointer<LookupRequest>?) {
    loop.stop(timer)
    request = nil
    let status = answer?.pointee.status ?? code(EDDY_ETIMEDOUT)
    let addresses = status == 0 ? answer?.pointee.addresses : nil
    let count = status == 0 ? answer?.pointee.count ?? 0 : 0
    loop.dispatch(.lookup, onDone, context) {
      onDone(opaque, status, addresses, count, context)
    }
  }
}
