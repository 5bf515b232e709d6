import EddyJobs
import Glibc

extension ConfigurationSection {
  /// Reads one task, as an object of `tasks`.
  ///
  /// - Parameters:
  ///   - name: the object's key.
  ///   - bodyLimit: the server's own; a task can't take more.
  /// - Returns: nil, and why, for an optional task whose program is not installed.
  func task(named name: String, bodyLimit: Int) throws -> (task: TaskDefinition?, absent: String?) {
    let directory = try directory()
    let isOptional = try boolean("optional") ?? false
    let (arguments, absent) = try command(from: directory)
    var command = CommandDefinition(arguments: arguments, directory: directory)
    command.environment = try environment()
    if let grace = try seconds("graceTime", atLeast: 0, "seconds from 0 on, such as 2") {
      command.graceTime = grace
    }

    var task = TaskDefinition.command(name, command)
    if let type = try contentType() { task.contentType = type }
    if let limit = try seconds("timeLimit", atLeast: 0.001, "seconds above 0, such as 10 or 0.5") {
      task.timeLimit = limit
    }
    if let number = try integer(
      "concurrency", in: 1...10_000, "how many may run at once, from 1 to 10000")
    {
      task.concurrency = number
    }
    let bytes = "a whole number of bytes, such as 1048576"
    let queue = try integer(
      "queueLimit", in: 0...1_000_000_000,
      "how many may wait, from 0 (none: they run, or are refused)")
    if let queue { task.queueLimit = queue }
    if let limit = try integer("bodyLimit", in: 0...Int.max, bytes) {
      guard limit <= bodyLimit else {
        throw wrong(
          "bodyLimit", "the server takes no body above \(bodyLimit) (limits.body, or --max-body)")
      }
      task.bodyLimit = limit
    } else {
      task.bodyLimit = min(task.bodyLimit, bodyLimit)
    }
    if let limit = try integer("outputLimit", in: 0...Int.max, bytes) { task.outputLimit = limit }
    if let cancels = try boolean("cancelsWhenAbandoned") { task.cancelsWhenAbandoned = cancels }
    try finish()

    guard let absent else { return (task, nil) }
    guard isOptional else { throw flaw("command", absent + Self.optionalAdvice) }
    return (nil, absent)
  }

  private static let optionalAdvice =
    "; write its path, or \"optional\": true to leave the task out where the program is absent"

  private func command(
    from directory: String?
  ) throws(ConfigurationError) -> (arguments: [String], absent: String?) {
    let what = "the program and its arguments as an array of strings, such as [\"sort\", \"-n\"]"
    guard let arguments = try strings("command", what) else {
      throw missing("command", "write \(what)")
    }
    guard let program = arguments.first, !program.isEmpty else {
      throw flaw("command", "there is no program; write \(what)")
    }
    guard !arguments.contains(where: { $0.utf8.contains(0) }) else {
      throw flaw("command", "an argument can't hold a NUL byte (\\u0000)")
    }
    switch ProgramSearch.find(program, from: directory) {
    case .found: return (arguments, nil)
    case .notFound(let why): return (arguments, why)
    }
  }

  private func directory() throws(ConfigurationError) -> String? {
    guard let path = try string("directory", "the path of the directory to run in") else {
      return nil
    }
    if let flaw = ProgramSearch.flaw(ofDirectory: path) {
      throw wrong("directory", "\(flaw); write an existing directory that may be entered")
    }
    return path
  }

  /// What the command finds in its environment; nil: just what eddyd has.
  private func environment() throws(ConfigurationError) -> [String: String]? {
    let added = try stringMap("environment", "the variable's value as a string")
    let inherits = try boolean("inheritEnvironment") ?? true
    for (name, value) in added ?? [:] {
      guard !name.isEmpty, !name.contains("="), !name.utf8.contains(0), !value.utf8.contains(0)
      else {
        throw flaw(
          "environment", "\"\(name)\" is no variable: a name has no '=', and neither has a NUL")
      }
    }
    guard added != nil || !inherits else { return nil }
    return (inherits ? Self.ownEnvironment() : [:]).merging(added ?? [:]) { $1 }
  }

  private static func ownEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let parts = String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return variables
  }

  /// A content type goes into a response's head as it is, so nothing may be in it that ends a line.
  private func contentType() throws(ConfigurationError) -> String? {
    let what = "a media type, such as \"text/plain; charset=utf-8\""
    guard let type = try string("contentType", what) else { return nil }
    let essence = type.prefix { $0 != ";" }
    let halves = essence.split(separator: "/", omittingEmptySubsequences: false)
    guard type.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), halves.count == 2,
      halves.allSatisfy({ !$0.isEmpty })
    else { throw wrong("contentType", "write \(what)") }
    return type
  }
}
