import CLibev

/// A name in a directory, with a number by which most others are told from it at once.
struct HashedName {
  let text: UnsafePointer<CChar>
  let hash: UInt32

  init(_ text: UnsafePointer<CChar>) {
    self.text = text
    // FNV-1a (draft-eastlake-fnv): short and good enough for names.
    var hash: UInt32 = 2_166_136_261
    var byte = text
    while byte.pointee != 0 {
      hash = (hash ^ UInt32(UInt8(bitPattern: byte.pointee))) &* 16_777_619
      byte += 1
    }
    self.hash = hash
  }

  static func == (one: HashedName, other: HashedName) -> Bool {
    one.hash == other.hash && strcmp(one.text, other.text) == 0
  }
}

/// What has happened to one name.
struct FileChange {
  /// inotify's number of the directory; -1 for an overflow.
  let watch: Int32
  /// `EDDY_FILE_…` together.
  fileprivate(set) var events: Int32
  /// nil for the directory itself.
  let name: HashedName?
  /// Of a rename.
  let newName: HashedName?
  /// What happens to the name later is another change: a rename lies between.
  fileprivate var isComplete = false
  /// The next change in the same bucket; less than 0: none.
  fileprivate var next: Int32 = -1

  /// What it means to whoever watches one file: a rename takes it away, or puts another in its place.
  func events(of file: HashedName) -> Int32 {
    guard let newName else { return isAbout(file) ? events : 0 }
    if newName == file { return code(EDDY_FILE_CREATED) }
    return isAbout(file) ? code(EDDY_FILE_DELETED) : 0
  }

  func concerns(_ file: HashedName) -> Bool {
    events(of: file) != 0
  }

  private func isAbout(_ file: HashedName) -> Bool {
    name.map { $0 == file } ?? false
  }
}

/// What one read from inotify has told, in order, what concerns one name put together. Names lie in
/// the memory that was read to.
struct FileChanges: ~Copyable {
  private let memory: UnsafeMutablePointer<FileChange>
  private let buckets: UnsafeMutablePointer<Int32>
  private let bucketMask: Int
  private(set) var count = 0

  /// nil without memory.
  /// - Parameter events: whole events, at least one.
  init?(_ events: UnsafeMutableRawBufferPointer) {
    let capacity = Self.count(events)
    var bucketCount = 1
    while bucketCount < capacity { bucketCount *= 2 }
    let changesSize = capacity * MemoryLayout<FileChange>.stride
    guard let memory = malloc(changesSize + bucketCount * MemoryLayout<Int32>.stride) else {
      return nil
    }
    self.memory = memory.bindMemory(to: FileChange.self, capacity: capacity)
    buckets = (memory + changesSize).bindMemory(to: Int32.self, capacity: bucketCount)
    buckets.initialize(repeating: -1, count: bucketCount)
    bucketMask = bucketCount - 1
    var offset = 0
    while offset < events.count {
      let next = offset + InotifyEvent(events, offset).size
      add(events, offset)
      offset = next
    }
  }

  deinit {
    free(memory)
  }

  subscript(_ index: Int) -> FileChange { memory[index] }

  private static func count(_ events: UnsafeMutableRawBufferPointer) -> Int {
    var count = 0
    var offset = 0
    while offset < events.count {
      offset += InotifyEvent(events, offset).size
      count += 1
    }
    return count
  }

  private mutating func add(_ events: UnsafeMutableRawBufferPointer, _ offset: Int) {
    let event = InotifyEvent(events, offset)
    let watch = event.watch
    if event.has(IN_Q_OVERFLOW) {
      append(-1, EDDY_FILE_OVERFLOW, nil)
    } else if event.has(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT) {
      append(watch, EDDY_FILE_UNWATCHED, nil)
    } else if event.has(IN_MOVED_FROM) {
      addRename(event, events, offset)
    } else if event.has(IN_MOVED_TO | IN_CREATE) {
      merge(watch, EDDY_FILE_CREATED, event.name)
    } else if event.has(IN_DELETE) {
      merge(watch, EDDY_FILE_DELETED, event.name)
    } else if event.has(IN_MODIFY) {
      merge(watch, EDDY_FILE_MODIFIED, event.name)
    } else if event.has(IN_ATTRIB) {
      merge(watch, EDDY_FILE_ATTRIBUTES, event.name)
    }
  }

