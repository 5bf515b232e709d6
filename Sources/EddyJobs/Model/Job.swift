/// Where a job stands.
///
/// ```
/// queued ──▶ running ──▶ succeeded | failed | cancelled
///   │          │  ▲
///   │          ▼  │
///   │       retrying ──▶ dead          (its worker crashed: again, or too often)
///   └────────▶ cancelled
/// ```
public enum JobState: String, Sendable, CaseIterable {
  /// Waits for its first attempt.
  case queued
  /// A worker has it.
  case running
  /// Its worker was lost; it waits for its next attempt.
  case retrying
  /// Ended, with a result.
  case succeeded
  /// Ended, with a ``JobFailure``.
  case failed
  /// Ended because a client asked for it.
  case cancelled
  /// Ended because it crashed its worker too often to be tried again.
  case dead

  /// Whether the job stays as it is from now on.
  public var isFinal: Bool {
    switch self {
    case .queued, .running, .retrying: false
    case .succeeded, .failed, .cancelled, .dead: true
    }
  }

  /// Whether a worker may claim it.
  public var isClaimable: Bool { self == .queued || self == .retrying }
}

/// A job as its store has it: everything but the bytes.
public struct Job: Sendable {
  public let id: JobID
  public let task: String
  /// Who submitted it, and alone may see it; nil without an authenticator.
  public let principal: String?
  public var state: JobState
  /// Starts at 1 and grows by one with every change that a client can see. The entity tag.
  public var version: Int
  /// How often it was claimed. Only ever grows: with the owner it is the fence.
  public var attempt: Int
  /// How often its worker was lost while it ran.
  public var crashes: Int
  /// The worker that runs it; nil unless ``JobState/running``.
  public var owner: WorkerID?
  /// A client asked for the end of a job that runs; its worker has to bring it about.
  public var isCancelRequested: Bool
  public var created: Timestamp
  /// When its latest attempt began.
  public var started: Timestamp?
  public var finished: Timestamp?
  /// When the result goes, acknowledged or not; nil until the job is final.
  public var expires: Timestamp?
  /// What the result is; nil unless ``JobState/succeeded``.
  public var result: ResultDescription?
  /// Why there is no result; nil unless ``JobState/failed`` or ``JobState/dead``.
  public var failure: JobFailure?

  /// A job that nobody has claimed yet.
  public init(id: JobID, task: String, principal: String?, created: Timestamp) {
    self.id = id
    self.task = task
    self.principal = principal
    self.created = created
    state = .queued
    version = 1
    attempt = 0
    crashes = 0
    isCancelRequested = false
  }
}

/// What is known of a result without reading it.
public struct ResultDescription: Sendable, Equatable {
  public var contentType: String?
  /// Bytes.
  public var count: Int

  public init(contentType: String?, count: Int) {
    self.contentType = contentType
    self.count = count
  }
}

/// What remains of a job whose result is gone, so that 410 can be told from 404.
public struct JobTombstone: Sendable, Equatable {
  public enum Reason: String, Sendable {
    /// Its time to live ended.
    case expired
    /// The client said that it had the result.
    case acknowledged
  }

  public var reason: Reason
  public var principal: String?
  /// When the result went.
  public var since: Timestamp

  public init(reason: Reason, principal: String?, since: Timestamp) {
    self.reason = reason
    self.principal = principal
    self.since = since
  }
}
