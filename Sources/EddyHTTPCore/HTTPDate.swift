/// Dates as fields have them (RFC 9110 §5.6.7), in seconds since 1970-01-01 00:00:00 UTC.
public enum HTTPDate {
  /// How far ahead a year of two digits may lie: beyond it the year before is meant.
  private static var yearsAhead: Int { 50 }
  private static var secondsInDay: Int64 { 86_400 }

  /// Reads a date in any of the three formats that a recipient has to know: IMF-fixdate
  /// (`Sun, 06 Nov 1994 08:49:37 GMT`), RFC 850's (`Sunday, 06-Nov-94 08:49:37 GMT`) and asctime's
  /// (`Sun Nov  6 08:49:37 1994`).
  ///
  /// A day's name has to be one, but need not be that of the date: it says nothing that the date
  /// does not.
  ///
  /// - Parameters:
  ///   - bytes: the field's value, without white space around it.
  ///   - now: the present time, which RFC 850's years of two digits are seen from.
  /// - Returns: nil for anything else, a time that no clock shows included.
  public static func parse(_ bytes: UnsafeRawBufferPointer, now: Int64) -> Int64? {
    var cursor = ByteCursor(bytes)
    guard let time = date(&cursor, now: now), cursor.isAtEnd else { return nil }
    return time
  }

  /// 9999-12-31 23:59:59: the format has four digits for the year.
  private static var latest: Int64 { 253_402_300_799 }

  /// An IMF-fixdate, as every date is to be sent: `Sun, 06 Nov 1994 08:49:37 GMT`. A time before
  /// 1970 or after 9999, which a file may be given, is the nearest one within.
  public static func text(_ time: Int64) -> [UInt8] {
    let buffer = OutputBuffer(capacity: 64)
    DateCache.append(Int(min(max(time, 0), latest)), to: buffer)
    return Array(buffer.bytes)
  }

  private static func date(_ cursor: inout ByteCursor, now: Int64) -> Int64? {
    guard let day = name(&cursor, of: days, count: 7) else { return nil }
    if cursor.take(", ") { return fixdate(&cursor) }
    if cursor.take(ASCII.space) { return asctime(&cursor) }
    guard cursor.take(restOfDayName(day)), cursor.take(", ") else { return nil }
    return obsoleteDate(&cursor, now: now)
  }

  /// `06 Nov 1994 08:49:37 GMT`
  private static func fixdate(_ cursor: inout ByteCursor) -> Int64? {
    guard let day = cursor.digits(2), cursor.take(ASCII.space),
      let month = name(&cursor, of: months, count: 12), cursor.take(ASCII.space),
      let year = cursor.digits(4), cursor.take(ASCII.space), let time = timeOfDay(&cursor),
      cursor.take(" GMT")
    else { return nil }
    return seconds(year, month, day, time)
  }

  /// `06-Nov-94 08:49:37 GMT`
  private static func obsoleteDate(_ cursor: inout ByteCursor, now: Int64) -> Int64? {
    guard let day = cursor.digits(2), cursor.take(0x2D),
      let month = name(&cursor, of: months, count: 12), cursor.take(0x2D),
      let shortYear = cursor.digits(2), cursor.take(ASCII.space), let time = timeOfDay(&cursor),
      cursor.take(" GMT")
    else { return nil }
    // A year has 365.2425 days; here a day more or less does not matter.
    let currentYear = 1970 + Int(now / 31_556_952)
    var year = currentYear - currentYear % 100 + shortYear
    if year > currentYear + yearsAhead { year -= 100 }
    return seconds(year, month, day, time)
  }

  /// `Nov  6 08:49:37 1994`
  private static func asctime(_ cursor: inout ByteCursor) -> Int64? {
    guard let month = name(&cursor, of: months, count: 12), cursor.take(ASCII.space) else {
      return nil
    }
    let day = cursor.take(ASCII.space) ? cursor.digits(1) : cursor.digits(2)
    guard let day, cursor.take(ASCII.space), let time = timeOfDay(&cursor),
      cursor.take(ASCII.space), let year = cursor.digits(4)
    else { return nil }
    return seconds(year, month, day, time)
  }

  /// `08:49:37`, in seconds. 60 is a leap second.
  private static func timeOfDay(_ cursor: inout ByteCursor) -> Int? {
    guard let hour = cursor.digits(2), hour < 24, cursor.take(ASCII.colon),
      let minute = cursor.digits(2), minute < 60, cursor.take(ASCII.colon),
      let second = cursor.digits(2), second <= 60
    else { return nil }
    return hour * 3600 + minute * 60 + second
  }

  // MARK: - Names

  private static var days: StaticString { "SunMonTueWedThuFriSat" }
  private static var months: StaticString { "JanFebMarAprMayJunJulAugSepOctNovDec" }

  private static func restOfDayName(_ day: Int) -> StaticString {
    switch day {
    case 2: "sday"
    case 3: "nesday"
    case 4: "rsday"
    case 6: "urday"
    default: "day"
    }
  }

  /// One of `count` names of three letters each; gives back which.
  private static func name(
    _ cursor: inout ByteCursor, of names: StaticString, count: Int
  ) -> Int? {
    var copy = cursor
    let letters = (copy.advance(), copy.advance(), copy.advance())
    for index in 0..<count {
      let name = names.utf8Start + index * 3
      if letters.0 == name[0], letters.1 == name[1], letters.2 == name[2] {
        cursor = copy
        return index
      }
    }
    return nil
  }

  // MARK: - The calendar

  /// - Parameter month: from 0.
  private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ time: Int) -> Int64? {
    guard day >= 1, day <= lengthOf(month, year) else { return nil }
    // Counted from 1 March, so that a leap day is a year's last (the year's days before a month
    // are then 30.6 a month, rounded).
    let shiftedYear = month < 2 ? year - 1 : year
    let shiftedMonth = (month + 10) % 12
    let leapDays = floored(shiftedYear, 4) - floored(shiftedYear, 100) + floored(shiftedYear, 400)
    let dayNumber = shiftedYear * 365 + leapDays + (shiftedMonth * 306 + 5) / 10 + day - 1
    let daysTo1970 = 719_468  // from 0000-03-01 to 1970-01-01
    return Int64(dayNumber - daysTo1970) * secondsInDay + Int64(time)
  }

  private static func floored(_ number: Int, _ divisor: Int) -> Int {
    number >= 0 ? number / divisor : -((divisor - 1 - number) / divisor)
  }

  private static func lengthOf(_ month: Int, _ year: Int) -> Int {
    switch month {
    case 1: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 3, 5, 8, 10: 30
    default: 31
    }
  }
}

extension ByteCursor {
  /// Takes the next byte, whichever it is.
  fileprivate mutating func advance() -> UInt8? {
    let byte = next
    if let byte { _ = take(byte) }
    return byte
  }
}
