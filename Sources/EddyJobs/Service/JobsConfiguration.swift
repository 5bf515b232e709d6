/// The bounds of a ``JobService``.
public struct JobsConfiguration: Sendable {
  /// How many jobs may wait, over all tasks; past it a submission is answered 429.
  public var maximumQueued: Int = 10_000
  /// How long a result stays after its job ended, unless it is acknowledged before.
  public var resultTimeToLive: Duration = .seconds(3_600)
  /// How long a job that expired or was acknowledged answers 410; then it answers 404.
  public var tombstoneTimeToLive: Duration = .seconds(3_600)
  /// How long a poll without `wait` is held.
  public var defaultWait: Duration = .seconds(30)
  /// The longest `wait`. Below the 200 s after which the reverse proxy gives up.
  public var maximumWait: Duration = .seconds(180)
  /// A held poll is answered early by up to this share of its wait, at random, so that polls that
  /// came together do not come back together.
  public var waitJitter: Double = 0.06
  /// A job that has lost this many workers while it ran is dead.
  public var maximumCrashes: Int = 3
  /// How long the worker's jobs stay its own without a sign of life.
  public var lease: Duration = .seconds(10)
  /// How often the service looks for what no wake has told it.
  public var sweepInterval: Duration = .seconds(1)
  /// What 202, 429 and 503 say in `Retry-After`, in whole seconds, unless a store knows better.
  public var retryAfter: Duration = .seconds(1)

  public init() {}

  /// What is wrong with the configuration; nil if nothing is.
  func flaw() -> String? {
    if maximumQueued < 0 { return "maximumQueued is \(maximumQueued); the least is 0" }
    if !(0...0.5).contains(waitJitter) { return "waitJitter is \(waitJitter); write 0 to 0.5" }
    if maximumCrashes < 1 { return "maximumCrashes is \(maximumCrashes); the least is 1" }
    if defaultWait < .zero || defaultWait > maximumWait {
      return "defaultWait is \(defaultWait); write zero to maximumWait, which is \(maximumWait)"
    }
    for (value, name) in [
      (resultTimeToLive, "resultTimeToLive"), (lease, "lease"), (sweepInterval, "sweepInterval"),
    ] where value <= .zero {
      return "\(name) is \(value); it has to be longer than zero"
    }
    if tombstoneTimeToLive < .zero { return "tombstoneTimeToLive is negative" }
    return nil
  }
}
