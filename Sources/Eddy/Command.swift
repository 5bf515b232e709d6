/// A program to run, and the bounds that it runs within.
public struct Command: Sendable {
  /// A path, or a name that is looked up in PATH.
  public var file: String
  /// What follows the program's name: argv from 1 on.
  public var arguments: [String]
  /// Name and value of each variable; nil for the caller's environment.
  public var environment: [String: String]?
  /// The working directory; nil for the caller's.
  public var directory: String?
  /// What it can read from its standard input. Where it reads less, that is no error.
  public var standardInput: [UInt8]
  /// The most bytes of standard output. A command that writes more is ended.
  public var outputLimit: Int
  /// How much of the end of standard error is kept, in bytes.
  public var errorTailLimit: Int
  /// How long it may run; nil for as long as it likes.
  public var timeLimit: Duration?
  /// How long a command that has been told to end (SIGTERM) may take to do so before it is killed
  /// (SIGKILL). Zero: it is killed at once.
  public var graceTime: Duration

  /// The end of standard error that is kept by default: a few dozen lines.
  public static let defaultErrorTailLimit = 8192
  /// docker-stop(1) gives 10 s to a whole service; a command has less to tidy up.
  public static let defaultGraceTime = Duration.seconds(5)

  public init(
    file: String, arguments: [String] = [], environment: [String: String]? = nil,
    directory: String? = nil, standardInput: [UInt8] = [], outputLimit: Int,
    errorTailLimit: Int = defaultErrorTailLimit, timeLimit: Duration?,
    graceTime: Duration = defaultGraceTime
  ) {
    self.file = file
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.standardInput = standardInput
    self.outputLimit = outputLimit
    self.errorTailLimit = errorTailLimit
    self.timeLimit = timeLimit
    self.graceTime = graceTime
  }
}

/// What became of a command.
public struct CommandResult: Sendable, Equatable {
  public enum Ending: Sendable, Equatable {
    /// It ended by itself, with a status of exit(3).
    case exited(status: Int32)
    /// A signal ended it that was not sent from here.
    case signalled(Int32)
    /// It ran longer than its time limit.
    case timedOut
    /// It wrote more than its output limit.
    case outputTooLong
    /// ``CommandExecution/cancel()`` was called.
    case cancelled
  }

  public var ending: Ending
  /// Its standard output; not more than the limit.
  public var output: [UInt8]
  /// The end of its standard error.
  public var errorTail: [UInt8]

  public init(ending: Ending, output: [UInt8], errorTail: [UInt8]) {
    self.ending = ending
    self.output = output
    self.errorTail = errorTail
  }
}
