/// The values of a route's `{name}` segments, percent-decoded.
///
/// A value may hold any character once decoded, `/` and `.` among them: one that names a file has
/// to be checked by whoever opens it.
public struct PathParameters: Sendable {
  let names: [String]
  let values: [String]

  init(names: [String] = [], values: [String] = []) {
    self.names = names
    self.values = values
  }

  /// The value of `{name}` or `{name...}`; nil if the route has no such segment.
  public subscript(name: String) -> String? {
    names.firstIndex(of: name).map { values[$0] }
  }
}
