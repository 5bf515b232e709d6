@c @implementation
public func eddy_hook_create(
  _ loop: OpaquePointer!, _ kind: Int32, _ callback: eddy_hook_cb!,
  _ context: UnsafeMutableRawPointer!, _ out_hook: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let kind = Hook.Kind(rawValue: kind), let callback, let out_hook else {
    return invalid
  }
  return create(out_hook) { () throws(EddyError) in
    Hook(loop: handle(loop), kind: kind, context: context, callback)
  }
}

@c @implementation
public func eddy_hook_start(_ hook: OpaquePointer!) -> Int32 {
  guard let hook else { return invalid }
  let object: Hook = handle(hook)
  guard !object.isClosing else { return code(EDDY_EALREADY) }
  object.start()
  return 0
}

@c @implementation
public func eddy_hook_stop(_ hook: OpaquePointer!) -> Int32 {
  guard let hook else { return invalid }
  (handle(hook) as Hook).stop()
  return 0
}

@c @implementation
public func eddy_hook_close(_ hook: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let hook else { return invalid }
  let object: Hook = handle(hook)
  return close(object) { object.close(callback) }
}
