@c @implementation
public func eddy_loop_create(
  _ config: UnsafePointer<eddy_loop_config>!, _ out_loop: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let out_loop else { return invalid }
  var settings = eddy_loop_config()
  if let config {
    guard let given = configuration(config, size: config.pointee.size, defaults: settings) else {
      return invalid
    }
    settings = given
  }
  do throws(EddyError) {
    let loop = try Loop(
      postBatch: settings.post_batch == 0 ? Loop.defaultPostBatch : settings.post_batch,
      readBufferSize: settings.read_buffer_size == 0
        ? Loop.defaultReadBufferSize : settings.read_buffer_size)
    out_loop.pointee = OpaquePointer(Unmanaged.passRetained(loop).toOpaque())
    return 0
  } catch {
    return error.code
  }
}

@c @implementation
public func eddy_loop_destroy(_ loop: OpaquePointer!) -> Int32 {
  guard let loop else { return invalid }
  let object: Loop = handle(loop)
  do throws(EddyError) {
    try object.destroy()
  } catch {
    return error.code
  }
  Unmanaged.passUnretained(object).release()
  return 0
}

@c @implementation
public func eddy_loop_run(_ loop: OpaquePointer!, _ mode: Int32) -> Int32 {
  guard let loop, let mode = Loop.RunMode(rawValue: mode) else { return invalid }
  let object: Loop = handle(loop)
  do throws(EddyError) {
    return try object.run(mode) ? 1 : 0
  } catch {
    return error.code
  }
}

@c @implementation
public func eddy_loop_stop(_ loop: OpaquePointer!) -> Int32 {
  guard let loop else { return invalid }
  (handle(loop) as Loop).stop()
  return 0
}

@c @implementation
public func eddy_loop_alive(_ loop: OpaquePointer!) -> Int32 {
  guard let loop else { return invalid }
  return (handle(loop) as Loop).isAlive ? 1 : 0
}

@c @implementation
public func eddy_loop_now(_ loop: OpaquePointer!) -> UInt64 {
  guard let loop else { return 0 }
  return with(loop, as: Loop.self) { $0.now }
}

@c @implementation
public func eddy_loop_update_now(_ loop: OpaquePointer!) -> Int32 {
  guard let loop else { return invalid }
  with(loop, as: Loop.self) { $0.updateNow() }
  return 0
}

@c @implementation
public func eddy_loop_post(
  _ loop: OpaquePointer!, _ callback: eddy_post_cb!, _ context: UnsafeMutableRawPointer!
) -> Int32 {
  guard let loop, let callback else { return invalid }
  let isQueued = with(loop, as: Loop.self) { loop in
    loop.tryPost(
      PostedCallback.callOfC, context, unsafeBitCast(callback, to: UnsafeMutableRawPointer.self))
  }
  return isQueued ? 0 : code(EDDY_ENOMEM)
}

@c @implementation
public func eddy_loop_timeout(_ loop: OpaquePointer!) -> UInt64 {
  guard let loop else { return 0 }
  return (handle(loop) as Loop).timeout
}

@c @implementation
public func eddy_loop_fd(_ loop: OpaquePointer!) -> Int32 {
  guard let loop else { return invalid }
  do throws(EddyError) {
    return try (handle(loop) as Loop).descriptor()
  } catch {
    return error.code
  }
}

@c @implementation
public func eddy_loop_fork(_ loop: OpaquePointer!) -> Int32 {
  guard let loop else { return invalid }
  do throws(EddyError) {
    try (handle(loop) as Loop).forked()
    return 0
  } catch {
    return error.code
  }
}
