@c @implementation
public func eddy_pool_create(
  _ loop: OpaquePointer!, _ config: UnsafePointer<eddy_pool_config>!,
  _ out_pool: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let out_pool else { return invalid }
  var settings = eddy_pool_config()
  if let config {
    guard let given = configuration(config, size: config.pointee.size, defaults: settings) else {
      return invalid
    }
    settings = given
  }
  // A size_t that is no Int is out of every range.
  guard settings.threads <= Pool.maximumThreads, settings.queue_capacity >= 0 else {
    return invalid
  }
  return create(out_pool) { () throws(EddyError) in
    try Pool(
      loop: handle(loop),
      threads: settings.threads == 0 ? Pool.defaultThreads : settings.threads,
      queueCapacity: settings.queue_capacity == 0
        ? Pool.defaultQueueCapacity : settings.queue_capacity)
  }
}

@c @implementation
public func eddy_pool_submit(
  _ pool: OpaquePointer!, _ work: eddy_work_cb!, _ done: eddy_done_cb!,
  _ context: UnsafeMutableRawPointer!
) -> Int32 {
  guard let pool, let work else { return invalid }
  return (handle(pool) as Pool).submit(work: work, done: done, context: context)
}

@c @implementation
public func eddy_pool_submit_work(
  _ pool: OpaquePointer!, _ work: eddy_work_cb!, _ done: eddy_done_cb!,
  _ context: UnsafeMutableRawPointer!, _ out_work: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let pool, let work, let out_work else { return invalid }
  return (handle(pool) as Pool).submit(
    work: work, done: done, context: context, accepted: out_work)
}

@c @implementation
public func eddy_work_cancel(_ work: OpaquePointer!) -> Int32 {
  guard let work else { return invalid }
  return Pool.cancel(work)
}

@c @implementation
public func eddy_pool_waiting(_ pool: OpaquePointer!) -> Int32 {
  guard let pool else { return invalid }
  return Int32(clamping: (handle(pool) as Pool).waiting)
}

@c @implementation
public func eddy_pool_close(
  _ pool: OpaquePointer!, _ callback: eddy_close_cb!, _ context: UnsafeMutableRawPointer!
) -> Int32 {
  guard let pool else { return invalid }
  let object: Pool = handle(pool)
  return close(object) { object.close(callback, context: context) }
}
