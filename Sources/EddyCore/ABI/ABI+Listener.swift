/// The C configuration in Swift's form, zeros replaced by the defaults; nil if it can't be right.
private func listenerConfiguration(
  _ config: UnsafePointer<eddy_listener_config>
) -> ListenerConfiguration? {
  guard
    let given = configuration(
      config, size: config.pointee.size, defaults: eddy_listener_config()),
    given.backlog >= 0
  else { return nil }
  var settings = ListenerConfiguration()
  settings.context = given.context
  settings.onAccept = given.on_accept
  settings.onError = given.on_error
  if given.backlog != 0 { settings.backlog = given.backlog }
  settings.reusePort = given.reuse_port != 0
  settings.ipv6Only = given.ipv6_only != 0
  settings.keepAlive = given.keep_alive
  return settings
}

@c @implementation
public func eddy_listener_create(
  _ loop: OpaquePointer!, _ address: UnsafePointer<CChar>!,
  _ config: UnsafePointer<eddy_listener_config>!,
  _ out_listener: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let address, let config, let out_listener,
    let settings = listenerConfiguration(config)
  else { return invalid }
  return create(out_listener) { () throws(EddyError) in
    try Listener(loop: handle(loop), at: Address(address), configuration: settings)
  }
}

@c @implementation
public func eddy_listener_adopt(
  _ loop: OpaquePointer!, _ fd: Int32, _ config: UnsafePointer<eddy_listener_config>!,
  _ out_listener: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let config, let out_listener, let settings = listenerConfiguration(config) else {
    return invalid
  }
  return create(out_listener) { () throws(EddyError) in
    try Listener(loop: handle(loop), adopting: fd, configuration: settings)
  }
}

@c @implementation
public func eddy_listen_fds() -> Int32 {
  do throws(EddyError) {
    return Int32(try Listener.passedDescriptors().count)
  } catch {
    return error.code
  }
}

@c @implementation
public func eddy_listener_address(
  _ listener: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ size: Int
) -> Int32 {
  guard let listener, let buffer, size >= 0 else { return invalid }
  return (handle(listener) as Listener).address(
    into: UnsafeMutableBufferPointer(start: buffer, count: size))
}

@c @implementation
public func eddy_listener_pause(_ listener: OpaquePointer!) -> Int32 {
  guard let listener else { return invalid }
  (handle(listener) as Listener).pause()
  return 0
}

@c @implementation
public func eddy_listener_resume(_ listener: OpaquePointer!) -> Int32 {
  guard let listener else { return invalid }
  let object: Listener = handle(listener)
  guard !object.isClosing else { return code(EDDY_EALREADY) }
  object.resume()
  return 0
}

@c @implementation
public func eddy_listener_close(_ listener: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let listener else { return invalid }
  let object: Listener = handle(listener)
  return close(object) { object.close(callback) }
}
