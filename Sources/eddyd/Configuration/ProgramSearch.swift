import Glibc

/// Looks for a command's program when the configuration is read, so that a misspelt one is seen at
/// the start and not by the first client.
enum ProgramSearch {
  enum Outcome: Equatable {
    case found(String)
    /// Why not.
    case notFound(String)
  }

  /// Searches as posix_spawnp(3) does: a name with a slash is a path, from `directory` if it is
  /// relative; any other is looked up in this process's PATH.
  static func find(_ program: String, from directory: String?) -> Outcome {
    if program.contains("/") {
      let path = program.hasPrefix("/") ? program : (directory.map { "\($0)/" } ?? "") + program
      return flaw(of: path).map { .notFound("'\(path)' \($0)") } ?? .found(path)
    }
    // Without PATH, posix_spawnp(3) looks in these two (confstr(3), _CS_PATH).
    let searched = getenv("PATH").map { String(cString: $0) } ?? "/bin:/usr/bin"
    var seen: String?
    for folder in searched.split(separator: ":", omittingEmptySubsequences: false) {
      let path = folder.isEmpty ? program : "\(folder)/\(program)"
      guard let flaw = flaw(of: path) else { return .found(path) }
      if access(path, F_OK) == 0, seen == nil { seen = "'\(path)' \(flaw)" }
    }
    return .notFound(seen ?? "there is no program '\(program)' in PATH (\(searched))")
  }

  /// What is wrong with a directory to run in; nil if nothing is.
  static func flaw(ofDirectory path: String) -> String? {
    var status = stat()
    if stat(path, &status) != 0 { return String(cString: strerror(errno)) }
    if status.st_mode & S_IFMT != S_IFDIR { return "it is no directory" }
    return access(path, X_OK) == 0 ? nil : String(cString: strerror(errno))
  }

  private static func flaw(of path: String) -> String? {
    var status = stat()
    if stat(path, &status) != 0 {
      return errno == ENOENT
        ? "does not exist" : "can't be run: \(String(cString: strerror(errno)))"
    }
    if status.st_mode & S_IFMT != S_IFREG { return "is no program but a directory or a device" }
    return access(path, X_OK) == 0 ? nil : "is not executable (chmod +x makes it so)"
  }
}
