import Eddy
import Glibc
import Logging

/// The thread that writes the lines.
final class AccessLogWriter: @unchecked Sendable {
  // Unchecked, because after `start` only its own thread touches it.
  private let file: AccessLogFile
  private let queue: AccessLogQueue
  private let logger: Logger

  /// Lines that are being written, and how much of them is.
  private var batch: [UInt8] = []
  private var written = 0
  /// The file could not be opened anew.
  private var owesReopening = false

  /// What went wrong last, until it goes well again; 0.
  private var failure: Int32 = 0
  private var isFailureReported = false
  private var lastReport: (failure: Int32, time: ContinuousClock.Instant)?
  private var reportedDrops = 0
  private var lastDropReport: ContinuousClock.Instant?

  /// A disk at its edge fails and recovers each second; one report a minute says the same.
  private static let reportInterval = Duration.seconds(60)

  init(file: AccessLogFile, queue: AccessLogQueue, logger: Logger) {
    self.file = file
    self.queue = queue
    self.logger = logger
  }

  /// - Returns: 0, or an errno.
  func start() -> Int32 {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { context in
        // The host's signals are for the host's threads; and a pipe without a reader is an error
        // of write(2), not the end of the process.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        Unmanaged<AccessLogWriter>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    if status != 0 { Unmanaged.passUnretained(self).release() }
    return status
  }

  private func run() {
    while true {
      let event = failure == 0 ? queue.next() : queue.pause()
      if event.reopens {
        // Lines that came before the request belong to the old file.
        if failure == 0 { writeLines() }
        owesReopening = true
      }
      let error = work()
      if error == 0 { succeeded() } else { failed(error) }
      if event.closes {
        if error == 0, batch.isEmpty { takeLines() }
        if error != 0 || batch.isEmpty { break }
      }
    }
    let unwritten = batch[written...].count { $0 == UInt8(ascii: "\n") }
    var rest: [UInt8] = []
    queue.swapLines(with: &rest)
    queue.finish(unwritten: unwritten + rest.count { $0 == UInt8(ascii: "\n") })
  }

  /// - Returns: 0, or what stands in the way.
  private func work() -> Int32 {
    if owesReopening || file.isDeleted {
      let isDeleted = file.isDeleted
      let (isOther, error) = file.reopen()
      owesReopening = error != 0
      // A file that has still a name, the rotated one, is better than none.
      guard error == 0 || !isDeleted else { return error }
      if isOther { rewindToLineStart() }
      let writing = writeLines()
      return writing == 0 ? error : writing
    }
    return writeLines()
  }

  @discardableResult private func writeLines() -> Int32 {
    if batch.isEmpty { takeLines() }
    let (count, error) = batch.withUnsafeBytes {
      file.write(UnsafeRawBufferPointer(rebasing: $0[written...]))
    }
    written += count
    if written == batch.count {
      batch.removeAll(keepingCapacity: true)
      written = 0
    }
    return error
  }

  private func takeLines() {
    queue.swapLines(with: &batch)
  }

  /// Half a line is no line in another file.
  private func rewindToLineStart() {
    written = batch[..<written].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
  }

  // MARK: Reports

  private func failed(_ error: Int32) {
    guard error != failure else { return }
    failure = error
    let now = ContinuousClock.now
    if let lastReport, lastReport.failure == error,
      now - lastReport.time < Self.reportInterval
    {
      return
    }
    lastReport = (error, now)
    isFailureReported = true
    logger.error(
      "The access log cannot be written: \(AccessLogAdvice.text(error)). It is tried again each second.",
      metadata: ["path": "\(file.name)"])
  }

  private func succeeded() {
    let dropped = queue.droppedLines
    if failure != 0 {
      failure = 0
      if isFailureReported {
        isFailureReported = false
        reportedDrops = dropped
        logger.notice(
          "The access log is written again.",
          metadata: ["path": "\(file.name)", "dropped": "\(dropped)"])
      }
    }
    guard dropped > reportedDrops else { return }
    let now = ContinuousClock.now
    if let lastDropReport, now - lastDropReport < Self.reportInterval { return }
    lastDropReport = now
    reportedDrops = dropped
    logger.warning(
      "Lines of the access log were dropped: they come faster than they are written.",
      metadata: ["path": "\(file.name)", "dropped": "\(dropped)"])
  }
}
