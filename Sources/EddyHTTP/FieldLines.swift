import HTTPTypes

/// Renders the fields of an answer for the engine.
enum FieldLines {
  /// Appends a line `name: value` for each field, but for those that the engine writes itself.
  static func append(_ fields: HTTPFields, to bytes: inout [UInt8]) {
    for field in fields where !engineFields.contains(field.name) {
      // The names and values are valid by their types, so that nothing can break out of a line.
      bytes.append(contentsOf: field.name.rawName.utf8)
      bytes.append(UInt8(ascii: ":"))
      bytes.append(UInt8(ascii: " "))
      field.withUnsafeBytesOfValue { bytes.append(contentsOf: $0) }
      bytes.append(UInt8(ascii: "\r"))
      bytes.append(UInt8(ascii: "\n"))
    }
  }

  private static let engineFields: [HTTPField.Name] = [
    .date, .server, .connection, .contentLength, .transferEncoding,
  ]
}
