import Glibc
import Logging

/// RLIMIT_NOFILE: each connection, and each pipe of a command, is a descriptor.
enum DescriptorLimit {
  /// Fewer than this many are soon used up by held polls.
  private static let comfortable: rlim_t = 4096

  /// Raises the soft limit, which is often 1,024, to the hard one.
  static func raise(logger: Logger) {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { return }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      if setrlimit(resource, &limit) != 0 { getrlimit(resource, &limit) }
    }
    if limit.rlim_cur < comfortable {
      logger.warning(
        "few descriptors: more clients than that wait to be accepted (ulimit -Hn, LimitNOFILE=)",
        metadata: ["descriptors": "\(limit.rlim_cur)"])
    } else {
      logger.debug("descriptors", metadata: ["limit": "\(limit.rlim_cur)"])
    }
  }
}
