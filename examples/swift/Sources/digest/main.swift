// digest: checksums of many files, computed on several threads.
//
//   swift run digest 4 *.iso        four threads; Ctrl-C leaves out what has not begun
//
// It shows two work pools, so that a short work need not wait behind long ones; posts from the
// works' threads, for what there is to tell meanwhile; and works that are cancelled.
//
// The checksum is FNV-1a of 64 bits, which is short, and no protection against anybody.

import EddyCore
import Glibc

/// Confined to the loop's thread, but for what a survey's thread may use of it.
final class Program {
  private let loop: Loop
  private let digests: Pool
  private let surveys: Pool
  private var signals: [Signal] = []
  private(set) var files: [File] = []
  /// Works that have not completed.
  private var underWay = 0
  private(set) var skipped = 0
  /// Bytes, as far as told.
  private var read = 0

  init(threads: Int, paths: [String]) throws(EddyError) {
    loop = try Loop()
    digests = try Pool(loop: loop, threads: threads, queueCapacity: paths.count)
    surveys = try Pool(loop: loop, threads: 1)
    for path in paths { files.append(File(path, of: self, loop)) }
    let context = Unmanaged.passUnretained(self).toOpaque()
    for number in [SIGINT, SIGTERM] {
      let signal = Signal(loop: loop, context: context) { _, _, context in
        Program.of(context).skipRest()
      }
      try signal.start(number)
      signals.append(signal)
    }
  }

  static func of(_ context: UnsafeMutableRawPointer?) -> Program {
    Unmanaged<Program>.fromOpaque(context!).takeUnretainedValue()
  }

  /// Until every work has completed.
  func run() throws(EddyError) {
    underWay = files.count + 1
    let survey = Survey(of: self, files.map(\.path))
    try check(surveys.submit(work: Survey.work, done: Survey.done, context: survey.handedOver))
    for file in files { try file.submit(to: digests) }
    try loop.run(.untilIdle)
    try loop.destroy()
  }

  func told(of bytes: Int) {
    read += bytes
    warn("digest: \(read >> 20) MiB read")
  }

  func completedOne() {
    underWay -= 1
    guard underWay == 0 else { return }
    digests.close()
    surveys.close()
    for signal in signals { signal.close() }
  }

  /// What runs already goes on to its end. A second Ctrl-C ends the program, as without Eddy.
  private func skipRest() {
    for signal in signals { signal.stop() }
    skipped = files.count { $0.cancel() }
    warn("digest: \(skipped) files skipped")
  }
}

/// Sums the sizes up. The survey's thread has it between `work` and `done`.
final class Survey {
  private unowned(unsafe) let program: Program
  private let paths: [String]
  private var total = 0

  init(of program: Program, _ paths: [String]) {
    self.program = program
    self.paths = paths
  }

  /// The work owns it until `done` takes it back.
  var handedOver: UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

  static let work: eddy_work_cb = { context in
    let survey = Unmanaged<Survey>.fromOpaque(context!).takeUnretainedValue()
    var status = stat()
    for path in survey.paths where stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG {
      survey.total += status.st_size
    }
  }

  static let done: eddy_done_cb = { _, context in
    let survey = Unmanaged<Survey>.fromOpaque(context!).takeRetainedValue()
    warn("digest: \(survey.total >> 20) MiB to read")
    survey.program.completedOne()
  }
}

/// A file, whose `outcome` a pool's thread fills in before it completes.
final class File {
  enum Outcome {
    case digest(UInt64)
    case failed(errno: Int32)
    case skipped
  }

  /// A thread tells of each 8 MiB that it has read of a file.
  private static let step = 8 << 20
  private static let bufferSize = 65536

  let path: String
  private unowned(unsafe) let program: Program
  private let loop: Loop
  private(set) var outcome = Outcome.skipped
  /// nil once it has completed.
  private var work: OpaquePointer?

  init(_ path: String, of program: Program, _ loop: Loop) {
    self.path = path
    self.program = program
    self.loop = loop
  }

  func submit(to pool: Pool) throws(EddyError) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    let result = pool.submit(
      work: { context in
        let file = File.of(context)
        file.outcome = file.computed()
      },
      done: { _, context in
        let file = File.of(context)
        file.work = nil
        file.program.completedOne()
      }, context: context, accepted: &work)
    try check(result)
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> File {
    Unmanaged<File>.fromOpaque(context!).takeUnretainedValue()
  }

  /// Whether it had not begun.
  func cancel() -> Bool {
    work.map { Pool.cancel($0) == 0 } ?? false
  }

  /// On a pool's thread: what is the program's may only be touched by a post.
  private func computed() -> Outcome {
    guard let input = fopen(path, "rbe") else { return .failed(errno: errno) }
    defer { fclose(input) }
    var digest: UInt64 = 14_695_981_039_346_656_037  // FNV's offset basis and prime for 64 bits
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.bufferSize)
    defer { buffer.deallocate() }
    var untold = 0
    while case let count = fread(buffer, 1, Self.bufferSize, input), count > 0 {
      for index in 0..<count {
        digest = (digest ^ UInt64(buffer[index])) &* 1_099_511_628_211
      }
      untold += count
      if untold >= Self.step {
        loop.post(
          { context, _ in Program.of(context).told(of: File.step) },
          Unmanaged.passUnretained(program).toOpaque())
        untold -= Self.step
      }
    }
    return ferror(input) == 0 ? .digest(digest) : .failed(errno: errno)
  }
}

func check(_ result: Int32) throws(EddyError) {
  if result < 0 { throw EddyError(code: result) }
}

func warn(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

func hexadecimal(_ number: UInt64) -> String {
  let digits = String(number, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

let arguments = CommandLine.arguments
guard arguments.count > 2, let threads = Int(arguments[1]), (1...1024).contains(threads) else {
  warn("usage: digest THREADS FILE...")
  exit(2)
}

do {
  let program = try Program(threads: threads, paths: Array(arguments[2...]))
  try program.run()
  var hasFailed = program.skipped > 0
  for file in program.files {
    switch file.outcome {
    case .digest(let digest): print("\(hexadecimal(digest))  \(file.path)")
    case .failed(let errno):
      warn("digest: \(file.path): \(String(cString: strerror(errno)))")
      hasFailed = true
    case .skipped: break
    }
  }
  exit(hasFailed ? 1 : 0)
} catch {
  warn("digest: \(error.message)")
  exit(1)
}
