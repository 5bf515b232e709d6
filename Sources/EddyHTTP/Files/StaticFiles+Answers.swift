import EddyHTTPCore
import FoundationEssentials
import HTTPTypes

extension StaticFiles {
  /// Answers a GET or HEAD with the file at a path below the folder, for a route of one's own.
  ///
  /// ```swift
  /// let files = try StaticFiles(root: "/srv/www")
  /// router.onDeferred(.get, "/favicon.ico") { request, responder in
  ///   responder.respond(files.response(to: request, path: "images/icon.ico"))
  /// }
  /// ```
  ///
  /// - Parameter path: percent-encoded. With a slash at its end, or empty, it names a folder.
  public func response(to request: Request, path: String) -> Response {
    response(to: request, path: Array(path.utf8)[...])
  }

  /// - Parameter path: nil for the folder itself, asked for without its slash.
  func response(to request: Request, path: ArraySlice<UInt8>?) -> Response {
    guard let path else { return redirect(request) }
    let relative: RelativePath
    do {
      relative = try path.withUnsafeBytes {
        try RelativePath(decoding: $0, allowsHidden: options.servesHiddenFiles)
      }
    } catch RelativePath.Flaw.encoding {
      return Self.malformed
    } catch {
      return Self.notFound
    }
    switch folder.open(relative.bytes) {
    case .file(let file, let status):
      // Of a file there is nothing below.
      return relative.isFolder
        ? Self.notFound : answer(request, Content(relative.bytes, file, status))
    case .folder:
      return relative.isFolder ? index(of: relative, request) : redirect(request)
    case let other:
      return Self.refusal(other)
    }
  }

  private func index(of path: RelativePath, _ request: Request) -> Response {
    for name in indexFiles {
      let file = path.bytes.isEmpty ? name : path.bytes + [UInt8(ascii: "/")] + name
      switch folder.open(file) {
      case .file(let opened, let status): return answer(request, Content(file, opened, status))
      case .absent, .folder: continue
      case let other: return Self.refusal(other)
      }
    }
    return Self.notFound
  }

  // MARK: Which content

  /// A representation: a file, and how it is coded.
  private struct Content {
    /// Of the file without a coding.
    let path: [UInt8]
    var file: OpenFile
    var status: FileStatus
    var coding: ContentCoding?

    init(_ path: [UInt8], _ file: OpenFile, _ status: FileStatus) {
      self.path = path
      self.file = file
      self.status = status
    }
  }

  private func answer(_ request: Request, _ plain: Content) -> Response {
    var content = plain
    var headers: HTTPFields = [:]
    if selectCoding(of: &content, request) { headers[.vary] = "Accept-Encoding" }
    headers[.eTag] = String(
      decoding: content.status.entityTag(coding: content.coding?.token ?? ""), as: UTF8.self)
    // A time to come is none that anything was modified at (RFC 9110 §8.8.2.1).
    let now = Int64(Date().timeIntervalSince1970)
    let modified = min(content.status.modified, now)
    headers[.lastModified] = String(decoding: HTTPDate.text(modified), as: UTF8.self)
    let hasQuery = request.head.query.map { $0.count > 0 } ?? false
    if let control = hasQuery ? options.cacheControlWithQuery : options.cacheControl {
      headers[.cacheControl] = control
    }

    let condition = ConditionalRequest(request.head)
    let outcome = condition.evaluate(
      request.method == .head ? .head : .get,
      ConditionalRequest.Validator(
        entityTag: headers[.eTag].map { Array($0.utf8) }, lastModified: modified),
      now: now)
    switch outcome {
    case .notModified:
      return Response(status: .notModified, headers: headers)
    case .preconditionFailed:
      return Problem(
        .preconditionFailed, "The file is not, or no longer, as the request's conditions want it."
      ).response
    case .perform(let isPartial):
      if let coding = content.coding {
        headers[.contentEncoding] = String(describing: coding.token)
      }
      headers[.acceptRanges] = options.maximumRanges > 0 ? "bytes" : "none"
      let type = options.mediaTypes.type(ofFile: String(decoding: plain.path, as: UTF8.self))
      let ranges =
        isPartial
        ? condition.ranges(of: content.status.size, atMost: options.maximumRanges) : .whole
      return answer(content, type, ranges, headers)
    }
  }