  /// A name has gone: within the directory if its new name follows, with the same cookie.
  private mutating func addRename(
    _ from: InotifyEvent, _ events: UnsafeMutableRawBufferPointer, _ offset: Int
  ) {
    var offset = offset + from.size
    while offset < events.count {
      let to = InotifyEvent(events, offset)
      if to.has(IN_MOVED_TO), to.cookie == from.cookie {
        guard to.watch == from.watch, let name = from.name, let newName = to.name else { break }
        to.markAsTaken()
        complete(from.watch, name)
        complete(from.watch, newName)
        append(from.watch, EDDY_FILE_RENAMED, name, newName)
        return
      }
      offset += to.size
    }
    merge(from.watch, EDDY_FILE_DELETED, from.name)
  }

  private mutating func append(
    _ watch: Int32, _ events: Int, _ name: HashedName?, _ newName: HashedName? = nil
  ) {
    (memory + count).initialize(
      to: FileChange(watch: watch, events: code(events), name: name, newName: newName))
    count += 1
  }

  /// Adds to the change of the name that is not complete, or begins one.
  private mutating func merge(_ watch: Int32, _ events: Int, _ name: HashedName?) {
    if let known = find(watch, name) {
      memory[known].events |= code(events)
      return
    }
    let bucket = bucket(watch, name)
    append(watch, events, name)
    memory[count - 1].next = buckets[bucket]
    buckets[bucket] = Int32(count - 1)
  }

  private func complete(_ watch: Int32, _ name: HashedName) {
    if let known = find(watch, name) { memory[known].isComplete = true }
  }

  private func bucket(_ watch: Int32, _ name: HashedName?) -> Int {
    // Knuth's multiplier, 2^32 / the golden ratio, keeps a name's places in several directories apart.
    Int((name?.hash ?? 0) ^ (UInt32(bitPattern: watch) &* 2_654_435_769)) & bucketMask
  }

  /// The change of a name that later events go to.
  private func find(_ watch: Int32, _ name: HashedName?) -> Int? {
    var index = buckets[bucket(watch, name)]
    while index >= 0 {
      let change = memory + Int(index)
      if !change.pointee.isComplete, change.pointee.watch == watch {
        switch (change.pointee.name, name) {
        case (nil, nil): return Int(index)
        case (let one?, let other?): if one == other { return Int(index) }
        default: break
        }
      }
      index = change.pointee.next
    }
    return nil
  }
}

/// An event where read(2) has put it.
struct InotifyEvent {
  /// The most that one takes: its name is of at most NAME_MAX bytes and a zero.
  static let maximumSize = MemoryLayout<inotify_event>.size + Int(NAME_MAX) + 1

  private let event: UnsafeMutablePointer<inotify_event>

  init(_ events: UnsafeMutableRawBufferPointer, _ offset: Int) {
    event = (events.baseAddress.unsafelyUnwrapped + offset)
      .assumingMemoryBound(to: inotify_event.self)
  }

  /// In bytes, its name and what fills up to the next included.
  var size: Int { MemoryLayout<inotify_event>.size + Int(event.pointee.len) }
  var watch: Int32 { event.pointee.wd }
  var cookie: UInt32 { event.pointee.cookie }

  func has(_ mask: Int32) -> Bool {
    event.pointee.mask & UInt32(bitPattern: mask) != 0
  }

  func markAsTaken() {
    event.pointee.mask = 0
  }

  var name: HashedName? {
    guard event.pointee.len > 0 else { return nil }
    return HashedName(UnsafeRawPointer(event + 1).assumingMemoryBound(to: CChar.self))
  }
}
