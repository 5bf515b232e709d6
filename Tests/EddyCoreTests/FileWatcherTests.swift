import EddyCore
import Glibc
import Testing

/// A directory of a test's own, removed with it.
private final class Directory {
  let path: String

  init() {
    var template = Array("/tmp/eddy-watch-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    for name in ["a", "b"] { unlink(self / name) }
    rmdir(path)
  }

  static func / (directory: Directory, name: String) -> String { "\(directory.path)/\(name)" }

  func write(_ name: String) {
    let fd = open(self / name, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    precondition(fd >= 0 && Glibc.write(fd, "x", 1) == 1)
    close(fd)
  }
}

/// A file watcher with what it has told.
private final class Sightings {
  struct Event: Equatable {
    var events: Int
    var name: String?
    var newName: String?
  }

  private(set) var watcher: FileWatcher?
  private(set) var events: [Event] = []
  var onEvent: () -> Void = {}

  init(_ loop: Loop, _ path: String) throws {
    watcher = try FileWatcher(
      loop: loop, path: path, context: Unmanaged.passUnretained(self).toOpaque()
    ) { _, event, context in
      let sightings = Unmanaged<Sightings>.fromOpaque(context!).takeUnretainedValue()
      let event = event!.pointee
      sightings.events.append(
        Event(
          events: Int(event.events), name: event.name.map { String(cString: $0) },
          newName: event.new_name.map { String(cString: $0) }))
      sightings.onEvent()
    }
  }

  func closeAfter(_ count: Int) {
    onEvent = { [unowned self] in
      if events.count == count { watcher?.close() }
    }
  }
}

@Suite struct FileWatcherTests {
  @Test func aFileIsWatchedThroughItsReplacement() throws {
    let loop = try Loop()
    let directory = Directory()
    let file = try Sightings(loop, directory / "a")
    file.closeAfter(2)
    directory.write("a")
    loop.after(50_000_000) {
      directory.write("b")
      rename(directory / "b", directory / "a")
    }
    try loop.run()
    #expect(
      file.events == [
        .init(events: EDDY_FILE_CREATED | EDDY_FILE_MODIFIED, name: "a"),
        .init(events: EDDY_FILE_CREATED, name: "a"),
      ])
    try loop.destroy()
  }

  @Test func aDirectoryTellsOfARenameInItsPlace() throws {
    let loop = try Loop()
    let directory = Directory()
    directory.write("a")
    let sightings = try Sightings(loop, directory.path)
    sightings.closeAfter(3)
    directory.write("a")
    directory.write("a")
    rename(directory / "a", directory / "b")
    directory.write("b")
    try loop.run()
    #expect(
      sightings.events == [
        .init(events: EDDY_FILE_MODIFIED, name: "a"),
        .init(events: EDDY_FILE_RENAMED, name: "a", newName: "b"),
        .init(events: EDDY_FILE_MODIFIED, name: "b"),
      ])
    try loop.destroy()
  }

  @Test func aDirectoryThatIsRemovedIsNoLongerWatched() throws {
    let loop = try Loop()
    let directory = Directory()
    let sightings = try Sightings(loop, directory.path)
    #expect(sightings.watcher!.isWatching)
    rmdir(directory.path)
    try loop.run()
    #expect(sightings.events == [.init(events: EDDY_FILE_UNWATCHED)])
    #expect(!sightings.watcher!.isWatching)
    sightings.watcher?.close()
    try loop.destroy()
  }

  @Test func whatIsNotThereIsRefused() throws {
    let loop = try Loop()
    #expect(throws: EddyError(code: Int32(EDDY_ENOENT))) {
      try Sightings(loop, "/no-such-directory/file")
    }
    #expect(throws: EddyError(code: Int32(EDDY_EINVAL))) { try Sightings(loop, "") }
    #expect(!loop.isAlive)
    try loop.destroy()
  }
}