  /// Puts a coded file in the place of the plain one, if the client likes one.
  /// - Returns: whether there is any, so that other requests may get another answer.
  private func selectCoding(of content: inout Content, _ request: Request) -> Bool {
    guard !options.contentCodings.isEmpty else { return false }
    let accepted = Array((request.header(.acceptEncoding) ?? "").utf8)
    var best = 0
    var varies = false
    for coding in options.contentCodings {
      guard case .file(let file, let status) = folder.open(content.path, suffix: coding.suffix)
      else { continue }
      varies = true
      let weight = accepted.withUnsafeBytes { AcceptEncoding.weight(of: coding.token, in: $0) }
      guard weight > best else { continue }
      best = weight
      content.file = file
      content.status = status
      content.coding = coding
    }
    return varies
  }

  // MARK: Which part of it

  private func answer(
    _ content: Content, _ type: String, _ ranges: RequestedRanges, _ headers: HTTPFields
  ) -> Response {
    let size = content.status.size
    var headers = headers
    headers[.contentType] = type
    switch ranges {
    case .whole:
      return Response(headers: headers, body: .file(content.file, range: 0..<size))
    case .unsatisfiable:
      var fields: HTTPFields = [.contentRange: "bytes */\(size)"]
      fields[.acceptRanges] = headers[.acceptRanges]
      return Problem(
        .rangeNotSatisfiable,
        "No range that was asked for lies within the file's \(size) bytes; write Range: bytes=0-99.",
        headers: fields
      ).response
    case .parts(let parts) where parts.count == 1:
      headers[.contentRange] = Self.contentRange(parts[0], of: size)
      return Response(
        status: .partialContent, headers: headers, body: .file(content.file, range: parts[0]))
    case .parts(let parts):
      // RFC 9110 §14.6. 128 random bits are in no file but by chance.
      let boundary =
        String(UInt64.random(in: .min ... .max), radix: 36)
        + String(UInt64.random(in: .min ... .max), radix: 36)
      var segments: [Response.Body.Segment] = []
      for part in parts {
        let start = segments.isEmpty ? "--" : "\r\n--"
        segments.append(
          .bytes(
            Array(
              """
              \(start)\(boundary)\r\nContent-Type: \(type)\r
              Content-Range: \(Self.contentRange(part, of: size))\r\n\r\n
              """.utf8)))
        segments.append(.file(content.file, range: part))
      }
      segments.append(.bytes(Array("\r\n--\(boundary)--\r\n".utf8)))
      headers[.contentType] = "multipart/byteranges; boundary=\(boundary)"
      return Response(status: .partialContent, headers: headers, body: .segments(segments))
    }
  }

  private static func contentRange(_ range: Range<Int64>, of size: Int64) -> String {
    "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
  }

  // MARK: Other answers

  /// To the same path with a slash, where the folder's own relative links lead below it.
  private func redirect(_ request: Request) -> Response {
    // Two slashes at the front would begin the name of another host.
    var location = "/" + request.path.drop { $0 == "/" } + "/"
    if let query = request.head.query { location += "?" + request.head.text(query) }
    return Response(status: .movedPermanently, headers: [.location: location])
  }

  private static func refusal(_ found: Folder.Found) -> Response {
    switch found {
    case .file, .folder, .absent:
      return notFound
    case .forbidden:
      return Problem(.forbidden, "The server may not read this file.").response
    case .exhausted:
      return Problem(
        .serviceUnavailable, "The server has too much to do; ask again.",
        headers: [.retryAfter: "1"]
      ).response
    case .failed:
      return Problem(.internalServerError, "The file could not be read.").response
    }
  }

  private static var notFound: Response {
    Problem(.notFound, "There is no such file; look at the path once more.").response
  }

  private static var malformed: Response {
    Problem(
      .badRequest,
      "The path cannot be decoded: a percent sign has to be followed by two hexadecimal digits "
        + "(RFC 3986 §2.1)."
    ).response
  }
}

extension StaticFiles.ContentCoding {
  /// As fields have it (RFC 9110 §8.4.1, RFC 7932).
  fileprivate var token: StaticString {
    switch self {
    case .brotli: "br"
    case .gzip: "gzip"
    }
  }

  fileprivate var suffix: StaticString {
    switch self {
    case .brotli: ".br"
    case .gzip: ".gz"
    }
  }
}

extension ConditionalRequest {
  init(_ head: HeadBytes) {
    self.init()
    head.bytes.withUnsafeBytes { bytes in
      func part(_ range: ByteRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
          rebasing: bytes[Int(range.start)..<Int(range.start + range.count)])
      }
      for field in head.fields { note(part(field.name), part(field.value)) }
    }
  }
}
