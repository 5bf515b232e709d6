import EddyCore

extension Duration {
  /// Whole nanoseconds, rounded up so that nothing ends early; 0 for a negative duration, and at
  /// most what a timer takes (146 years).
  public var clampedNanoseconds: UInt64 {
    let nanosecondsPerSecond: Int64 = 1_000_000_000
    let attosecondsPerNanosecond: Int64 = 1_000_000_000
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: nanosecondsPerSecond)
    let rest = (attoseconds + attosecondsPerNanosecond - 1) / attosecondsPerNanosecond
    let (sum, overflowOfSum) = whole.addingReportingOverflow(rest)
    guard !overflow, !overflowOfSum else { return Timer.maximumDelay }
    return min(UInt64(sum), Timer.maximumDelay)
  }
}
