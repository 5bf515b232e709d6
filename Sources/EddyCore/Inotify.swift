import CLibev

/// A directory that inotify watches for one file watcher or several.
final class WatchedDirectory {
  /// inotify's number of it.
  let watch: Int32
  var watchers: [FileWatcher] = []
  /// The next one in the same bucket.
  fileprivate var next: WatchedDirectory?

  fileprivate init(_ watch: Int32) {
    self.watch = watch
  }

  func remove(_ watcher: FileWatcher) {
    for index in watchers.indices where watchers[index] === watcher {
      watchers.remove(at: index)
      return
    }
  }
}

/// A loop's inotify descriptor, with all that its file watchers watch. The loop's thread.
final class Inotify {
  /// All that a watcher may be told of; and a file that is deleted while it is open is not told of
  /// any more.
  private static let mask =
    UInt32(IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO)
    | UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
  /// How long the second half of a rename may take to come. The kernel queues both in one go, but a
  /// read can come between (inotify(7), "Dealing with rename() events").
  private static let renamePatience: UInt64 = 2 * EDDY_MILLISECOND

  private let unmanagedLoop: Unmanaged<Loop>
  private var loop: Loop { unmanagedLoop.takeUnretainedValue() }
  private let fd: Int32
  /// A first half of a rename that was the last event of a read. Room for one event.
  private let held: UnsafeMutableRawPointer
  private var heldSize = 0

  /// By `watch`, which inotify counts up: so each bucket has its share.
  private var buckets: [WatchedDirectory?] = [nil]
  private var count = 0
  /// Counts the batches of events.
  private(set) var batch: UInt64 = 0
  private var isTelling = false

  private var reading = ev_io()
  private var readWatcher: UnsafeMutablePointer<ev_io> {
    @inline(__always) get { withUnsafeMutablePointer(to: &reading) { $0 } }
  }
  private var patience: TimerNode
  private var timer: UnsafeMutablePointer<TimerNode> {
    @inline(__always) get { withUnsafeMutablePointer(to: &patience) { $0 } }
  }

  /// - Throws: `EDDY_EMFILE` when the user's descriptors have run out; `EDDY_ENOMEM`.
  fileprivate convenience init(loop: Loop) throws(EddyError) {
    guard let held = malloc(InotifyEvent.maximumSize) else { throw EddyError(EDDY_ENOMEM) }
    guard loop.timers.reserve() else {
      free(held)
      throw EddyError(EDDY_ENOMEM)
    }
    let fd = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard fd >= 0 else {
      let error = EddyError.current
      loop.timers.giveUpReservation()
      free(held)
      throw error
    }
    self.init(loop, fd, held)
  }

