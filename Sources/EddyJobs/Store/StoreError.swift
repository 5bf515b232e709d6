/// A store could not do what was asked; nothing of it was done.
///
/// Clients get 503 with `Retry-After`, never a promise that was not kept.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: Sendable, Equatable {
    /// Not reachable, or too slow: it may work again soon.
    case unavailable
    /// No room left: it works again when something goes.
    case outOfSpace
    /// What it holds cannot be used: a newer schema, a damaged file. An operator has to look.
    case unusable
  }

  public var kind: Kind
  /// For the operator's log: what was tried and what came back. Clients never see it.
  public var reason: String
  /// When it is worth trying again.
  public var retryAfter: Duration

  public init(_ kind: Kind, _ reason: String, retryAfter: Duration = .seconds(1)) {
    self.kind = kind
    self.reason = reason
    self.retryAfter = retryAfter
  }

  public var description: String { "\(kind): \(reason)" }

  static let truncated = StoreError(.unusable, "a stored body ended before its recorded length")
}
