/// A configuration that can't be used: where, which key, which value, and what would be right.
struct ConfigurationError: Error, CustomStringConvertible, Equatable {
  let file: String
  /// nil where it is no matter of a line.
  let line: Int?
  let problem: String

  var description: String {
    line.map { "\(file):\($0): \(problem)" } ?? "\(file): \(problem)"
  }
}
