import EddyHTTP

/// The query parameter `wait`: how long a poll may be held.
enum WaitParameter {
  /// What `query` asks for, or the default; never more than the configuration allows.
  ///
  /// - Throws: 400 for what is not a number of seconds within the limit.
  static func parse(_ query: Query, _ configuration: JobsConfiguration) throws(Problem) -> Duration
  {
    let values = query[values: "wait"]
    guard let value = values.first else { return configuration.defaultWait }
    let maximum = configuration.maximumWait
    do throws(DecimalSeconds.Flaw) {
      guard values.count == 1 else { throw DecimalSeconds.Flaw.notANumber }
      let wait = try DecimalSeconds.parse(value.utf8)
      guard wait <= maximum else { throw DecimalSeconds.Flaw.tooLarge }
      return wait
    } catch {
      let shown = values.map { "wait=\($0.prefix(40))" }.joined(separator: "&")
      throw Problem(
        .badRequest,
        "The query has \(shown), which \(error.explanation); "
          + "write wait=0 to wait=\(maximum.components.seconds), in seconds, such as wait=30.",
        type: JobProblem.type("bad-wait"), title: "Bad wait parameter")
    }
  }
}
