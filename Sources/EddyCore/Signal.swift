import CLibev
import Synchronization

/// The signals that some loop of this process watches: bit n - 1 for signal n. libev aborts the
/// program when two loops watch one.
private let watchedSignals = Atomic<UInt64>(0)

/// Watches one signal. A started watcher does not keep the loop alive. The loop's thread.
public final class Signal: Handle {
  /// Signals are numbered from 1 to 64 (signal(7)).
  private static let highestSignal: Int32 = 64

  private final var storage = ev_signal()
  private let callback: eddy_signal_cb

  public init(
    loop: Loop, context: UnsafeMutableRawPointer?, _ callback: @escaping eddy_signal_cb
  ) {
    self.callback = callback
    super.init(loop: loop, context: context)
    clibev_signal_init(
      watcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<Signal>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.arrived() }
      }, 0)
    watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
  }

  /// A stored property of a final class does not move.
  private var watcher: UnsafeMutablePointer<ev_signal> {
    @inline(__always) get { withUnsafeMutablePointer(to: &storage) { $0 } }
  }

  private func arrived() {
    loop.dispatch(.signal, callback, context) { callback(opaque, watcher.pointee.signum, context) }
  }

  /// Takes the signal over from its present disposition (sigaction(2)).
  /// - Throws: `EDDY_EINVAL` for a number that is no signal or can't be caught; `EDDY_EBUSY` if
  ///   another loop of this process watches it; `EDDY_EALREADY` when started or closing;
  ///   `EDDY_EMFILE`, `EDDY_ENFILE`.
  public func start(_ signal: Int32) throws(EddyError) {
    guard !isClosing, clibev_signal_active(watcher) == 0 else { throw EddyError(EDDY_EALREADY) }
    guard (1...Self.highestSignal).contains(signal), signal != SIGKILL, signal != SIGSTOP,
      sigaction(signal, nil, nil) == 0  // glibc refuses those that its threads use (nptl(7))
    else { throw EddyError(EDDY_EINVAL) }
    if loop.signalWatchers.isEmpty {
      // For a loop's first signal libev opens such a descriptor, and aborts where there is none.
      let probe = Loop.makeWakeDescriptor()
      guard probe >= 0 else { throw .current }
      _ = CLibev.close(probe)
      loop.signalWatchers = Array(repeating: 0, count: Int(Self.highestSignal) + 1)
    }
    if loop.signalWatchers[Int(signal)] == 0 {
      let bit = UInt64(1) << UInt64(signal - 1)
      guard watchedSignals.bitwiseOr(bit, ordering: .relaxed).oldValue & bit == 0 else {
        throw EddyError(EDDY_EBUSY)
      }
    }
    loop.signalWatchers[Int(signal)] += 1
    watcher.pointee.signum = signal
    ev_signal_start(loop.ev, watcher)
    loop.hasChanged = true
  }

  public func stop() {
    guard clibev_signal_active(watcher) != 0 else { return }
    ev_signal_stop(loop.ev, watcher)
    let signal = watcher.pointee.signum
    loop.signalWatchers[Int(signal)] -= 1
    if loop.signalWatchers[Int(signal)] == 0 {
      watchedSignals.bitwiseXor(UInt64(1) << UInt64(signal - 1), ordering: .relaxed)
    }
  }

  /// Stops and frees the watcher.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    stop()
    beginClosing(callback, context)
    finishClosing()
  }
}
