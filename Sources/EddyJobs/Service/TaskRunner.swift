/// A task on this worker: its definition, and how much of it is under way.
final class TaskRunner: @unchecked Sendable {
  // Unchecked, because it is confined to the loop's thread.

  let definition: TaskDefinition
  /// Attempts that have a slot: under way, or being claimed.
  var busy = 0
  /// The store may have jobs of this task that wait. A hint: a claim finds out.
  var hasBacklog = true
  /// The pool had no room: no claims until an attempt ends or a sweep has passed.
  var isHeldBack = false

  init(_ definition: TaskDefinition) { self.definition = definition }

  var free: Int { max(0, definition.concurrency - busy) }
  /// More of its jobs can be taken, and may be there.
  var canClaim: Bool { hasBacklog && !isHeldBack && busy < definition.concurrency }
}
