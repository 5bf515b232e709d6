import Synchronization

@testable import EddyJobs

/// Holds tasks back until a test lets them go, and counts them.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var entered = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// How many have come so far.
  var entered: Int { state.withLock { $0.entered } }

  /// Lets everybody go, now and later.
  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func pass() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        state.entered += 1
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  /// A task that passes the gate and gives its input back. Cancellation does not open the gate, but
  /// is obeyed behind it.
  func task(_ name: String = "gate", concurrency: Int = 100) -> TaskDefinition {
    .async(name, concurrency: concurrency) { context in
      await self.pass()
      try Task.checkCancellation()
      return TaskOutput(context.input, contentType: "text/plain")
    }
  }
}
