import EddyHTTP
import EddyJobs
import Logging

extension Settings {
  /// Takes over what a configuration file says.
  ///
  /// - Parameter bodyLimit: what a flag says instead of `limits.body`.
  /// - Throws: ``ConfigurationError``.
  mutating func apply(_ root: ConfigurationSection, bodyLimit: Int?) throws {
    try applyServer(root)
    try applyProxies(root)
    if let section = try root.section("accessLog") { accessLog = try section.accessLog() }
    if let section = try root.section("limits") { try applyLimits(section) }
    if let bodyLimit { limits.body = bodyLimit }
    if let section = try root.section("jobs") { try applyJobs(section) }
    try applyBuiltins(root)
    if let section = try root.section("tasks") { try applyTasks(section) }
    if let section = try root.section("static") { try applyStatic(section) }
    try root.finish()
    if builtins.isEmpty && tasks.isEmpty && folders.isEmpty {
      throw ConfigurationError(
        file: root.file, line: nil,
        problem: "there is no task: declare one in \"tasks\", keep one of \"builtins\", "
          + "or serve a folder in \"static\"")
    }
  }

  private mutating func applyServer(_ root: ConfigurationSection) throws {
    let what = "an array of addresses, such as [\"127.0.0.1:8888\", \"unix:/run/eddyd.sock\"]"
    if let texts = try root.strings("listen", what) {
      guard !texts.isEmpty else { throw root.flaw("listen", "it is empty; write \(what)") }
      addresses = try texts.map { text in
        do {
          return try ListenAddress(text)
        } catch {
          throw root.flaw("listen", "\(error)")
        }
      }
    }
    if let number = try root.integer("threads", in: 1...1024, "a number of threads from 1 to 1024")
    {
      threads = number
    }
    if let time = try root.seconds("drain", atLeast: 0, "seconds from 0 on, such as 30") {
      drain = time
    }
    let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
    if let name = try root.string("logLevel", "one of \(levels)") {
      guard let level = Logger.Level(rawValue: name) else {
        throw root.wrong("logLevel", "write one of \(levels)")
      }
      logLevel = level
    }
  }

  private mutating func applyLimits(_ section: ConfigurationSection) throws {
    // The engine counts in 32 bits where it keeps a head.
    let headSize = 1...(16 << 20)
    let bytes = "a whole number of bytes from 1 on, such as 65536"
    func set(
      _ key: String, _ field: WritableKeyPath<HTTPLimits, Int>, in range: ClosedRange<Int>,
      _ what: String
    ) throws(ConfigurationError) {
      if let value = try section.integer(key, in: range, what) { limits[keyPath: field] = value }
    }
    func set(
      _ key: String, _ field: WritableKeyPath<HTTPLimits, UInt64>
    ) throws(ConfigurationError) {
      if let value = try section.seconds(key, atLeast: 0.001, "seconds above 0, such as 30") {
        limits[keyPath: field] = value.nanoseconds
      }
    }
    try set("requestLine", \.requestLine, in: headSize, bytes)
    try set("fieldsSize", \.fieldsSize, in: headSize, bytes)
    try set("fieldCount", \.fieldCount, in: 1...10_000, "a number of lines from 1 to 10000")
    try set("body", \.body, in: 0...(1 << 40), "a whole number of bytes, such as 52428800")
    try set("minimumBodyRate", \.minimumBodyRate, in: 0...Int.max, "bytes a second, such as 1024")
    try set("requestsPerConnection", \.requestsPerConnection, in: 0...Int.max, "a number; 0: any")
    connections = try section.integer(
      "connections", in: 0...Int.max, "a number of connections; 0: any")
    try set("headTimeout", \.headTimeout)
    try set("bodyRateWindow", \.bodyRateWindow)
    try set("idleTimeout", \.idleTimeout)
    try set("writeTimeout", \.writeTimeout)
    try section.finish()
  }

  private mutating func applyJobs(_ section: ConfigurationSection) throws {
    if let number = try section.integer(
      "maximumQueued", in: 0...1_000_000_000, "how many jobs may wait over all tasks, from 0 on")
    {
      jobs.maximumQueued = number
    }
    if let bytes = try section.integer(
      "memory", in: 1...Int.max, "a whole number of bytes from 1 on, such as 1073741824")
    {
      store.heldBytes = bytes
    }
    let above = "seconds above 0, such as 3600"
    let from = "seconds from 0 on, such as 30"
    if let time = try section.seconds("resultTimeToLive", atLeast: 0.001, above) {
      jobs.resultTimeToLive = time
    }
    if let time = try section.seconds("tombstoneTimeToLive", atLeast: 0, from) {
      jobs.tombstoneTimeToLive = time
    }
    if let time = try section.seconds("maximumWait", atLeast: 0, from) { jobs.maximumWait = time }
    if let time = try section.seconds("defaultWait", atLeast: 0, from) {
      guard time <= jobs.maximumWait else {
        throw section.wrong(
          "defaultWait", "it can't be longer than maximumWait, \(jobs.maximumWait)")
      }
      jobs.defaultWait = time
    } else {
      jobs.defaultWait = min(jobs.defaultWait, jobs.maximumWait)
    }
    try section.finish()
  }

  private mutating func applyBuiltins(_ root: ConfigurationSection) throws {
    let known = BuiltinTask.allCases.map(\.rawValue)
    let list = known.map { "\"\($0)\"" }.joined(separator: ", ")
    let what = "an array with the built-in tasks to keep, of \(list); [] for none"
    guard let names = try root.strings("builtins", what) else { return }
    builtins = try names.map { name in
      guard let task = BuiltinTask(rawValue: name) else {
        let advice = Spelling.nearest(to: name, among: known).map { "; did you mean \"\($0)\"?" }
        throw root.flaw(
          "builtins", "there is no built-in task \"\(name)\"\(advice ?? "; there are \(list)")")
      }
      return task
    }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw root.flaw("builtins", "\"\(twice)\" is there twice")
    }
  }

  private mutating func applyTasks(_ section: ConfigurationSection) throws {
    for name in section.keys {
      guard TaskDefinition.isValid(name: name) else {
        throw section.flaw(
          name, "a task's name has 1 to 100 letters, digits, '.', '_' and '-', such as \"sort\"")
      }
      if BuiltinTask(rawValue: name).map(builtins.contains) ?? false {
        throw section.flaw(
          name,
          "there is a built-in task of this name; rename it, or leave \"\(name)\" out of \"builtins\""
        )
      }
      guard let object = try section.section(name) else { continue }
      let (task, absent) = try object.task(named: name, bodyLimit: limits.body)
      if let task { tasks.append(task) }
      if let absent { remarks.append("task '\(name)' is left out: \(absent)") }
    }
  }
}

extension Duration {
  /// Whole nanoseconds. Only for times that ``Seconds/most`` bounds.
  var nanoseconds: UInt64 {
    UInt64(components.seconds) * 1_000_000_000 + UInt64(components.attoseconds / 1_000_000_000)
  }
}
