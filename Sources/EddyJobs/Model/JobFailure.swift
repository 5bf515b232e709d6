/// Why a job has no result: the substance of the problem document (RFC 9457) that its clients get.
public struct JobFailure: Sendable, Equatable, Codable {
  /// What kind of failure: the same for every occurrence.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// The task's own code refused or threw.
    case failed = "task-failed"
    /// It ran longer than its task's time limit.
    case timedOut = "task-timed-out"
    /// Its result was longer than its task's output limit.
    case outputTooLong = "task-output-too-long"
    /// It crashed its worker too often.
    case crashed = "task-crashed"
  }

  public var kind: Kind
  /// A short summary that does not change from occurrence to occurrence.
  public var title: String
  /// What happened this time.
  public var detail: String?
  /// A command's exit status.
  public var exitStatus: Int?
  /// The signal that ended a command, such as 9.
  public var signal: Int?
  /// The end of a command's standard error.
  public var errorOutput: String?

  public init(
    kind: Kind = .failed, title: String, detail: String? = nil, exitStatus: Int? = nil,
    signal: Int? = nil, errorOutput: String? = nil
  ) {
    self.kind = kind
    self.title = title
    self.detail = detail
    self.exitStatus = exitStatus
    self.signal = signal
    self.errorOutput = errorOutput
  }
}