  private init(_ loop: Loop, _ fd: Int32, _ held: UnsafeMutableRawPointer) {
    unmanagedLoop = .passUnretained(loop)
    self.fd = fd
    self.held = held
    // Retained for the call: the last watcher may be closed in it, and end this.
    patience = TimerNode { inotify in
      Unmanaged<Inotify>.fromOpaque(inotify).takeUnretainedValue().patienceIsOver()
    }
    let data = Unmanaged.passUnretained(self).toOpaque()
    patience.owner = data
    clibev_io_init(
      readWatcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        let inotify = Unmanaged<Inotify>.fromOpaque(data).takeUnretainedValue()
        if clibev_io_active(watcher) == 0 { return inotify.loop.watchAnew(inotify.readWatcher) }
        inotify.readable()
      }, fd, Int32(EV_READ))
    readWatcher.pointee.data = data
    loop.start(readWatcher)
  }

  deinit {
    free(held)
  }

  /// Closes the descriptor if nothing is watched any more.
  func endIfUnused() {
    guard count == 0, !isTelling else { return }
    loop.stop(readWatcher)
    loop.stop(timer)
    loop.timers.giveUpReservation()
    _ = close(fd)
    loop.inotify = nil
  }

  // MARK: Directories

  /// Watches a directory, if it is not watched yet.
  /// - Throws: `EDDY_ENOENT` and others of inotify_add_watch(2).
  func watch(_ path: UnsafePointer<CChar>) throws(EddyError) -> WatchedDirectory {
    let watch = inotify_add_watch(fd, path, Self.mask)
    guard watch >= 0 else { throw .current }
    if let known = find(watch) { return known }
    let directory = WatchedDirectory(watch)
    if count == buckets.count { doubleBuckets() }
    insert(directory)
    count += 1
    return directory
  }

  /// Watches a directory no longer that nobody watches.
  func giveUpIfUnused(_ directory: WatchedDirectory) {
    guard directory.watchers.isEmpty else { return }
    forget(directory)
    endIfUnused()
  }

  private func forget(_ directory: WatchedDirectory) {
    // It fails if the kernel has given the watch up already; then there is nothing to do.
    inotify_rm_watch(fd, directory.watch)
    let bucket = bucket(directory.watch)
    if buckets[bucket] === directory {
      buckets[bucket] = directory.next
    } else {
      var previous = buckets[bucket]
      while let candidate = previous, candidate.next !== directory { previous = candidate.next }
      previous?.next = directory.next
    }
    directory.next = nil
    count -= 1
  }

  private func bucket(_ watch: Int32) -> Int {
    Int(watch) & (buckets.count - 1)
  }

  private func find(_ watch: Int32) -> WatchedDirectory? {
    var directory = buckets[bucket(watch)]
    while let candidate = directory, candidate.watch != watch { directory = candidate.next }
    return directory
  }

  private func insert(_ directory: WatchedDirectory) {
    let bucket = bucket(directory.watch)
    directory.next = buckets[bucket]
    buckets[bucket] = directory
  }

  private func doubleBuckets() {
    let old = buckets
    buckets = [WatchedDirectory?](repeating: nil, count: old.count * 2)
    for first in old {
      var directory = first
      while let current = directory {
        directory = current.next
        insert(current)
      }
    }
  }

  // MARK: Events

  private func readable() {
    let buffer = loop.readBuffer
    let base = buffer.baseAddress.unsafelyUnwrapped
    base.copyMemory(from: held, byteCount: heldSize)
    let received = read(fd, base + heldSize, buffer.count - heldSize)
    guard received > 0 else { return }  // EAGAIN, EINTR
    let size = heldSize + received
    let lastOffset = Self.lastOffset(UnsafeMutableRawBufferPointer(start: base, count: size))
    heldSize = 0
    loop.stop(timer)
    if InotifyEvent(buffer, lastOffset).has(IN_MOVED_FROM) {
      heldSize = size - lastOffset
      held.copyMemory(from: base + lastOffset, byteCount: heldSize)
      loop.start(timer, at: loop.now &+ Self.renamePatience)
    }
    tell(UnsafeMutableRawBufferPointer(start: base, count: size - heldSize))
  }

  /// The second half of a rename has not come: the name has left the directory.
  private func patienceIsOver() {
    let size = heldSize
    heldSize = 0
    tell(UnsafeMutableRawBufferPointer(start: held, count: size))
  }

  private static func lastOffset(_ events: UnsafeMutableRawBufferPointer) -> Int {
    var offset = 0
    while true {
      let next = offset + InotifyEvent(events, offset).size
      guard next < events.count else { return offset }
      offset = next
    }
  }

  private func tell(_ events: UnsafeMutableRawBufferPointer) {
    guard events.count > 0 else { return }
    batch += 1
    isTelling = true
    if let changes = FileChanges(events) {
      for index in 0..<changes.count { tell(index, of: changes) }
    } else {
      tellOfOverflow()  // events are lost for want of memory
    }
    isTelling = false
    endIfUnused()
  }

  private func tell(_ index: Int, of changes: borrowing FileChanges) {
    let change = changes[index]
    if change.events == code(EDDY_FILE_OVERFLOW) { return tellOfOverflow() }
    guard let directory = find(change.watch) else { return }
    // Callbacks may close any watcher: these are the ones that there were.
    let watchers = directory.watchers
    if change.events == code(EDDY_FILE_UNWATCHED) {
      forget(directory)
      directory.watchers = []
      for watcher in watchers { watcher.stopWatching() }
      for watcher in watchers { watcher.tellOfEnd() }
    } else {
      for watcher in watchers { watcher.take(index, of: changes, batch: batch) }
    }
  }

  private func tellOfOverflow() {
    var watchers: [FileWatcher] = []
    for first in buckets {
      var directory = first
      while let current = directory {
        watchers += current.watchers
        directory = current.next
      }
    }
    for watcher in watchers { watcher.tellOfOverflow() }
  }
}

extension Loop {
  /// - Throws: `EDDY_EMFILE`; `EDDY_ENOMEM`.
  func startInotify() throws(EddyError) -> Inotify {
    if let inotify { return inotify }
    let inotify = try Inotify(loop: self)
    self.inotify = inotify
    return inotify
  }
}
