import ArgumentParser
import Logging

/// `--host`, `--port`, `--listen`.
struct ListenOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The address or the name to listen on. (default: 127.0.0.1)",
      discussion: "0.0.0.0 is every IPv4 address of the machine: put a proxy with TLS before it."))
  var host: String?

  @Option(help: "The TCP port; 0 lets the system choose, and the log says which. (default: 8888)")
  var port: UInt16?

  @Option(
    help: ArgumentHelp(
      "Listen here as well; may be given several times.",
      discussion:
        "HOST:PORT, [IPV6]:PORT or unix:PATH. With it, --host and --port have no default.",
      valueName: "address"), transform: listenAddress)
  var listen: [ListenAddress] = []

  static let defaultHost = "127.0.0.1"
  static let defaultPort: UInt16 = 8888

  /// What the flags ask for; empty if they say nothing.
  func addresses() throws(ListenAddress.Flaw) -> [ListenAddress] {
    guard host != nil || port != nil else { return listen }
    return [
      try ListenAddress(host: host ?? Self.defaultHost, port: port ?? Self.defaultPort)
    ] + listen
  }
}

/// `--config`, `--check`.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    name: [.customShort("c"), .long],
    help: "The configuration file, in JSON: tasks that are commands, and bounds.",
    completion: .file(extensions: ["json"]))
  var config: String?

  @Flag(help: "Check the flags and the configuration, say what they come to, and exit.")
  var check = false
}

/// The bounds that one changes most; the configuration file has the others.
struct BoundOptions: ParsableArguments {
  @Option(help: "Threads for functions that compute, such as sha256. (default: one a processor)")
  var threads: Int?

  @Option(help: "How many jobs may wait to be run, over all tasks; past it 429. (default: 10000)")
  var maxQueued: Int?

  @Option(
    help: ArgumentHelp(
      "How long a result is kept, unless it is deleted before. (default: 3600)",
      valueName: "seconds"), transform: seconds)
  var resultTTL: Seconds?

  @Option(
    help: ArgumentHelp(
      "The largest body of a request, whatever a task takes; past it 413. (default: 50M)",
      valueName: "bytes"), transform: byteCount)
  var maxBody: ByteCount?

  @Option(
    help: ArgumentHelp(
      "How long the head of a request may take to come; then 408. (default: 30)",
      valueName: "seconds"), transform: seconds)
  var headTimeout: Seconds?

  @Option(
    help: ArgumentHelp(
      "How long a connection may wait for its next request. (default: 75)",
      discussion: "Keep it above the keepalive_timeout of a proxy's upstream (nginx: 60).",
      valueName: "seconds"), transform: seconds)
  var idleTimeout: Seconds?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads); write 1 to 1024.")
    }
    if let maxQueued, maxQueued < 0 {
      throw ValidationError("--max-queued is \(maxQueued); write 0 or more.")
    }
    for (name, value) in [
      ("--result-ttl", resultTTL), ("--head-timeout", headTimeout), ("--idle-timeout", idleTimeout),
    ] where value?.duration == .zero {
      throw ValidationError("\(name) is 0; write seconds above 0.")
    }
  }
}

/// `--drain`, `--log-level`.
struct OperationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How long jobs may go on after a stop signal before they are ended. (default: 30)",
      valueName: "seconds"), transform: seconds)
  var drain: Seconds?

  @Option(
    help: ArgumentHelp(
      "The least level that is logged, to stderr. (default: info)", valueName: "level"))
  var logLevel: Logger.Level?
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

@Sendable
private func listenAddress(_ text: String) throws -> ListenAddress {
  do {
    return try ListenAddress(text)
  } catch {
    throw ValidationError(error.description)
  }
}

@Sendable
private func seconds(_ text: String) throws -> Seconds {
  guard let seconds = Seconds(text) else {
    throw ValidationError("write seconds as a decimal number, such as 30 or 0.5")
  }
  return seconds
}

@Sendable
private func byteCount(_ text: String) throws -> ByteCount {
  guard let count = ByteCount(text) else {
    throw ValidationError("write a number of bytes, such as 1048576, 64K, 50M or 2G")
  }
  return count
}
