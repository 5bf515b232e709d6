import Eddy
import Glibc

/// The lines between the loops that make them and the thread that writes them.
///
/// Unchecked, because its mutex guards all that changes. A POSIX mutex, because the writer waits
/// on a condition with a deadline; it is held for the time of a copy or a swap, never while
/// anything is written.
final class AccessLogQueue: @unchecked Sendable {
  /// What the writer is woken for.
  struct Event {
    var reopens: Bool
    var closes: Bool
  }

  /// How long lines are collected: at most ten wakes and writes a second, whatever the load.
  static let collecting = Duration.milliseconds(100)
  /// How long after a failure the writer tries again.
  static let retrying = Duration.seconds(1)

  private let capacity: Int
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// For the writer: there is something to do.
  private let work = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// For whoever closes: the writer has ended.
  private let end = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  private var lines: [UInt8] = []
  private var dropped = 0
  /// The writer waits for a line.
  private var isIdle = false
  private var reopens = false
  private var isClosed = false
  private var isEnded = false

  init(capacity: Int) {
    self.capacity = capacity
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    // A clock that nobody sets.
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(work, &attributes)
    pthread_cond_init(end, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(work)
    pthread_cond_destroy(end)
    pthread_mutex_destroy(mutex)
    work.deallocate()
    end.deallocate()
    mutex.deallocate()
  }

  // MARK: Any thread

  /// Takes a line, or drops it.
  func append(_ line: [UInt8]) {
    locked {
      guard !isClosed, line.count <= capacity - lines.count else {
        dropped += 1
        return
      }
      let wasLow = lines.count < capacity / 2
      lines.append(contentsOf: line)
      // A wake costs a system call: one for the first line, and one when it gets close.
      if isIdle || wasLow && isHalfFull {
        isIdle = false
        pthread_cond_signal(work)
      }
    }
  }

  func requestReopening() {
    locked {
      reopens = true
      pthread_cond_signal(work)
    }
  }

  func close() {
    locked {
      isClosed = true
      pthread_cond_signal(work)
    }
  }

  var droppedLines: Int { locked { dropped } }

  /// - Returns: false if the time is over first.
  func waitUntilEnded(within limit: Duration) -> Bool {
    locked {
      var deadline = Self.deadline(after: limit)
      while !isEnded {
        if pthread_cond_timedwait(end, mutex, &deadline) != 0 { return isEnded }
      }
      return true
    }
  }

  // MARK: The writer's thread

  /// Waits for lines, and then for more of them; or for a request.
  func next() -> Event {
    locked {
      while lines.isEmpty && !isAsked {
        isIdle = true
        pthread_cond_wait(work, mutex)
      }
      isIdle = false
      var deadline = Self.deadline(after: Self.collecting)
      while !isAsked && !isHalfFull {
        if pthread_cond_timedwait(work, mutex, &deadline) != 0 { break }
      }
      return takeEvent()
    }
  }

  /// Waits until it is time to try again; or for a request.
  func pause() -> Event {
    locked {
      var deadline = Self.deadline(after: Self.retrying)
      while !isAsked {
        if pthread_cond_timedwait(work, mutex, &deadline) != 0 { break }
      }
      return takeEvent()
    }
  }

  /// Exchanges the lines that have come for memory to put the next ones in.
  func swapLines(with empty: inout [UInt8]) {
    locked { swap(&lines, &empty) }
  }

  /// The writer ends; lines that it could not write are dropped.
  func finish(unwritten: Int) {
    locked {
      dropped += unwritten
      isEnded = true
      pthread_cond_broadcast(end)
    }
  }

  // MARK: With the mutex

  private var isAsked: Bool { reopens || isClosed }
  private var isHalfFull: Bool { lines.count >= capacity / 2 }

  private func takeEvent() -> Event {
    defer { reopens = false }
    return Event(reopens: reopens, closes: isClosed)
  }

  private func locked<Value>(_ body: () -> Value) -> Value {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  private static func deadline(after time: Duration) -> timespec {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let nanoseconds = time.components.attoseconds / 1_000_000_000 + Int64(now.tv_nsec)
    let second: Int64 = 1_000_000_000
    now.tv_sec += Int(time.components.seconds + nanoseconds / second)
    now.tv_nsec = Int(nanoseconds % second)
    return now
  }
}
