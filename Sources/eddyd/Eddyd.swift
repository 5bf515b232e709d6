import ArgumentParser
import Eddy
import EddyCore
import EddyHTTP
import EddyJobs
@preconcurrency import Glibc
import Logging

@main
struct Eddyd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eddyd",
    abstract: "A job server over HTTP: submit work, get an answer at once, wait for the result.",
    discussion: HelpText.discussion,
    version: "eddyd \(String(cString: eddy_version_string()))")

  @OptionGroup(title: "Listening")
  var listening: ListenOptions

  @OptionGroup(title: "Configuration")
  var configuration: ConfigurationOptions

  @OptionGroup(title: "Bounds")
  var bounds: BoundOptions

  @OptionGroup(title: "Operation")
  var operation: OperationOptions

  func validate() throws {
    // The rest of a flag's value is checked where it is parsed; a host needs its port.
    do {
      _ = try listening.addresses()
    } catch {
      throw ValidationError("\(error)")
    }
  }

  func run() throws {
    StandardDescriptors.fill()
    // A peer or a log reader that goes away is an error of a write, not the program's end.
    signal(SIGPIPE, SIG_IGN)
    do {
      try EventLoop.run { loop in
        let settings = try await self.settings()
        if configuration.check {
          print(settings.summary(file: configuration.config))
          return
        }
        LoggingSystem.bootstrap { label in
          var handler = StreamLogHandler.standardError(label: label)
          handler.logLevel = settings.logLevel
          return handler
        }
        try await Server(settings: settings, loop: loop, logger: Logger(label: "eddyd")).run()
      }
    } catch let error as ConfigurationError {
      try Self.fail(EX_CONFIG, "\(error)")
    } catch let error as JobsConfigurationError {
      try Self.fail(EX_CONFIG, "\(configuration.config ?? "the flags"): \(error)")
    } catch let error as AccessLog.OpenFailure {
      try Self.fail(EX_CANTCREAT, "\(error)")
    } catch let error as ListenError {
      try Self.fail(EX_UNAVAILABLE, "\(error)")
    } catch let error as EddyError {
      try Self.fail(EXIT_FAILURE, error.message)
    }
  }

  private static func fail(_ status: Int32, _ message: String) throws -> Never {
    fputs("eddyd: \(message)\n", stderr)
    throw ExitCode(status)
  }

  /// The defaults, changed by the configuration file, changed by the flags.
  private func settings() async throws -> Settings {
    var settings = Settings(threads: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    if let path = configuration.config {
      let file = try await ConfigurationFile(path: path)
      try settings.apply(file.root, bodyLimit: bounds.maxBody?.bytes)
    }
    let addresses = try listening.addresses()
    if !addresses.isEmpty { settings.addresses = addresses }
    if settings.addresses.isEmpty {
      settings.addresses = [
        try ListenAddress(host: ListenOptions.defaultHost, port: ListenOptions.defaultPort)
      ]
    }
    if let threads = bounds.threads { settings.threads = threads }
    if let number = bounds.maxQueued { settings.jobs.maximumQueued = number }
    if let time = bounds.resultTTL { settings.jobs.resultTimeToLive = time.duration }
    if let size = bounds.maxBody { settings.limits.body = size.bytes }
    if let time = bounds.headTimeout { settings.limits.headTimeout = time.duration.nanoseconds }
    if let time = bounds.idleTimeout { settings.limits.idleTimeout = time.duration.nanoseconds }
    if let time = operation.drain { settings.drain = time.duration }
    if let level = operation.logLevel { settings.logLevel = level }
    return settings
  }
}

extension Settings {
  /// What `--check` prints.
  func summary(file: String?) -> String {
    let names = builtins.map { "\($0.rawValue) (built in)" } + tasks.map(\.name)
    let lines =
      [
        "\(file ?? "the flags"): as it should be",
        "listens on \(addresses.map(\.text).joined(separator: ", "))",
        "tasks: \(names.joined(separator: ", "))",
      ] + folders.map { "serves \($0.root) at \($0.prefix)" } + remarks
    return lines.joined(separator: "\n")
  }
}
