import FoundationEssentials

/// Which media type a file has, by its name's extension.
public struct MediaTypes: Sendable {
  /// By extension, in lower case.
  private var types: [String: String]

  /// The system's list (`/etc/mime.types`), and for what it lacks, or where there is none, a table
  /// of the types that web sites are made of.
  public static let system = MediaTypes(
    types: builtinTypes.merging(
      parse((try? String(contentsOfFile: "/etc/mime.types", encoding: .utf8)) ?? ""),
      uniquingKeysWith: { _, system in system }))

  /// Only the table that is built in, the same on every system.
  public static let builtin = MediaTypes(types: builtinTypes)

  /// A list of one's own.
  ///
  /// - Parameter types: media types by extension, the extension in lower case and without its dot.
  public init(types: [String: String]) {
    self.types = types.filter { Self.isMediaType($0.value) }
  }

  /// The type of files with an extension; setting it adds or replaces one.
  ///
  /// - Precondition: what is set is a media type, in visible ASCII.
  public subscript(extension: String) -> String? {
    get { types[`extension`.lowercased()] }
    set {
      precondition(
        newValue.map(Self.isMediaType) ?? true, "\(newValue ?? "") is no media type; write text/x")
      types[`extension`.lowercased()] = newValue
    }
  }

  /// The type of a file by its name, or by a path; `application/octet-stream` if its extension is
  /// unknown, or it has none. Text is declared as UTF-8.
  public func type(ofFile name: String) -> String {
    let last = name.split(separator: "/").last ?? ""
    guard let dot = last.lastIndex(of: "."),
      let type = self[String(last[last.index(after: dot)...])]
    else { return "application/octet-stream" }
    return type.hasPrefix("text/") && !type.contains(";") ? type + "; charset=utf-8" : type
  }

  /// Reads a list in the format of `/etc/mime.types`: a line has a type and its extensions; `#`
  /// begins a comment. The first line that names an extension counts.
  static func parse(_ text: String) -> [String: String] {
    var types: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
      guard let type = words.first.map(String.init), isMediaType(type) else { continue }
      for word in words.dropFirst() where types[word.lowercased()] == nil {
        types[word.lowercased()] = type
      }
    }
    return types
  }

  /// A type goes into a head as it is, so nothing may be in it that ends a line.
  private static func isMediaType(_ text: String) -> Bool {
    let essence = text.prefix { $0 != ";" }
    let halves = essence.split(separator: "/", omittingEmptySubsequences: false)
    return text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && halves.count == 2
      && halves.allSatisfy { !$0.isEmpty }
  }

  private static let builtinTypes: [String: String] = [
    "aac": "audio/aac", "apng": "image/apng", "avif": "image/avif", "bin": octets,
    "bmp": "image/bmp", "bz2": "application/x-bzip2", "css": "text/css", "csv": "text/csv",
    "eot": "application/vnd.ms-fontobject", "epub": "application/epub+zip", "flac": "audio/flac",
    "gif": "image/gif", "gz": "application/gzip", "htm": "text/html", "html": "text/html",
    "ico": "image/vnd.microsoft.icon", "ics": "text/calendar", "jpeg": "image/jpeg",
    "jpg": "image/jpeg", "js": "text/javascript", "json": "application/json",
    "jsonld": "application/ld+json", "m4a": "audio/mp4", "map": "application/json",
    "md": "text/markdown", "mjs": "text/javascript", "mp3": "audio/mpeg", "mp4": "video/mp4",
    "oga": "audio/ogg", "ogg": "audio/ogg", "ogv": "video/ogg", "opus": "audio/ogg",
    "otf": "font/otf", "pdf": "application/pdf", "png": "image/png", "svg": "image/svg+xml",
    "tar": "application/x-tar", "tif": "image/tiff", "tiff": "image/tiff", "ttf": "font/ttf",
    "txt": "text/plain", "wasm": "application/wasm", "wav": "audio/x-wav", "weba": "audio/webm",
    "webm": "video/webm", "webmanifest": "application/manifest+json", "webp": "image/webp",
    "woff": "font/woff", "woff2": "font/woff2", "xhtml": "application/xhtml+xml",
    "xml": "application/xml", "xz": "application/x-xz", "zip": "application/zip",
    "zst": "application/zstd",
  ]

  private static let octets = "application/octet-stream"
}
