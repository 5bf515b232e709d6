import EddyCore
import EddyHTTPCore

/// A folder whose files are served.
///
/// ```swift
/// let router = Router()
/// try router.files("/static", from: "/srv/www/static")
/// ```
///
/// `GET /static/css/site.css` then answers with `/srv/www/static/css/site.css`.
///
/// - **What is served:** regular files below the folder, and for a path that ends in a slash the
///   folder's index file. The kernel sees to it that neither `..` nor a symbolic link leads out of
///   the folder (openat2(2) with RESOLVE_BENEATH, which came with Linux 5.6); links that stay below
///   it are followed. Names that begin with a dot are not served. What isn't is answered 404.
/// - **A folder without its slash** is redirected (301) to the path with it.
/// - **Caches:** every answer has a strong `ETag`, from size and time of modification, and
///   `Last-Modified`; the preconditions of RFC 9110 §13 are evaluated in their order. A request with
///   a query, as sites make them to name a version (`site.css?v=5`), gets `Cache-Control:
///   max-age=315360000`.
/// - **Ranges:** one (206), several (206, `multipart/byteranges`), none that can be satisfied (416).
/// - **Codings:** where `site.css.br` or `site.css.gz` lie beside `site.css`, a client that accepts
///   the coding gets that file, and all get `Vary: Accept-Encoding`. The file without a coding has
///   to be there too: it is the one for the others. Keep them of one version.
/// - **Methods:** GET, HEAD and OPTIONS; any other is answered 405.
///
/// A file is sent by the kernel (sendfile(2)), in bounded memory however large it is and however
/// slow its client. Files are looked for, opened and read on the loop's thread: on a disk that may
/// take long to answer, such as a network's, that holds up all that the loop does.
///
/// The folder is opened once. If another takes its place, by renaming or by a symbolic link that is
/// changed, make new `StaticFiles`; or let the folder stay, and change a link inside of it.
public final class StaticFiles: Sendable {
  /// A content coding that a file may be kept in beside itself.
  public enum ContentCoding: Sendable, Hashable, CaseIterable {
    /// `.br`
    case brotli
    /// `.gz`
    case gzip
  }

  /// How files are served.
  public struct Options: Sendable {
    /// What is looked for, in this order, when a folder is asked for. Names, without a slash.
    public var indexFiles = ["index.html"]
    /// Whether names that begin with a dot are served, such as `.well-known/security.txt`; but
    /// `.git` then too.
    public var servesHiddenFiles = false
    /// Which coded files are looked for beside a file; of those that a client likes equally, the
    /// first. Looking costs a system call each.
    public var contentCodings: [ContentCoding] = [.brotli, .gzip]
    /// How many ranges a request may ask for; past it, it gets the whole (RFC 9110 §17.15). 0 turns
    /// ranges off.
    public var maximumRanges = 16
    /// `Cache-Control` of answers to requests without a query; none if it is nil.
    public var cacheControl: String?
    /// `Cache-Control` of answers to requests with a query: ten years, unless it is changed.
    public var cacheControlWithQuery: String? = "max-age=315360000"
    /// Which media type a file has.
    public var mediaTypes = MediaTypes.system

    public init() {}
  }

  let folder: Folder
  let options: Options
  let indexFiles: [[UInt8]]

  /// - Throws: ``StaticFilesError`` if `root` can't be opened, or is no folder, or the system has no
  ///   openat2(2).
  /// - Precondition: the index files are names.
  public init(root: String, options: Options = Options()) throws(StaticFilesError) {
    for name in options.indexFiles {
      precondition(
        !name.isEmpty && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") },
        "The index file \(name) is no name; write it without slashes.")
    }
    guard !root.utf8.contains(0) else {
      throw StaticFilesError(root: root, error: EddyError(code: Int32(EDDY_EINVAL)))
    }
    do {
      folder = try Folder(path: root)
    } catch {
      throw StaticFilesError(root: root, error: error)
    }
    self.options = options
    indexFiles = options.indexFiles.map { Array($0.utf8) }
  }
}

/// A folder that can't be served: which, and why.
public struct StaticFilesError: Error, CustomStringConvertible, Equatable {
  public let root: String
  /// The system's error. `EDDY_ENOTSUP`: there is no openat2(2).
  public let error: EddyError

  public var description: String {
    error.code == Int32(EDDY_ENOTSUP)
      ? "the folder \(root) can't be served: the kernel has no openat2(2); Linux 5.6 has it"
      : "the folder \(root) can't be served: \(error.message)"
  }
}

extension Router {
  /// Serves the files of a folder below a path; see ``StaticFiles``.
  ///
  /// ```swift
  /// var options = StaticFiles.Options()
  /// options.cacheControl = "no-cache"
  /// try router.files("/", from: "/srv/www", options: options)
  /// ```
  ///
  /// Other routes go before it where they match more exactly.
  ///
  /// - Parameters:
  ///   - prefix: `/` or a path such as `/static`, written decoded, without parameters.
  ///   - root: the folder's path.
  /// - Throws: ``StaticFilesError``.
  /// - Precondition: the prefix is well formed, and there is no GET route at it or for all that is
  ///   below it.
  public func files(
    _ prefix: String, from root: String, options: StaticFiles.Options = StaticFiles.Options()
  ) throws(StaticFilesError) {
    files(prefix, try StaticFiles(root: root, options: options))
  }

  /// Serves a folder's files below a path; otherwise as ``files(_:from:options:)``.
  public func files(_ prefix: String, _ files: StaticFiles) {
    let prefix = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
    precondition(
      !prefix.contains("{"), "The files' path \(prefix) has a parameter; write it without.")
    let depth = prefix.split(separator: "/", omittingEmptySubsequences: false).count
    let handler: DeferredHandler = { request, responder in
      responder.respond(
        files.response(to: request, path: Self.path(request.head[request.head.path], below: depth)))
    }
    onDeferred(.get, prefix + "/{file...}", handler)
    // The folder itself, without its slash: it is redirected like any other.
    if !prefix.isEmpty { onDeferred(.get, prefix, handler) }
  }

  /// What follows the first segments of a path.
  private static func path(_ path: ArraySlice<UInt8>, below depth: Int) -> ArraySlice<UInt8>? {
    var slashes = 0
    for index in path.indices where path[index] == UInt8(ascii: "/") {
      slashes += 1
      if slashes == max(depth, 1) { return path[(index + 1)...] }
    }
    return nil
  }
}
