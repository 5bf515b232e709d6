import Eddy
import Logging

/// Logs that connections could not be accepted, without filling the log with it.
struct AcceptFailures {
  private let logger: Logger
  private var unreported = 0
  private var lastReport: UInt64?

  /// Ten reports a second would come while descriptors are lacking; one a minute says the same.
  private static let interval: UInt64 = 60_000_000_000

  init(logger: Logger) {
    self.logger = logger
  }

  /// - Parameter now: the loop's clock, in nanoseconds.
  mutating func add(_ error: EddyError, now: UInt64) {
    unreported += 1
    if let lastReport, now - lastReport < Self.interval { return }
    logger.warning(
      "Accepting a connection failed: \(error.message).",
      metadata: ["error": "\(error.name)", "failures": "\(unreported)"])
    unreported = 0
    lastReport = now
  }
}
