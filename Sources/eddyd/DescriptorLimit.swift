import EddyJobs
import Glibc
import Logging

/// RLIMIT_NOFILE: each connection is a descriptor, and each command that runs has some.
struct DescriptorLimit {
  /// How many descriptors this process may have open.
  let count: Int

  /// Fewer than this many are soon used up by held polls.
  private static let comfortable = 4096

  /// Raises the soft limit, which is often 1,024, to the hard one.
  static func raised(logger: Logger) -> DescriptorLimit {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    getrlimit(resource, &limit)
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      if setrlimit(resource, &limit) != 0 { getrlimit(resource, &limit) }
    }
    let count = Int(clamping: limit.rlim_cur)
    if count < comfortable {
      logger.warning(
        "few descriptors: more clients than that wait to be accepted (ulimit -Hn, LimitNOFILE=)",
        metadata: ["descriptors": "\(count)"])
    }
    return DescriptorLimit(count: count)
  }

  /// How many connections leave the commands what they need.
  ///
  /// - Parameters:
  ///   - commands: how many may run at once.
  ///   - descriptorsEach: how many descriptors a connection may take.
  func connections(besides commands: Int, descriptorsEach: Int = 1) -> Int {
    // At most half is kept back, so that many small commands don't keep all clients out.
    (count - min(Self.own + commands * Self.perCommand, count / 2)) / descriptorsEach
  }

  /// The program's own: standard streams, epoll, wake-ups, listeners, and a reserve.
  private static let own = 24
  /// Both ends of three pipes and a pidfd while a command is started; four of them afterwards.
  private static let perCommand = 7
}
