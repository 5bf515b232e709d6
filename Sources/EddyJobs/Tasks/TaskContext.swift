import Glibc
import Synchronization

/// What a client sent.
public struct TaskInput: Sendable {
  public var bytes: [UInt8]
  /// The request's `Content-Type`.
  public var contentType: String?

  public init(_ bytes: [UInt8], contentType: String? = nil) {
    self.bytes = bytes
    self.contentType = contentType
  }
}

/// What a task's function is given.
public struct TaskContext: Sendable {
  /// The job, shortened: for logs only.
  public let jobID: String
  /// 1 for the first attempt; 2 if a worker was lost before, and so on.
  public let attempt: Int
  public let input: [UInt8]
  /// The input's content type, as its client said.
  public let contentType: String?
  let cancellation: CancellationFlag

  /// Whether the result is no longer wanted: cancelled, or past its time limit. From any thread.
  public var isCancelled: Bool { cancellation.isRaised }
}

/// Raised once, by the loop; read from any thread.
final class CancellationFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  var isRaised: Bool { flag.load(ordering: .relaxed) }
  func raise() { flag.store(true, ordering: .relaxed) }
}

/// When an attempt really began: a function may wait for a thread of the pool first.
final class StartMark: Sendable {
  /// By CLOCK_MONOTONIC, in nanoseconds; 0: not yet.
  private let time = Atomic<UInt64>(0)

  /// Any thread.
  func set() { time.store(Self.now(), ordering: .relaxed) }

  /// How long ago that was; nil before it.
  var age: Duration? {
    let time = time.load(ordering: .relaxed)
    return time == 0 ? nil : .nanoseconds(Int64(Self.now() - time))
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// A result.
public struct TaskOutput: Sendable {
  public var bytes: [UInt8]
  /// nil: the task's own.
  public var contentType: String?

  public init(_ bytes: [UInt8], contentType: String? = nil) {
    self.bytes = bytes
    self.contentType = contentType
  }

  /// Text, in UTF-8.
  public init(text: String) {
    self.init(Array(text.utf8), contentType: "text/plain; charset=utf-8")
  }
}

/// Throw it from a task's function to fail the job and tell its clients why.
///
/// Any other error fails the job too, but its text goes to the log only: it was not written for
/// clients.
public struct TaskFailure: Error, Sendable {
  /// A short summary that does not change from occurrence to occurrence.
  public var title: String
  /// What was wrong this time, with which value, and what would be right.
  public var detail: String?

  public init(_ title: String, detail: String? = nil) {
    self.title = title
    self.detail = detail
  }
}
