import Configuration

/// An object of the configuration, whose values are read key by key.
///
/// It remembers what it was asked for, so that ``finish()`` can refuse everything else: a
/// misspelt key must not silently leave a bound at its default.
final class ConfigurationSection {
  let file: String
  /// The keys that lead here.
  let path: [String]
  private let reader: ConfigReader
  private let outline: JSONOutline
  private let members: [JSONOutline.Member]
  private var asked: [String] = []

  /// - Parameter reader: of the whole file.
  init(
    file: String, path: [String] = [], reader: ConfigReader, outline: JSONOutline
  ) throws(ConfigurationError) {
    self.file = file
    self.path = path
    self.reader = reader
    self.outline = outline
    guard case .object(let members) = outline.kind else {
      let name = path.isEmpty ? "the file" : Self.name(path)
      throw ConfigurationError(
        file: file, line: outline.line,
        problem: "\(name) holds \(outline.shown); write an object, {\"key\": value, …}")
    }
    self.members = members
  }

  /// The keys that are there, in their order.
  var keys: [String] { members.map(\.name) }

  /// Refuses the keys that were not asked for.
  func finish() throws(ConfigurationError) {
    for member in members where !asked.contains(member.name) {
      let advice =
        Spelling.nearest(to: member.name, among: asked).map { "did you mean \"\($0)\"?" }
        ?? "the keys here are \(asked.joined(separator: ", "))"
      throw ConfigurationError(
        file: file, line: member.line,
        problem: "\(Self.name(path + [member.name])): unknown key; \(advice)")
    }
  }

  // MARK: Values; nil for a key that is not there

  /// - Parameter what: what would be right, for the message.
  func integer(
    _ key: String, in range: ClosedRange<Int>, _ what: String
  ) throws(ConfigurationError) -> Int? {
    guard let found = find(key) else { return nil }
    guard case .number = found.kind,
      let value = try? reader.requiredInt(forKey: absolute(key)), range.contains(value)
    else { throw wrong(key, "write \(what)") }
    return value
  }

  /// A time in seconds, with or without a fraction.
  func seconds(
    _ key: String, atLeast least: Double, _ what: String
  ) throws(ConfigurationError) -> Duration? {
    guard let found = find(key) else { return nil }
    guard case .number = found.kind,
      let value = try? reader.requiredDouble(forKey: absolute(key)), value >= least,
      value <= Seconds.most
    else { throw wrong(key, "write \(what)") }
    return .seconds(value)
  }

  func boolean(_ key: String) throws(ConfigurationError) -> Bool? {
    guard let found = find(key) else { return nil }
    guard case .boolean = found.kind, let value = try? reader.requiredBool(forKey: absolute(key))
    else { throw wrong(key, "write true or false") }
    return value
  }

  func string(_ key: String, _ what: String) throws(ConfigurationError) -> String? {
    guard let found = find(key) else { return nil }
    guard case .string = found.kind,
      let value = try? reader.requiredString(forKey: absolute(key))
    else { throw wrong(key, "write \(what)") }
    return value
  }

  func strings(_ key: String, _ what: String) throws(ConfigurationError) -> [String]? {
    guard let found = find(key) else { return nil }
    guard case .array(let elements) = found.kind else { throw wrong(key, "write \(what)") }
    for (index, element) in elements.enumerated() {
      guard case .string = element.kind else {
        throw ConfigurationError(
          file: file, line: element.line,
          problem: "\(Self.name(path + [key]))[\(index)] is \(element.shown); write \(what)")
      }
    }
    guard let values = try? reader.requiredStringArray(forKey: absolute(key)) else {
      throw wrong(key, "write \(what)")
    }
    return values
  }

  /// An object of strings, with whatever keys.
  func stringMap(_ key: String, _ what: String) throws(ConfigurationError) -> [String: String]? {
    guard let section = try section(key) else { return nil }
    var map: [String: String] = [:]
    for name in section.keys { map[name] = try section.string(name, what) }
    return map
  }

  func section(_ key: String) throws(ConfigurationError) -> ConfigurationSection? {
    guard let found = find(key) else { return nil }
    return try ConfigurationSection(
      file: file, path: path + [key], reader: reader, outline: found)
  }

  // MARK: Errors

  /// An error about the value of a key.
  func wrong(_ key: String, _ advice: String) -> ConfigurationError {
    let name = Self.name(path + [key])
    guard let found = outline[key] else { return missing(key, advice) }
    return ConfigurationError(
      file: file, line: found.line, problem: "\(name) is \(found.shown); \(advice)")
  }

  /// An error about a key, on its line.
  func flaw(_ key: String, _ problem: String) -> ConfigurationError {
    ConfigurationError(
      file: file, line: members.first { $0.name == key }?.line ?? outline.line,
      problem: "\(Self.name(path + [key])): \(problem)")
  }

  /// An error about a key that is not there.
  func missing(_ key: String, _ advice: String) -> ConfigurationError {
    let unknown = keys.filter { !asked.contains($0) }
    if let misspelt = Spelling.nearest(to: key, among: unknown) {
      return flaw(misspelt, "unknown key; did you mean \"\(key)\"?")
    }
    return ConfigurationError(
      file: file, line: outline.line,
      problem: "\(Self.name(path.isEmpty ? [key] : path)) has no \"\(key)\"; \(advice)")
  }

  // MARK: Keys

  private func find(_ key: String) -> JSONOutline? {
    asked.append(key)
    return outline[key]
  }

  private func absolute(_ key: String) -> ConfigKey { ConfigKey(path + [key]) }

  static func name(_ path: [String]) -> String { path.joined(separator: ".") }
}
