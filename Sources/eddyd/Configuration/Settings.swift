import EddyHTTP
import EddyJobs
import Logging

/// What the program does: the defaults, what the configuration file changes of them, and what the
/// flags change of that.
struct Settings {
  var addresses: [ListenAddress] = []
  /// Threads of the work pool.
  var threads: Int
  /// How long a stop may take before what still runs is ended.
  var drain: Duration = .seconds(30)
  var logLevel: Logger.Level = .info
  var limits = HTTPLimits()
  /// Nil for none.
  var accessLog: AccessLogSettings?
  /// Whose word about the client's address is believed. That of this machine: nginx before eddyd
  /// needs no configuration then, and from elsewhere nobody can connect from the loopback.
  var trustedProxies = TrustedProxies.loopback
  /// How many clients may be connected at once: nil for what ``DescriptorLimit`` allows; 0 for any.
  var connections: Int?
  var jobs = JobsConfiguration()
  var store = MemoryStore.Limits()
  var builtins = BuiltinTask.allCases
  /// Those of the configuration file.
  var tasks: [TaskDefinition] = []
  /// Folders whose files are served.
  var folders: [ServedFolder] = []
  /// What the operator should know, though it keeps nothing from working.
  var remarks: [String] = []

  init(threads: Int) {
    self.threads = threads
  }
}

/// A folder whose files are served below a path.
struct ServedFolder {
  /// `/`, or a path without a slash at its end.
  let prefix: String
  /// As it is written.
  let root: String
  let files: StaticFiles
}

/// The tasks that come with the program.
enum BuiltinTask: String, CaseIterable {
  case sleep, sha256
}
