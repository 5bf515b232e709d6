// Timers, descriptor watchers and signals.

@c @implementation
public func eddy_timer_create(
  _ loop: OpaquePointer!, _ callback: eddy_timer_cb!, _ context: UnsafeMutableRawPointer!,
  _ out_timer: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let callback, let out_timer else { return invalid }
  return create(out_timer) { () throws(EddyError) in
    let loop: Loop = handle(loop)
    guard loop.timers.reserve() else { throw EddyError(EDDY_ENOMEM) }
    return Timer(reservedIn: loop, context: context, callback)
  }
}

@c @implementation
public func eddy_timer_start(_ timer: OpaquePointer!, _ delay: UInt64, _ repeat: UInt64) -> Int32 {
  guard let timer, delay <= Timer.maximumDelay, `repeat` <= Timer.maximumDelay else {
    return invalid
  }
  return with(timer, as: Timer.self) { timer in
    guard !timer.isClosing else { return code(EDDY_EALREADY) }
    timer.start(delay: delay, repeat: `repeat`)
    return 0
  }
}

@c @implementation
public func eddy_timer_stop(_ timer: OpaquePointer!) -> Int32 {
  guard let timer else { return invalid }
  with(timer, as: Timer.self) { $0.stop() }
  return 0
}

@c @implementation
public func eddy_timer_active(_ timer: OpaquePointer!) -> Int32 {
  guard let timer else { return invalid }
  return (handle(timer) as Timer).isActive ? 1 : 0
}

@c @implementation
public func eddy_timer_due(_ timer: OpaquePointer!) -> UInt64 {
  guard let timer else { return 0 }
  return (handle(timer) as Timer).due ?? .max
}

@c @implementation
public func eddy_timer_close(_ timer: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let timer else { return invalid }
  let object: Timer = handle(timer)
  return close(object) { object.close(callback) }
}

@c @implementation
public func eddy_watcher_create(
  _ loop: OpaquePointer!, _ fd: Int32, _ callback: eddy_watcher_cb!,
  _ context: UnsafeMutableRawPointer!, _ out_watcher: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let callback, let out_watcher else { return invalid }
  return create(out_watcher) { () throws(EddyError) in
    try Watcher(loop: handle(loop), fd: fd, context: context, callback)
  }
}

@c @implementation
public func eddy_watcher_start(_ watcher: OpaquePointer!, _ events: Int32) -> Int32 {
  guard let watcher else { return invalid }
  do throws(EddyError) {
    try (handle(watcher) as Watcher).start(events)
    return 0
  } catch {
    return error.code
  }
}

@c @implementation
public func eddy_watcher_stop(_ watcher: OpaquePointer!) -> Int32 {
  guard let watcher else { return invalid }
  with(watcher, as: Watcher.self) { $0.stop() }
  return 0
}

@c @implementation
public func eddy_watcher_close(_ watcher: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let watcher else { return invalid }
  let object: Watcher = handle(watcher)
  return close(object) { object.close(callback) }
}

@c @implementation
public func eddy_signal_create(
  _ loop: OpaquePointer!, _ callback: eddy_signal_cb!, _ context: UnsafeMutableRawPointer!,
  _ out_signal: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let callback, let out_signal else { return invalid }
  return create(out_signal) { () throws(EddyError) in
    Signal(loop: handle(loop), context: context, callback)
  }
}

@c @implementation
public func eddy_signal_start(_ watcher: OpaquePointer!, _ signal_number: Int32) -> Int32 {
  guard let watcher else { return invalid }
  do throws(EddyError) {
    try (handle(watcher) as Signal).start(signal_number)
    return 0
  } catch {
    return error.code
  }
}

@c @implementation
public func eddy_signal_stop(_ watcher: OpaquePointer!) -> Int32 {
  guard let watcher else { return invalid }
  (handle(watcher) as Signal).stop()
  return 0
}

@c @implementation
public func eddy_signal_close(_ watcher: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let watcher else { return invalid }
  let object: Signal = handle(watcher)
  return close(object) { object.close(callback) }
}
