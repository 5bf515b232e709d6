import EddyHTTP

extension Settings {
  /// Reads `static`: an object with a folder's path for each path of the server.
  ///
  /// - Throws: ``ConfigurationError``.
  mutating func applyStatic(_ section: ConfigurationSection) throws {
    for key in section.keys {
      let what = "the path of the folder to serve, such as \"/srv/www\""
      guard let root = try section.string(key, what) else { continue }
      let prefix = try servedPath(key, section)
      guard !folders.contains(where: { $0.prefix == prefix }) else {
        throw section.flaw(key, "\"\(prefix)\" is there already")
      }
      folders.append(
        ServedFolder(prefix: prefix, root: root, files: try open(root, key, section)))
    }
  }

  private func open(
    _ root: String, _ key: String, _ section: ConfigurationSection
  ) throws(ConfigurationError) -> StaticFiles {
    do {
      return try StaticFiles(root: root)
    } catch {
      throw section.flaw(key, "\(error)")
    }
  }

  /// The path that files are served below, without a slash at its end.
  private func servedPath(
    _ key: String, _ section: ConfigurationSection
  ) throws(ConfigurationError) -> String {
    let segments = key.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    // "/" and "/a/" are the two that may end in a slash.
    let named = segments.last == "" ? segments.dropLast() : segments
    guard key.hasPrefix("/"), named.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
      !key.utf8.contains(where: { [0, 0x23, 0x25, 0x3F, 0x7B, 0x7D].contains($0) })
    else {
      throw section.flaw(
        key,
        "that is no path to serve files at; write / or a path without ?, #, %, { and }, "
          + "such as \"/static\"")
    }
    // The first is the jobs' own, the whole tree below it.
    if let first = named.first, first == "tasks" || first == "jobs" {
      throw section.flaw(key, "/\(first) is where eddyd's jobs are; choose another path")
    }
    return "/" + named.joined(separator: "/")
  }
}
