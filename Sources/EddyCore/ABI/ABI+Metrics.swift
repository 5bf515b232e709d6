@c @implementation
public func eddy_loop_read_metrics(
  _ loop: OpaquePointer!, _ out_metrics: UnsafeMutablePointer<eddy_loop_metrics>!
) -> Int32 {
  guard let loop, let out_metrics else { return invalid }
  let size = out_metrics.pointee.size
  guard size >= MemoryLayout<Int>.size, size <= MemoryLayout<eddy_loop_metrics>.size else {
    return invalid
  }
  let object: Loop = handle(loop)
  var metrics = eddy_loop_metrics()
  metrics.size = size
  metrics.turns = object.turns
  metrics.events = object.events
  metrics.posts = object.postsRun
  metrics.wakes = object.wakes
  metrics.longest_callback = object.longestCallback
  withUnsafeBytes(of: metrics) { bytes in
    UnsafeMutableRawPointer(out_metrics).copyMemory(
      from: bytes.baseAddress.unsafelyUnwrapped, byteCount: size)
  }
  return 0
}

@c @implementation
public func eddy_loop_watch_callbacks(
  _ loop: OpaquePointer!, _ threshold: UInt64, _ callback: eddy_slow_callback_cb!,
  _ context: UnsafeMutableRawPointer!
) -> Int32 {
  guard let loop else { return invalid }
  (handle(loop) as Loop).watchCallbacks(longerThan: threshold, context: context, callback)
  return 0
}
