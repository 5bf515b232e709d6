@c @implementation
public func eddy_file_watcher_create(
  _ loop: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ callback: eddy_file_watcher_cb!,
  _ context: UnsafeMutableRawPointer!, _ out_watcher: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let path, let callback, let out_watcher else { return invalid }
  return create(out_watcher) { () throws(EddyError) in
    try FileWatcher(loop: handle(loop), path: path, context: context, callback)
  }
}

@c @implementation
public func eddy_file_watcher_close(
  _ watcher: OpaquePointer!, _ callback: eddy_close_cb!
) -> Int32 {
  guard let watcher else { return invalid }
  let object: FileWatcher = handle(watcher)
  return close(object) { object.close(callback) }
}
