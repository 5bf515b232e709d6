import Glibc
import Logging

/// A line for each answer: who asked for what, and what came of it.
///
/// ```swift
/// let log = try AccessLog(.file("/var/log/eddy/access.log"), format: .combined)
/// let server = HTTPServer(loop: loop, router: router, accessLog: log)
/// ```
///
/// The loop only puts a line into a buffer of a bounded size; a thread of the log's own writes them,
/// a tenth of a second's lines at a time. It never holds up the loop: while the disk is full, or
/// whoever reads a pipe is slow, lines stay in the buffer, and when that is full they are dropped
/// and counted. What keeps it from writing is reported to the logger once, and tried again each
/// second. A file that was deleted is made anew.
///
/// What a client has sent is escaped, so that it can't end a line, nor a string in it, nor reach a
/// terminal as a control sequence. Of 32 and more hexadecimal digits in a row only the first 8 are
/// written: that is how job ids look, and whoever has an id has the result.
///
/// Several servers, on any loops, may share one; several processes may write to one file. Every
/// member may be called from any thread.
public final class AccessLog: Sendable {
  public enum Destination: Sendable, Equatable {
    /// A file, which is made if it is not there (mode 0640), and appended to.
    case file(String)
    case standardOutput
  }

  /// How a line looks.
  public enum Format: String, CaseIterable, Sendable {
    /// nginx's `combined`, with its escapes (`"`, `\`, control characters and what is not ASCII are
    /// `\xXX`); the time is the local one.
    case combined
    /// A JSON object a line, with `time` (RFC 3339, UTC), `client`, `method`, `target`, `protocol`,
    /// `status`, `bytes`, `duration` (seconds), `referer`, `userAgent`; null for what was not sent,
    /// or could not be read.
    case json
  }

  /// Why a log could not be opened.
  public struct OpenFailure: Error, CustomStringConvertible {
    public let path: String
    /// An errno.
    public let code: Int32

    public var description: String {
      "cannot open the access log '\(path)': \(AccessLogAdvice.text(code))"
    }
  }

  public let format: Format
  let queue: AccessLogQueue

  /// The default of `capacity`: some 5000 lines.
  public static let defaultCapacity = 1 << 20

  /// Opens the log and starts its thread.
  ///
  /// - Parameters:
  ///   - capacity: how many bytes of lines may wait; as many again may be in the writer's hands.
  ///   - logger: gets what keeps the log from being written.
  /// - Throws: ``OpenFailure`` if the file can't be opened, or the system gives no thread (EAGAIN).
  public init(
    _ destination: Destination, format: Format = .combined,
    capacity: Int = AccessLog.defaultCapacity,
    logger: Logger = Logger(label: "eddy.http.access-log")
  ) throws(OpenFailure) {
    self.format = format
    let file = try AccessLogFile(destination)
    queue = AccessLogQueue(capacity: capacity)
    let writer = AccessLogWriter(file: file, queue: queue, logger: logger)
    let status = writer.start()
    guard status == 0 else { throw OpenFailure(path: file.name, code: status) }
  }

  deinit {
    queue.close()
  }

  /// Opens the file anew, after the lines that have come: for log rotation, which has renamed it.
  /// Returns at once; a file that can't be opened is reported, and the old one written on.
  public func reopen() {
    queue.requestReopening()
  }

  /// How many lines were dropped since the start.
  public var droppedLines: Int { queue.droppedLines }

  /// Writes what has come, and ends the thread; what comes later is dropped. Without it, lines of
  /// the last tenth of a second are lost with the process.
  ///
  /// - Parameter limit: how long the calling thread may be blocked by this.
  /// - Returns: false if the time was over before.
  @discardableResult
  public func close(within limit: Duration = .seconds(2)) -> Bool {
    queue.close()
    return queue.waitUntilEnded(within: limit)
  }
}
