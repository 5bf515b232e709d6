import EddyHTTP

/// A kind of work that clients may submit: how it is done, and within which bounds.
///
/// ```swift
/// let resize = TaskDefinition.function("resize", concurrency: 2) { context in
///   TaskOutput(try resized(context.input), contentType: "image/png")
/// }
/// ```
///
/// A job runs at least once: after the loss of its worker it runs again. A task with effects outside
/// has to be able to bear that.
public struct TaskDefinition: Sendable {
  /// The last part of `/tasks/{name}`: letters, digits, `.`, `_`, `-`.
  public var name: String
  /// How many of its jobs this worker runs at once.
  public var concurrency: Int
  /// How many of its jobs may wait; past it a submission is answered 429.
  public var queueLimit: Int
  /// The longest input, in bytes; past it a submission is answered 413.
  public var bodyLimit: Int
  /// The longest result, in bytes; a longer one fails the job.
  public var outputLimit: Int
  /// How long an attempt may run. Then a command is ended (TERM, then KILL), an async function's
  /// task is cancelled, a function's ``TaskContext/isCancelled`` becomes true, and the job fails.
  /// A function that goes on regardless keeps its slot of `concurrency`, and its result is refused.
  public var timeLimit: Duration
  /// The result's content type, unless a function's ``TaskOutput`` names another.
  public var contentType: String
  /// Whether a job is cancelled when a client that waits for it goes away and no other waits here.
  public var cancelsWhenAbandoned: Bool
  /// Looks at an input before it becomes a job. What it throws is the answer: 400 or 422 for an
  /// input that can be seen to be wrong. It runs on the loop's thread, so it has to be quick.
  public var validate: (@Sendable (TaskInput) throws(Problem) -> Void)?

  let work: Work

  /// How a task is done.
  enum Work: Sendable {
    case function(@Sendable (TaskContext) throws -> TaskOutput)
    case async(@Sendable (TaskContext) async throws -> TaskOutput)
    case command(CommandDefinition)
  }

  /// A function that blocks or computes; it runs on a thread of the service's pool.
  public static func function(
    _ name: String, concurrency: Int = 4,
    _ body: @escaping @Sendable (TaskContext) throws -> TaskOutput
  ) -> TaskDefinition {
    TaskDefinition(name: name, concurrency: concurrency, work: .function(body))
  }

  /// An async function; it runs on the loop's thread, which it must not block.
  public static func async(
    _ name: String, concurrency: Int = 100,
    _ body: @escaping @Sendable (TaskContext) async throws -> TaskOutput
  ) -> TaskDefinition {
    TaskDefinition(name: name, concurrency: concurrency, work: .async(body))
  }

  /// A program: the input is its standard input, its standard output the result.
  public static func command(
    _ name: String, concurrency: Int = 2, _ command: CommandDefinition
  ) -> TaskDefinition {
    TaskDefinition(name: name, concurrency: concurrency, work: .command(command))
  }

  private init(name: String, concurrency: Int, work: Work) {
    self.name = name
    self.concurrency = concurrency
    self.work = work
    queueLimit = 1_000
    bodyLimit = 1 << 20
    outputLimit = 16 << 20
    timeLimit = .seconds(3_600)
    contentType = "application/octet-stream"
    cancelsWhenAbandoned = false
  }

  /// The same task with other bounds: `task.with { $0.timeLimit = .seconds(5) }`.
  public func with(_ change: (inout TaskDefinition) -> Void) -> TaskDefinition {
    var copy = self
    change(&copy)
    return copy
  }

  /// Whether a task may have this name: 1 to 100 letters, digits, `.`, `_` and `-`, so that it is a
  /// segment of a path as it stands; and neither `.` nor `..`, which clients resolve.
  public static func isValid(name: String) -> Bool {
    let isWritable = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
    return isWritable && (1...100).contains(name.utf8.count) && name != "." && name != ".."
  }

  /// What is wrong with the definition; nil if nothing is.
  func flaw() -> String? {
    if !Self.isValid(name: name) {
      return "the name '\(name)' may have letters, digits, '.', '_' and '-', 100 in all"
    }
    for (value, what, least) in [
      (concurrency, "concurrency", 1), (queueLimit, "queueLimit", 0), (bodyLimit, "bodyLimit", 0),
      (outputLimit, "outputLimit", 0),
    ] where value < least {
      return "task '\(name)': \(what) is \(value), it has to be at least \(least)"
    }
    if timeLimit <= .zero {
      return "task '\(name)': timeLimit is \(timeLimit), it has to be longer than zero"
    }
    if case .command(let command) = work {
      if command.arguments.first?.isEmpty ?? true {
        return "task '\(name)': a command needs a program as its first argument"
      }
    }
    return nil
  }
}

/// A program to run for each job.
public struct CommandDefinition: Sendable {
  /// The program, looked up in `PATH` unless it has a slash, and its arguments. No shell is involved.
  public var arguments: [String]
  /// The program's environment; nil: this process's own.
  public var environment: [String: String]?
  /// Where it runs; nil: this process's directory.
  public var directory: String?
  /// How long it has between TERM and KILL.
  public var graceTime: Duration

  public init(
    arguments: [String], environment: [String: String]? = nil, directory: String? = nil,
    graceTime: Duration = .seconds(5)
  ) {
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.graceTime = graceTime
  }
}
