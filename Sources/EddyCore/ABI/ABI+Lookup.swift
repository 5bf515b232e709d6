@c @implementation
public func eddy_lookup_start(
  _ loop: OpaquePointer!, _ host: UnsafePointer<CChar>!, _ port: Int32,
  _ config: UnsafePointer<eddy_lookup_config>!, _ out_lookup: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let host, let config, let out_lookup,
    let given = configuration(config, size: config.pointee.size, defaults: eddy_lookup_config())
  else { return invalid }
  var settings = LookupConfiguration()
  settings.context = given.context
  settings.onDone = given.on_done
  settings.family = given.family
  if given.timeout != 0 { settings.timeout = given.timeout }
  return create(out_lookup) { () throws(EddyError) in
    try Lookup(loop: handle(loop), host: host, port: Int(port), configuration: settings)
  }
}

@c @implementation
public func eddy_lookup_close(_ lookup: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let lookup else { return invalid }
  let object: Lookup = handle(lookup)
  return close(object) { object.close(callback) }
}
