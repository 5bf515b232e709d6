import Glibc

/// The time of a line, rendered once a second.
struct AccessLogClock {
  private var second = time_t.min
  private var text = ""

  /// Nanoseconds of a clock that nobody sets.
  static var monotonic: UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }

  /// Now: `24/Nov/2026:13:17:03 +0000`, or `2026-11-24T13:17:03.123Z`.
  mutating func text(for format: AccessLog.Format) -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return text(for: format, at: now)
  }

  mutating func text(for format: AccessLog.Format, at now: timespec) -> String {
    if now.tv_sec != second {
      second = now.tv_sec
      text = Self.render(second, format)
    }
    guard format == .json else { return text }
    return "\(text).\(Self.padded(now.tv_nsec / 1_000_000, 3))Z"
  }

  private static func render(_ second: time_t, _ format: AccessLog.Format) -> String {
    var second = second
    var parts = tm()
    switch format {
    case .combined:
      localtime_r(&second, &parts)
      let date = "\(padded(parts.tm_mday, 2))/\(months[Int(parts.tm_mon)])/\(parts.tm_year + 1900)"
      let minutes = abs(parts.tm_gmtoff) / 60
      let sign = parts.tm_gmtoff < 0 ? "-" : "+"
      return "\(date):\(time(parts)) \(sign)\(padded(minutes / 60, 2))\(padded(minutes % 60, 2))"
    case .json:
      gmtime_r(&second, &parts)
      let date =
        "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
      return "\(date)T\(time(parts))"
    }
  }

  private static func time(_ parts: tm) -> String {
    "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
  }

  private static func padded(_ number: some BinaryInteger, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Not of the locale: a log's readers know these.
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}
