import CLibev

/// The lines that every answer has, `Server` and `Date` (RFC 9110 §6.6.1, §10.2.4), rendered at
/// most once a second.
final class DateCache {
  private static var second: UInt64 { 1_000_000_000 }

  private let buffer = OutputBuffer(capacity: 128)
  private let dateOffset: Int
  /// On the loop's clock: when the second changes.
  private var validUntil: UInt64 = 0

  init(serverName: StaticString) {
    if serverName.utf8CodeUnitCount > 0 {
      buffer.append("Server: ")
      buffer.append(serverName)
      buffer.append("\r\n")
    }
    dateOffset = buffer.count
  }

  /// The lines, as they were at the last `update`.
  var lines: UnsafeRawBufferPointer { buffer.bytes }

  /// To be called at least once a turn before `lines`. `now` is the loop's clock.
  @inline(__always) func update(now: UInt64) {
    if now >= validUntil { render(now) }
  }

  private func render(_ now: UInt64) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    validUntil = now &+ Self.second &- UInt64(time.tv_nsec)
    buffer.truncate(dateOffset)
    buffer.append("Date: ")
    Self.append(time.tv_sec, to: buffer)
    buffer.append("\r\n")
  }

  /// Writes an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
  static func append(_ time: time_t, to buffer: OutputBuffer) {
    var seconds = time
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let days: StaticString = "SunMonTueWedThuFriSat"
    let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    buffer.reserve(32)
    buffer.appendUnchecked(threeLetters(days, parts.tm_wday))
    buffer.appendUnchecked(", ")
    appendTwoDigits(parts.tm_mday, to: buffer)
    buffer.appendUnchecked(ASCII.space)
    buffer.appendUnchecked(threeLetters(months, parts.tm_mon))
    buffer.appendUnchecked(ASCII.space)
    buffer.appendUnchecked(decimal: Int(parts.tm_year) + 1900)
    buffer.appendUnchecked(ASCII.space)
    appendTwoDigits(parts.tm_hour, to: buffer)
    buffer.appendUnchecked(ASCII.colon)
    appendTwoDigits(parts.tm_min, to: buffer)
    buffer.appendUnchecked(ASCII.colon)
    appendTwoDigits(parts.tm_sec, to: buffer)
    buffer.appendUnchecked(" GMT")
  }

  private static func threeLetters(_ names: StaticString, _ index: Int32) -> UnsafeRawBufferPointer
  {
    UnsafeRawBufferPointer(start: names.utf8Start + Int(index) * 3, count: 3)
  }

  private static func appendTwoDigits(_ number: Int32, to buffer: OutputBuffer) {
    buffer.appendUnchecked(ASCII.zero + UInt8(number / 10))
    buffer.appendUnchecked(ASCII.zero + UInt8(number % 10))
  }
}
