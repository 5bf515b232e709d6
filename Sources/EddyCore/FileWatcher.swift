import CLibev

/// Watches a file or a directory (inotify(7)). The loop's thread.
public final class FileWatcher: Handle {
  private let callback: eddy_file_watcher_cb
  /// The watched file in its directory; nil if the directory itself is watched.
  private let file: FileName?
  /// nil once it is no longer watched.
  private(set) var directory: WatchedDirectory?
  /// The batch of events that was being told of when the watcher was created: it is not told of them.
  private let firstBatch: UInt64
  /// The batch that a watched file was last told of: it is told of all at once.
  private var toldBatch: UInt64 = 0

  /// Watches from here on.
  /// - Parameter path: a directory; or a file, which need not be there yet, in one that is.
  /// - Throws: `EDDY_ENOENT` and others of stat(2); `EDDY_ENOSPC`, `EDDY_EMFILE` when the user's
  ///   watches or inotify descriptors have run out; `EDDY_EINVAL` for an empty path; `EDDY_ENOMEM`.
  public convenience init(
    loop: Loop, path: UnsafePointer<CChar>, context: UnsafeMutableRawPointer?,
    _ callback: @escaping eddy_file_watcher_cb
  ) throws(EddyError) {
    guard path.pointee != 0 else { throw EddyError(EDDY_EINVAL) }
    let isDirectory = try Self.isDirectory(path)
    let file = isDirectory ? nil : try FileName(lastOf: path)
    let inotify: Inotify
    let directory: WatchedDirectory
    do throws(EddyError) {
      inotify = try loop.startInotify()
      directory = try inotify.watch(file?.directory ?? path)
    } catch {
      file?.deallocate()
      loop.inotify?.endIfUnused()
      throw error
    }
    self.init(
      loop: loop, file, in: directory, context: context, callback, firstBatch: inotify.batch)
  }

  private init(
    loop: Loop, _ file: FileName?, in directory: WatchedDirectory,
    context: UnsafeMutableRawPointer?, _ callback: @escaping eddy_file_watcher_cb,
    firstBatch: UInt64
  ) {
    self.callback = callback
    self.file = file
    self.directory = directory
    self.firstBatch = firstBatch
    super.init(loop: loop, context: context, forbidsFork: true)
    directory.watchers.append(self)
  }

  deinit {
    file?.deallocate()
  }

  /// False for what is no directory, or not there.
  private static func isDirectory(_ path: UnsafePointer<CChar>) throws(EddyError) -> Bool {
    var status = stat()
    guard stat(path, &status) != 0 else {
      return status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR)
    }
    let error = EddyError.current
    // With a slash at its end it can be nothing but a directory.
    guard path[strlen(path) - 1] != CChar(UInt8(ascii: "/")) else { throw error }
    if clibev_errno() == ENOENT { return false }
    // A link to itself (ELOOP), or through a file, leads to no directory either.
    guard clibev_errno() == ELOOP || clibev_errno() == ENOTDIR, lstat(path, &status) == 0 else {
      throw error
    }
    return false
  }

  /// Whether it still watches.
  public var isWatching: Bool { directory != nil }

  /// Stops and frees the watcher.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    if let directory {
      directory.remove(self)
      loop.inotify?.giveUpIfUnused(directory)
      self.directory = nil
    }
    beginClosing(callback, context)
    finishClosing()
  }

  // MARK: Events

  /// Takes from a batch what concerns the watcher.
  /// - Parameter index: of the change whose turn it is.
  func take(_ index: Int, of changes: borrowing FileChanges, batch: UInt64) {
    guard firstBatch != batch, !isClosing else { return }
    let change = changes[index]
    guard let file else { return tell(change.events, change.name?.text, change.newName?.text) }
    guard toldBatch != batch, change.concerns(file.name) else { return }
    toldBatch = batch
    var events: Int32 = 0
    for later in index..<changes.count where changes[later].watch == change.watch {
      events |= changes[later].events(of: file.name)
    }
    tell(events, file.name.text, nil)
  }

  /// Events have been lost.
  func tellOfOverflow() {
    if !isClosing { tell(code(EDDY_FILE_OVERFLOW), nil, nil) }
  }

  /// The directory is gone. `tellOfEnd` follows.
  func stopWatching() {
    directory = nil
  }

  func tellOfEnd() {
    if !isClosing { tell(code(EDDY_FILE_UNWATCHED), nil, nil) }
  }

  private func tell(
    _ events: Int32, _ name: UnsafePointer<CChar>?, _ newName: UnsafePointer<CChar>?
  ) {
    var event = eddy_file_event()
    event.size = MemoryLayout<eddy_file_event>.size
    event.events = events
    event.name = name
    event.new_name = newName
    loop.dispatch(.file, callback, context) { callback(opaque, &event, context) }
  }
}

/// The last name of a path, and the directory before it, in one piece of memory that is owned.
private struct FileName {
  let name: HashedName
  let directory: UnsafePointer<CChar>

  /// - Throws: `EDDY_ENOMEM`.
  init(lastOf path: UnsafePointer<CChar>) throws(EddyError) {
    // Both end with a zero, and a path without a directory gets ".".
    guard let memory = malloc(strlen(path) + 3) else { throw EddyError(EDDY_ENOMEM) }
    let directory = memory.assumingMemoryBound(to: CChar.self)
    var length = 1
    var start = path
    if let slash = strrchr(path, CInt(UInt8(ascii: "/"))) {
      start = UnsafePointer(slash) + 1
      length = start - path  // with the slash, which is all that there is of the root
      memcpy(directory, path, length)
    } else {
      directory[0] = CChar(UInt8(ascii: "."))
    }
    directory[length] = 0
    self.directory = UnsafePointer(directory)
    name = HashedName(strcpy(directory + length + 1, start))
  }

  func deallocate() {
    free(UnsafeMutablePointer(mutating: directory))
  }
}
