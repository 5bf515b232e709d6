import EddyCore
import Dispatch
import Glibc

/// A closure as the context of a C callback.
final class ClosureBox {
  let body: () -> Void

  init(_ body: @escaping () -> Void) {
    self.body = body
  }

  /// A context that is given up by the one call of `callOnce`.
  static func retained(_ body: @escaping () -> Void) -> UnsafeMutableRawPointer {
    Unmanaged.passRetained(ClosureBox(body)).toOpaque()
  }

  static func callOnce(_ context: UnsafeMutableRawPointer?) {
    Unmanaged<ClosureBox>.fromOpaque(context!).takeRetainedValue().body()
  }

  static func call(_ context: UnsafeMutableRawPointer?) {
    Unmanaged<ClosureBox>.fromOpaque(context!).takeUnretainedValue().body()
  }

  var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
}

extension Loop {
  /// Runs a closure on the loop after a while, with a timer that closes itself.
  func after(_ delay: UInt64, _ body: @escaping () -> Void) {
    let timer = Timer(loop: self, context: ClosureBox.retained(body)) { timer, context in
      Unmanaged<Timer>.fromOpaque(UnsafeRawPointer(timer!)).takeUnretainedValue().close()
      ClosureBox.callOnce(context)
    }
    timer.start(delay: delay)
  }

  /// Posts a closure. Any thread.
  func post(_ body: @escaping () -> Void) {
    post({ context, _ in ClosureBox.callOnce(context) }, ClosureBox.retained(body))
  }
}

/// A value that tests hand to other threads, whose use they order themselves.
final class Shared<Value>: @unchecked Sendable {
  var value: Value

  init(_ value: Value) {
    self.value = value
  }
}

/// Runs a closure on threads of their own, and waits until all have ended.
func onThreads(_ count: Int, _ body: @escaping @Sendable (_ index: Int) -> Void) {
  let finished = DispatchSemaphore(value: 0)
  startThreads(count, finished, body)
  for _ in 0..<count { finished.wait() }
}

/// The same without waiting; `finished` is signalled once a thread.
func startThreads(
  _ count: Int, _ finished: DispatchSemaphore, _ body: @escaping @Sendable (_ index: Int) -> Void
) {
  for index in 0..<count {
    let start = ClosureBox.retained {
      body(index)
      finished.signal()
    }
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { context in
        ClosureBox.callOnce(context)
        return nil
      }, start)
    precondition(status == 0)
    pthread_detach(thread)
  }
}
