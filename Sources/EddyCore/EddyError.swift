@_exported import CEddy
import CLibev

/// An error of the reactor: one of the codes of `eddy/error.h`.
public struct EddyError: Error, Equatable, Sendable {
  /// A negative `EDDY_E…` code.
  public let code: Int32

  public init(code: Int32) {
    self.code = code
  }

  init(_ code: Int) {
    self.code = Int32(code)
  }

  /// The error for `errno` as it stands.
  static var current: EddyError {
    EddyError(code: eddy_error_from_errno(clibev_errno()))
  }

  /// The code's name, for example `EDDY_EADDRINUSE`.
  public var name: String { String(cString: eddy_error_name(code)) }

  /// What it means, for example "address already in use".
  public var message: String { String(cString: eddy_error_message(code)) }
}

// `CustomStringConvertible` dispatches through an existential that Embedded Swift lacks.
#if !hasFeature(Embedded)
  extension EddyError: CustomStringConvertible {
    public var description: String { "\(name): \(message)" }
  }
#endif

/// A code of the header, which C's enumerators carry as `Int`, in the type that functions return.
@inline(__always)
func code(_ enumerator: Int) -> Int32 {
  Int32(truncatingIfNeeded: enumerator)
}
