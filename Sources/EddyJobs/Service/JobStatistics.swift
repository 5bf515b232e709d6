/// What a ``JobService`` has done since it was made, and what it holds now.
public struct JobStatistics: Sendable, Equatable {
  // MARK: Counted

  /// New jobs.
  public var submitted = 0
  /// Submissions that found their key's job.
  public var replayed = 0
  /// Submissions refused because too many wait (429).
  public var refusedFull = 0
  /// Attempts begun.
  public var started = 0
  public var succeeded = 0
  public var failed = 0
  public var cancelled = 0
  /// Attempts that ended after the job was no longer theirs, by time limit or by lost lease.
  public var fenced = 0
  /// Attempts given back unfinished, to be run again.
  public var released = 0
  /// Calls of the store that failed.
  public var storeErrors = 0
  /// Changes that a waiting poll or a running job learnt from the sweep, because no wake had come.
  public var wakesMissed = 0
  /// Polls held and then answered.
  public var pollsAnswered = 0
  /// Polls whose client went away while they were held.
  public var pollsAbandoned = 0

  // MARK: Present

  /// Polls held now.
  public var waiting = 0
  /// Attempts under way now.
  public var running = 0

  public init() {}
}
