import EddyCore
import Glibc

/// Strings as C wants them: an array of pointers, ended by a null, for as long as this is alive.
final class CStringArray {
  private let strings: UnsafeMutableBufferPointer<UnsafePointer<CChar>?>

  /// - Throws: `EDDY_EINVAL` for a string with a zero byte, which C would take for its end.
  init(_ texts: [String]) throws(EddyError) {
    guard texts.allSatisfy({ !$0.utf8.contains(0) }) else {
      throw EddyError(code: Int32(EDDY_EINVAL))
    }
    strings = .allocate(capacity: texts.count + 1)
    _ = strings.initialize(from: texts.map { UnsafePointer(strdup($0)) } + [nil])
  }

  deinit {
    for string in strings { free(UnsafeMutablePointer(mutating: string)) }
    strings.deallocate()
  }

  var pointer: UnsafePointer<UnsafePointer<CChar>?> { UnsafePointer(strings.baseAddress!) }
}
