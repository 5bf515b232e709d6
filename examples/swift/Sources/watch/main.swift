// watch: tells what happens to files and directories.
//
//   swift run watch /tmp notes.txt
//
// It shows file watchers: of a directory, which tells of its entries by name, and of a file, which
// stays watched when another is renamed over it, and need not be there yet.

import EddyCore
import Glibc

/// Confined to the loop's thread.
final class Watch {
  private let path: String
  private var watcher: FileWatcher!

  init(_ loop: Loop, _ path: String) throws(EddyError) {
    self.path = path
    let context = Unmanaged.passUnretained(self).toOpaque()
    watcher = try FileWatcher(loop: loop, path: path, context: context) { _, event, context in
      Unmanaged<Watch>.fromOpaque(context!).takeUnretainedValue().happened(event!.pointee)
    }
  }

  /// What happened to one name in one turn comes as one event: a new file that was written to at once
  /// is "created modified".
  private func happened(_ event: eddy_file_event) {
    let texts = [
      (EDDY_FILE_CREATED, "created"), (EDDY_FILE_DELETED, "deleted"),
      (EDDY_FILE_MODIFIED, "modified"), (EDDY_FILE_ATTRIBUTES, "attributes"),
      (EDDY_FILE_RENAMED, "renamed to"), (EDDY_FILE_OVERFLOW, "overflow: some events are lost"),
      (EDDY_FILE_UNWATCHED, "unwatched: it is gone or moved"),
    ]
    var words = ["\(path):"]
    if let name = event.name { words.append(String(cString: name)) }
    for (bit, text) in texts where Int(event.events) & Int(bit) != 0 { words.append(text) }
    if let name = event.new_name { words.append(String(cString: name)) }
    print(words.joined(separator: " "))
    fflush(nil)
  }

  func close() {
    watcher.close()
  }
}

func fail(_ what: String, _ error: EddyError) -> Never {
  let line = Array("watch: \(what): \(error.message)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
  exit(1)
}

func watch(_ paths: [String]) throws(EddyError) {
  let loop = try Loop()
  let watches = paths.map { path in
    do throws(EddyError) { return try Watch(loop, path) } catch { fail(path, error) }
  }
  let context = Unmanaged.passUnretained(loop).toOpaque()
  let signals = (0..<2).map { _ in
    Signal(loop: loop, context: context) { _, _, context in
      Unmanaged<Loop>.fromOpaque(context!).takeUnretainedValue().stop()
    }
  }
  try signals[0].start(SIGINT)
  try signals[1].start(SIGTERM)
  print("watching \(paths.count); Ctrl-C ends")
  fflush(nil)
  // It also returns when all that was watched is gone: nothing keeps the loop alive then.
  try loop.run(.untilIdle)
  for watch in watches { watch.close() }
  for signal in signals { signal.close() }
  try loop.destroy()
}

let paths = Array(CommandLine.arguments.dropFirst())
guard !paths.isEmpty else {
  let usage = Array("usage: watch PATH...     for example /tmp notes.txt\n".utf8)
  _ = write(STDERR_FILENO, usage, usage.count)
  exit(2)
}
do throws(EddyError) { try watch(paths) } catch { fail("loop", error) }
