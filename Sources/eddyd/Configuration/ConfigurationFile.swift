import Configuration
import Glibc

/// A configuration file, read and known to be JSON with an object at its top.
struct ConfigurationFile {
  let path: String
  let root: ConfigurationSection

  /// - Throws: ``ConfigurationError``.
  init(path: String) async throws {
    self.path = path
    try Self.checkReadable(path)
    let provider: FileProvider<OutlinedJSONSnapshot>
    do {
      // Given so, the path need not be spelled as swift-system's FilePath.
      let location = ConfigReader(
        provider: InMemoryProvider(values: ["filePath": ConfigValue(.string(path), isSecret: false)]
        ))
      provider = try await FileProvider<OutlinedJSONSnapshot>(config: location)
    } catch let error as JSONSyntaxError {
      throw ConfigurationError(
        file: path, line: error.line, problem: "column \(error.column): \(error.problem)")
    } catch {
      throw ConfigurationError(file: path, line: nil, problem: "\(error)")
    }
    guard let snapshot = provider.snapshot() as? OutlinedJSONSnapshot else {
      preconditionFailure("FileProvider gives the snapshot of the type that it was made for")
    }
    root = try ConfigurationSection(
      file: path, reader: ConfigReader(provider: provider), outline: snapshot.outline)
  }

  /// The provider's own errors are long, and do not say the system's.
  private static func checkReadable(_ path: String) throws(ConfigurationError) {
    var status = stat()
    if stat(path, &status) != 0 || access(path, R_OK) != 0 {
      throw ConfigurationError(
        file: path, line: nil, problem: "cannot be read: \(String(cString: strerror(errno)))")
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      throw ConfigurationError(
        file: path, line: nil, problem: "is a directory; name a JSON file, such as tasks.json")
    }
    // Of a pipe or a device the provider says that permission is missing.
    if status.st_mode & S_IFMT != S_IFREG {
      throw ConfigurationError(
        file: path, line: nil, problem: "is a pipe or a device; name a JSON file on a disk")
    }
  }
}
