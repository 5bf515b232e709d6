// The C ABI. Each function implements its declaration in include/eddy/, and the compiler checks
// that the types agree. Contracts are in the headers; here, null handles and bad arguments are
// turned away, and the rest is passed on.

/// The answer to a null pointer or an argument out of range.
let invalid = code(EDDY_EINVAL)

/// The handle behind a C pointer that has been checked for null.
@inline(__always)
func handle<Object: AnyObject>(_ pointer: OpaquePointer) -> Object {
  Unmanaged<Object>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
}

/// Calls `body` with the handle behind a C pointer. On hot paths: `handle` counts a reference, at two
/// atomic operations.
@inline(__always)
func with<Object: AnyObject, Result>(
  _ pointer: OpaquePointer, as type: Object.Type, _ body: (Object) -> Result
) -> Result {
  Unmanaged<Object>.fromOpaque(UnsafeRawPointer(pointer))._withUnsafeGuaranteedRef(body)
}

/// Runs the creation of a handle and hands it to C.
@inline(__always)
func create(
  _ out: UnsafeMutablePointer<OpaquePointer?>, _ make: () throws(EddyError) -> Handle
) -> Int32 {
  do throws(EddyError) {
    out.pointee = try make().opaque
    return 0
  } catch {
    return error.code
  }
}

/// Closes a handle once.
@inline(__always)
func close(_ handle: Handle, _ body: () -> Void) -> Int32 {
  guard !handle.isClosing else { return code(EDDY_EALREADY) }
  body()
  return 0
}

/// A copy of a caller's configuration struct, which may be older and shorter than ours, with
/// what it lacks taken from the defaults; nil if its size can't be right.
@inline(__always)
func configuration<Configuration: BitwiseCopyable>(
  _ given: UnsafePointer<Configuration>, size: Int, defaults: Configuration
) -> Configuration? {
  guard size >= MemoryLayout<Int>.size, size <= MemoryLayout<Configuration>.size else {
    return nil
  }
  var copy = defaults
  withUnsafeMutableBytes(of: &copy) {
    $0.copyMemory(from: UnsafeRawBufferPointer(start: given, count: size))
  }
  return copy
}
