import CLibev

@c @implementation
public func eddy_process_spawn(
  _ loop: OpaquePointer!, _ config: UnsafePointer<eddy_process_config>!,
  _ out_process: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let config, let out_process else { return invalid }
  var defaults = eddy_process_config()
  defaults.standard_input = Int32(EDDY_STDIO_NULL)
  defaults.standard_output = Int32(EDDY_STDIO_NULL)
  defaults.standard_error = Int32(EDDY_STDIO_NULL)
  guard let given = configuration(config, size: config.pointee.size, defaults: defaults) else {
    return invalid
  }
  return create(out_process) { () throws(EddyError) in
    try Process(loop: handle(loop), configuration: given)
  }
}

@c @implementation
public func eddy_process_pid(_ process: OpaquePointer!) -> Int32 {
  guard let process else { return invalid }
  return (handle(process) as Process).pid
}

@c @implementation
public func eddy_process_take_fd(_ process: OpaquePointer!, _ number: Int32) -> Int32 {
  guard let process else { return invalid }
  return (handle(process) as Process).takeDescriptor(number)
}

@c @implementation
public func eddy_process_kill(_ process: OpaquePointer!, _ signal_number: Int32) -> Int32 {
  guard let process else { return invalid }
  return (handle(process) as Process).kill(signal_number)
}

@c @implementation
public func eddy_process_kill_group(_ process: OpaquePointer!, _ signal_number: Int32) -> Int32 {
  guard let process else { return invalid }
  return (handle(process) as Process).killGroup(signal_number)
}

@c @implementation
public func eddy_process_close(_ process: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let process else { return invalid }
  let object: Process = handle(process)
  return close(object) { object.close(callback) }
}

@c @implementation
public func eddy_pipe(_ out_fds: UnsafeMutablePointer<Int32>!) -> Int32 {
  guard let out_fds else { return invalid }
  return pipe2(out_fds, O_CLOEXEC) == 0 ? 0 : EddyError.current.code
}
