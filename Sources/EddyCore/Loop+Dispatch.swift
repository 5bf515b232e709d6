import CLibev

/// Which of a handle's callbacks it is; the values are those of `EDDY_CALLBACK_…`.
enum CallbackKind: Int32 {
  case timer = 1
  case watcher
  case signal
  case post
  case accept
  case connect
  case read
  case write
  case idleStream
  case datagram
  case done
  case exit
  case lookup
  case file
  case hook
  case close
}

/// What is done with the time that callbacks take.
struct CallbackWatch {
  /// Nanoseconds: what takes longer is told of.
  var threshold: UInt64
  var callback: eddy_slow_callback_cb?
  var context: UnsafeMutableRawPointer?
}

// Each callback of a handle goes through `dispatch`, so that the loop counts it and, when it is asked
// to, measures it.
extension Loop {
  /// Runs one callback of a handle.
  /// - Parameters:
  ///   - function: the C function that `body` calls.
  ///   - context: what `body` gives it.
  @inline(__always)
  func dispatch<Function>(
    _ kind: CallbackKind, _ function: Function, _ context: UnsafeMutableRawPointer?,
    _ body: () -> Void
  ) {
    events &+= 1
    if isMeasuring {
      measure(kind, unsafeBitCast(function, to: UnsafeMutableRawPointer.self), context, body)
    } else {
      body()
    }
  }

  /// Runs a callback between two readings of the clock.
  @inline(never)
  func measure(
    _ kind: CallbackKind, _ function: UnsafeMutableRawPointer, _ context: UnsafeMutableRawPointer?,
    _ body: () -> Void
  ) {
    let start = Self.readClock()
    body()
    let duration = Self.readClock() - start
    longestCallback = max(longestCallback, duration)
    guard isMeasuring, duration > watch.threshold, let callback = watch.callback else { return }
    var slow = eddy_slow_callback()
    slow.size = MemoryLayout<eddy_slow_callback>.size
    slow.kind = kind.rawValue
    slow.function = function
    slow.context = context
    slow.duration = duration
    callback(&slow, watch.context)
  }

  /// Measures each callback from here on.
  /// - Parameters:
  ///   - threshold: nanoseconds; 0 ends it.
  ///   - callback: told of each that takes longer; without it, only `longestCallback` is kept.
  public func watchCallbacks(
    longerThan threshold: UInt64, context: UnsafeMutableRawPointer? = nil,
    _ callback: eddy_slow_callback_cb? = nil
  ) {
    watch = CallbackWatch(threshold: threshold, callback: callback, context: context)
    isMeasuring = threshold > 0
  }
}
