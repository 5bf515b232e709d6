/// A value that only the loop's thread may touch, in a wrapper that may go anywhere.
///
/// Use it to take a value that is not `Sendable` through a `@Sendable` closure that runs on the
/// loop in the end.
public struct LoopBound<Value>: @unchecked Sendable {
  // Unchecked, because the value is confined to the loop's thread, which each access checks. The
  // value is held by a box, so that a copy of the wrapper on another thread does not copy it.

  private final class Box {
    var value: Value

    init(_ value: Value) {
      self.value = value
    }
  }

  public let loop: EventLoop
  private let box: Box

  /// - Precondition: called on the loop's thread.
  public init(_ value: Value, loop: EventLoop) {
    loop.preconditionOnLoop()
    self.loop = loop
    box = Box(value)
  }

  /// The value.
  ///
  /// - Precondition: called on the loop's thread.
  public var value: Value {
    get {
      loop.preconditionOnLoop()
      return box.value
    }
    nonmutating set {
      loop.preconditionOnLoop()
      box.value = newValue
    }
  }
}
