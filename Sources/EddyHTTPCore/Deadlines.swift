import EddyCore

/// One connection's place in a ``DeadlineList``.
struct DeadlineNode {
  fileprivate var previous: UnsafeMutablePointer<DeadlineNode>?
  fileprivate var next: UnsafeMutablePointer<DeadlineNode>?
  fileprivate var list: Unmanaged<DeadlineList>?
  fileprivate var deadline: UInt64 = 0
  let connection: Unmanaged<Connection>

  init(_ connection: Connection) {
    self.connection = .passUnretained(connection)
  }
}

/// The connections that wait for the same kind of thing, the earliest deadline first, and one timer
/// for all of them.
///
/// All of them wait equally long, so that a connection is always appended at the end. The timer is
/// set for the first of them and not moved when that one leaves: it then comes too early once, which
/// costs less than a timer that is set anew with each request.
final class DeadlineList {
  let duration: UInt64
  private let loop: Loop
  private let expired: (Connection) -> Void
  private var timer: Timer?
  private var first: UnsafeMutablePointer<DeadlineNode>?
  private var last: UnsafeMutablePointer<DeadlineNode>?
  private var isTimerSet = false

  /// - Parameter expired: called with a connection whose deadline has passed, after it has left
  ///   the list.
  init(loop: Loop, duration: UInt64, expired: @escaping (Connection) -> Void) {
    self.loop = loop
    // At least 1: a node that `expired` appends again must wait for the next turn.
    self.duration = min(max(duration, 1), Timer.maximumDelay)
    self.expired = expired
    timer = Timer(loop: loop, context: Unmanaged.passUnretained(self).toOpaque()) { _, context in
      Unmanaged<DeadlineList>.fromOpaque(context!).takeUnretainedValue().fire()
    }
  }

  /// Puts a node at the end, taking it out of the list that it is in.
  func append(_ node: UnsafeMutablePointer<DeadlineNode>) {
    Self.remove(node)
    node.pointee.deadline = loop.now &+ duration
    node.pointee.list = .passUnretained(self)
    node.pointee.previous = last
    if let last { last.pointee.next = node } else { first = node }
    last = node
    if !isTimerSet { setTimer(duration) }
  }

  /// Takes a node out of the list that it is in, if any.
  static func remove(_ node: UnsafeMutablePointer<DeadlineNode>) {
    guard let list = node.pointee.list else { return }
    list._withUnsafeGuaranteedRef { $0.unlink(node) }
    node.pointee.list = nil
    node.pointee.previous = nil
    node.pointee.next = nil
  }

  func contains(_ node: UnsafeMutablePointer<DeadlineNode>) -> Bool {
    node.pointee.list?.toOpaque() == Unmanaged.passUnretained(self).toOpaque()
  }

  /// No deadline passes any more.
  func close() {
    timer?.close()
    timer = nil
  }

  private func unlink(_ node: UnsafeMutablePointer<DeadlineNode>) {
    let previous = node.pointee.previous
    let next = node.pointee.next
    if let previous { previous.pointee.next = next } else { first = next }
    if let next { next.pointee.previous = previous } else { last = previous }
  }

  private func setTimer(_ delay: UInt64) {
    guard let timer else { return }
    isTimerSet = true
    timer.start(delay: delay)
  }

  private func fire() {
    isTimerSet = false
    while let node = first, node.pointee.deadline <= loop.now {
      let connection = node.pointee.connection.takeUnretainedValue()
      Self.remove(node)
      expired(connection)
    }
    if let first, !isTimerSet { setTimer(first.pointee.deadline &- loop.now) }
  }
}
