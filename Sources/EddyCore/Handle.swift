import CLibev

/// What every handle of a loop has in common: it belongs to one loop, keeps itself alive from its
/// creation until its close callback has returned, and is closed once.
///
/// All members are for the loop's thread.
///
/// What can fail stands in a convenience initialiser, before it delegates: in Embedded Swift 6.3 a
/// designated initialiser of a class that throws never frees the instance.
public class Handle {
  /// A loop refuses to be destroyed while a handle is open, so a handle never outlives it. Hot paths
  /// use it as it is; what `loop` gives is counted, at two atomic operations a use.
  final let unmanagedLoop: Unmanaged<Loop>
  public final var loop: Loop {
    @inline(__always) get { unmanagedLoop.takeUnretainedValue() }
  }
  /// The pointer that each callback gets.
  public final let context: UnsafeMutableRawPointer?
  /// Whether `close` has been called. Nothing but the close callback comes after that.
  public final private(set) var isClosing = false

  private final var closeCallback: eddy_close_cb?
  private final var closeContext: UnsafeMutableRawPointer?
  /// A child of fork(2) can't go on with it: it has threads, or a descriptor that both would read.
  private final let forbidsFork: Bool
  /// The next handle whose close callback is due.
  final var nextClosing: Unmanaged<Handle>?

  init(loop: Loop, context: UnsafeMutableRawPointer?, forbidsFork: Bool = false) {
    unmanagedLoop = .passUnretained(loop)
    self.context = context
    self.forbidsFork = forbidsFork
    loop.openHandles += 1
    if forbidsFork { loop.handlesThatForbidFork += 1 }
    _ = Unmanaged.passRetained(self)
  }

  /// The handle as C knows it.
  final var opaque: OpaquePointer {
    OpaquePointer(Unmanaged.passUnretained(self).toOpaque())
  }

  /// Marks the handle as closing. The subclass stops its watchers, then calls `finishClosing`, at
  /// once or when what it must wait for has happened.
  final func beginClosing(_ callback: eddy_close_cb?, _ context: UnsafeMutableRawPointer?) {
    isClosing = true
    closeCallback = callback
    closeContext = context
  }

  /// Queues the close callback for the end of the turn.
  final func finishClosing() {
    loop.enqueueClosing(self)
  }

  /// Tells what the program must hear before the close callback.
  func tellBeforeClosing() {}

  /// Runs the close callback and gives up the handle's hold on itself.
  final func runCloseCallback() {
    tellBeforeClosing()
    if let closeCallback {
      unmanagedLoop._withUnsafeGuaranteedRef { loop in
        loop.dispatch(.close, closeCallback, closeContext) { closeCallback(closeContext) }
      }
    }
    loop.openHandles -= 1
    if forbidsFork { loop.handlesThatForbidFork -= 1 }
    Unmanaged.passUnretained(self).release()
  }
}
