import Glibc

/// A point of civil time: microseconds since 1970-01-01T00:00:00Z, the resolution of PostgreSQL's
/// `timestamptz`.
///
/// Civil, not monotonic: it is compared between processes and machines, and shown to clients.
public struct Timestamp: Hashable, Comparable, Sendable {
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// `CLOCK_REALTIME`, clock_gettime(2).
  public static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }

  /// Saturates instead of overflowing: a time to live of `.seconds(.max)` means "for ever".
  public static func + (time: Timestamp, interval: Duration) -> Timestamp {
    let (seconds, attoseconds) = interval.components
    let (whole, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000)
    let (sum, overflowedToo) = time.microseconds.addingReportingOverflow(whole)
    if overflowed || overflowedToo {
      return Timestamp(microseconds: seconds < 0 ? .min : .max)
    }
    let (total, last) = sum.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return Timestamp(microseconds: last ? (seconds < 0 ? .min : .max) : total)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with milliseconds: `2026-11-24T08:45:27.123Z`.
  public var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(24)
    write(into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends ``description``'s 24 characters.
  func write(into bytes: inout [UInt8]) {
    let (seconds, microsecond) = Self.floorDivide(microseconds, 1_000_000)
    let (day, second) = Self.floorDivide(seconds, 86_400)
    let date = Self.civil(fromDay: day)

    func pad(_ value: Int64, _ width: Int) {
      var divisor: Int64 = 1
      for _ in 1..<width { divisor *= 10 }
      while divisor > 0 {
        bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
        divisor /= 10
      }
    }
    // RFC 3339 §5.6 has four digits for the year and no more.
    pad(min(max(date.year, 0), 9_999), 4)
    bytes.append(UInt8(ascii: "-"))
    pad(date.month, 2)
    bytes.append(UInt8(ascii: "-"))
    pad(date.day, 2)
    bytes.append(UInt8(ascii: "T"))
    pad(second / 3_600, 2)
    bytes.append(UInt8(ascii: ":"))
    pad(second / 60 % 60, 2)
    bytes.append(UInt8(ascii: ":"))
    pad(second % 60, 2)
    bytes.append(UInt8(ascii: "."))
    pad(microsecond / 1_000, 3)
    bytes.append(UInt8(ascii: "Z"))
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  /// The proleptic Gregorian date of a day counted from 1970-01-01.
  ///
  /// Years are counted from March, so that the leap day is a year's last; 400 of them are an era of
  /// 146,097 days.
  private static func civil(fromDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let daysFromMarchOfYearZero: Int64 = 719_468
    let (era, dayOfEra) = floorDivide(day + daysFromMarchOfYearZero, 146_097)
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfMonth)
  }
}
