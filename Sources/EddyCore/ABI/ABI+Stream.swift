/// The C configuration in Swift's form, zeros replaced by the defaults; nil if it can't be right.
private func streamConfiguration(
  _ config: UnsafePointer<eddy_stream_config>
) -> StreamConfiguration? {
  guard
    let given = configuration(
      config, size: config.pointee.size, defaults: eddy_stream_config()),
    given.write_high_mark >= 0, given.write_low_mark >= 0
  else { return nil }
  var result = StreamConfiguration()
  result.context = given.context
  result.onConnect = given.on_connect
  result.onRead = given.on_read
  result.onDrain = given.on_drain
  if given.connect_timeout != 0 { result.connectTimeout = given.connect_timeout }
  if given.write_high_mark != 0 { result.writeHighMark = given.write_high_mark }
  result.writeLowMark = given.write_low_mark
  result.idleTimeout = given.idle_timeout
  result.onIdle = given.on_idle
  result.keepAlive = given.keep_alive
  result.delayWrites = given.delay_writes != 0
  if given.attempt_delay != 0 { result.attemptDelay = given.attempt_delay }
  return result
}

/// Whether the configuration's `accepted` says so; an older, shorter one does not.
private func isAccepted(_ config: UnsafePointer<eddy_stream_config>) -> Bool {
  configuration(config, size: config.pointee.size, defaults: eddy_stream_config())?.accepted ?? 0
    != 0
}

@c @implementation
public func eddy_stream_open(
  _ loop: OpaquePointer!, _ fd: Int32, _ config: UnsafePointer<eddy_stream_config>!,
  _ out_stream: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let config, let out_stream, let settings = streamConfiguration(config) else {
    return invalid
  }
  return create(out_stream) { () throws(EddyError) in
    isAccepted(config)
      ? try Stream(loop: handle(loop), accepted: fd, configuration: settings)
      : try Stream(loop: handle(loop), fd: fd, configuration: settings)
  }
}

@c @implementation
public func eddy_stream_connect(
  _ loop: OpaquePointer!, _ address: UnsafePointer<CChar>!,
  _ config: UnsafePointer<eddy_stream_config>!,
  _ out_stream: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let address, let config, let out_stream,
    let settings = streamConfiguration(config)
  else { return invalid }
  return create(out_stream) { () throws(EddyError) in
    try Stream.connect(loop: handle(loop), to: Address(address), configuration: settings)
  }
}

@c @implementation
public func eddy_stream_connect_host(
  _ loop: OpaquePointer!, _ host: UnsafePointer<CChar>!, _ port: Int32,
  _ config: UnsafePointer<eddy_stream_config>!,
  _ out_stream: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let host, let config, let out_stream, let settings = streamConfiguration(config)
  else { return invalid }
  return create(out_stream) { () throws(EddyError) in
    try Stream.connect(loop: handle(loop), to: host, port: Int(port), configuration: settings)
  }
}

@c @implementation
public func eddy_stream_read_start(_ stream: OpaquePointer!) -> Int32 {
  guard let stream else { return invalid }
  return (handle(stream) as Stream).readStart()
}

@c @implementation
public func eddy_stream_read_stop(_ stream: OpaquePointer!) -> Int32 {
  guard let stream else { return invalid }
  (handle(stream) as Stream).readStop()
  return 0
}

@c @implementation
public func eddy_stream_write(
  _ stream: OpaquePointer!, _ data: UnsafeRawPointer!, _ length: Int
) -> Int {
  guard let stream else { return Int(invalid) }
  return Unmanaged<Stream>.fromOpaque(UnsafeRawPointer(stream)).write(data, length)
}

@c @implementation
public func eddy_stream_writev(
  _ stream: OpaquePointer!, _ buffers: UnsafePointer<eddy_buffer>!, _ count: Int
) -> Int {
  guard let stream, buffers != nil || count == 0, count >= 0 else { return Int(invalid) }
  return (handle(stream) as Stream).write(
    buffers: UnsafeBufferPointer(start: buffers, count: count))
}

@c @implementation
public func eddy_stream_write_buffers(
  _ stream: OpaquePointer!, _ buffers: UnsafePointer<eddy_buffer>!, _ count: Int,
  _ done: eddy_write_cb!, _ context: UnsafeMutableRawPointer!
) -> Int {
  guard let stream, let done, buffers != nil || count == 0, count >= 0 else {
    return Int(invalid)
  }
  return (handle(stream) as Stream).write(
    buffers: UnsafeBufferPointer(start: buffers, count: count), context: context, done: done)
}

@c @implementation
public func eddy_stream_sendfile(
  _ stream: OpaquePointer!, _ fd: Int32, _ offset: UInt64, _ length: UInt64,
  _ done: eddy_write_cb!, _ context: UnsafeMutableRawPointer!
) -> Int {
  guard let stream, let done else { return Int(invalid) }
  return (handle(stream) as Stream).sendFile(
    fd, from: offset, count: length, context: context, done: done)
}

@c @implementation
public func eddy_stream_queued(_ stream: OpaquePointer!) -> Int {
  guard let stream else { return Int(invalid) }
  return (handle(stream) as Stream).queued
}

@c @implementation
public func eddy_stream_shutdown(_ stream: OpaquePointer!) -> Int32 {
  guard let stream else { return invalid }
  return (handle(stream) as Stream).shutdown()
}

@c @implementation
public func eddy_stream_fd(_ stream: OpaquePointer!) -> Int32 {
  guard let stream else { return invalid }
  let fd = (handle(stream) as Stream).fd
  return fd >= 0 ? fd : invalid
}

@c @implementation
public func eddy_stream_peer(
  _ stream: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ size: Int
) -> Int32 {
  guard let stream, let buffer, size >= 0 else { return invalid }
  return (handle(stream) as Stream).peer(
    into: UnsafeMutableBufferPointer(start: buffer, count: size))
}

@c @implementation
public func eddy_stream_local(
  _ stream: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ size: Int
) -> Int32 {
  guard let stream, let buffer, size >= 0 else { return invalid }
  return (handle(stream) as Stream).local(
    into: UnsafeMutableBufferPointer(start: buffer, count: size))
}

@c @implementation
public func eddy_stream_set_keep_alive(_ stream: OpaquePointer!, _ silence: UInt64) -> Int32 {
  guard let stream else { return invalid }
  return (handle(stream) as Stream).setKeepAlive(silence)
}

@c @implementation
public func eddy_stream_set_idle_timeout(_ stream: OpaquePointer!, _ timeout: UInt64) -> Int32 {
  guard let stream else { return invalid }
  return (handle(stream) as Stream).setIdleTimeout(timeout)
}

@c @implementation
public func eddy_stream_close(_ stream: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let stream else { return invalid }
  let object: Stream = handle(stream)
  return close(object) { object.close(callback) }
}

@c @implementation
public func eddy_stream_reset(_ stream: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let stream else { return invalid }
  let object: Stream = handle(stream)
  return close(object) { object.reset(callback) }
}
