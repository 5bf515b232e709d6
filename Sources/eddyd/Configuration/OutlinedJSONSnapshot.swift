import Configuration

/// swift-configuration's JSON snapshot, with the outline of the text that it was read from.
///
/// ``JSONSnapshot`` keeps neither the list of keys nor their lines, and takes `true` for 1.
struct OutlinedJSONSnapshot: FileConfigSnapshot {
  let outline: JSONOutline
  /// A failure is kept for when a value is asked for: by then the outline has told the operator more
  /// exactly what it can't hold, such as an array of objects.
  private let values: Result<JSONSnapshot, any Error>
  let providerName: String

  init(
    data: RawSpan, providerName: String, parsingOptions: JSONSnapshot.ParsingOptions
  ) throws {
    self.providerName = providerName
    outline = try JSONOutline(parsing: data.withUnsafeBytes { Array($0) })
    do {
      values = .success(
        try JSONSnapshot(data: data, providerName: providerName, parsingOptions: parsingOptions))
    } catch {
      values = .failure(error)
    }
  }

  func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
    try values.get().value(forKey: key, type: type)
  }

  var description: String { "\(providerName)[\(values)]" }
  var debugDescription: String { description }
}
