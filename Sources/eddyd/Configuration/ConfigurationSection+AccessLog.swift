import EddyHTTP

/// `accessLog` of the configuration.
struct AccessLogSettings: Equatable {
  var destination: AccessLog.Destination
  var format = AccessLog.Format.combined
}

extension ConfigurationSection {
  func accessLog() throws(ConfigurationError) -> AccessLogSettings {
    let what = "a path, such as \"/var/log/eddy/access.log\", or \"-\" for standard output"
    guard let path = try string("path", what) else { throw missing("path", "write \(what)") }
    guard !path.isEmpty, !path.utf8.contains(0) else { throw wrong("path", "write \(what)") }
    var settings = AccessLogSettings(destination: path == "-" ? .standardOutput : .file(path))
    let choice = "one of \(AccessLog.Format.allCases.map(\.rawValue).joined(separator: ", "))"
    if let name = try string("format", choice) {
      guard let format = AccessLog.Format(rawValue: name) else {
        throw wrong("format", "write \(choice)")
      }
      settings.format = format
    }
    try finish()
    return settings
  }
}
