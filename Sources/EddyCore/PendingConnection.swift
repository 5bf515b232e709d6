import CLibev

/// What a stream needs only until it is connected, in memory of its own.
struct PendingConnection {
  let callback: eddy_stream_connect_cb
  /// Nil until the stream has been made.
  var stream: Unmanaged<Stream>?
  /// Ends all attempts; or reports an outcome that was known at once.
  var timer: TimerNode
  /// That outcome; otherwise the timer means that time is up.
  var immediateStatus: Int32?
  let configuration: StreamConfiguration
  /// The lookup of a host's addresses, and then the attempts to connect to one of them.
  var lookup: Unmanaged<Lookup>?
  var race: ConnectionRace?

  /// - Throws: `EDDY_EINVAL` without `onConnect`; `EDDY_ENOMEM`.
  static func make(
    _ loop: Loop, _ configuration: StreamConfiguration
  ) throws(EddyError) -> UnsafeMutablePointer<PendingConnection> {
    guard let callback = configuration.onConnect else { throw EddyError(EDDY_EINVAL) }
    guard loop.timers.reserve() else { throw EddyError(EDDY_ENOMEM) }
    guard let memory = malloc(MemoryLayout<PendingConnection>.size) else {
      loop.timers.giveUpReservation()
      throw EddyError(EDDY_ENOMEM)
    }
    let pending = memory.bindMemory(to: PendingConnection.self, capacity: 1)
    pending.initialize(
      to: PendingConnection(
        callback: callback,
        timer: TimerNode(owner: memory) { pending in
          pending.assumingMemoryBound(to: PendingConnection.self).pointee.stream?
            ._withUnsafeGuaranteedRef { $0.connectTimerFired() }
        }, configuration: configuration))
    return pending
  }

  /// Ends what still runs.
  static func free(_ pending: UnsafeMutablePointer<PendingConnection>, _ loop: Loop) {
    loop.stop(&pending.pointee.timer)
    loop.timers.giveUpReservation()
    pending.pointee.lookup?._withUnsafeGuaranteedRef { $0.close() }
    pending.pointee.race?.cancel()
    pending.deinitialize(count: 1)
    CLibev.free(pending)
  }
}
