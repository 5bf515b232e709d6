import Eddy
import EddyHTTP
import Glibc
import HTTPTypes
import Testing

/// A folder's files, as a client sees them. Numbers are those of the behaviours where servers differ.
@Suite(.timeLimit(.minutes(1))) struct StaticFilesTests {
  private let folder: TestFolder
  /// 1000 bytes, X000XXXXXX and so on.
  private let content = (0..<100).map { number in
    "X\(number < 10 ? "00" : "0")\(number)XXXXXX"
  }.joined()
  private static let modified = "Sun, 06 Nov 1994 08:49:37 GMT"

  init() throws {
    folder = try TestFolder()
    folder.makeFolder("www")
    folder.makeFolder("www/docs")
    folder.makeFolder("www/empty")
    folder.makeFolder("www/.git")
    try folder.write("secret", "secret")
    try folder.write("www/a.html", content)
    try folder.write("www/none.txt", "")
    try folder.write("www/docs/index.html", "<p>docs</p>")
    try folder.write("www/docs/a b é.txt", "spaced")
    try folder.write("www/.git/config", "secret")
    try folder.write("www/.htaccess", "secret")
    folder.touch("www/a.html", 784_111_777, nanoseconds: 5)
    folder.link("www/out", to: "../secret")
    folder.link("www/root", to: "/")
    folder.link("www/absolute", to: "\(folder.path)/www/a.html")
    folder.link("www/within", to: "docs/index.html")
    folder.link("www/self", to: "self")
    mkfifo("\(folder.path)/www/pipe", 0o644)
  }

  private func server(
    at prefix: String = "/static", _ options: StaticFiles.Options = StaticFiles.Options()
  ) async throws -> TestServer {
    let files = try StaticFiles(root: "\(folder.path)/www", options: options)
    return try await TestServer { router, _ in router.files(prefix, files) }
  }

  @Test func aFileIsServedWithWhatCachesNeed() async throws {
    let server = try await server()
    let client = try server.client()
    let answer = try await client.request("GET", "/static/a.html")
    #expect(answer.status == 200)
    #expect(answer.text == content)
    #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
    #expect(answer.headers["last-modified"] == Self.modified)
    #expect(answer.headers["accept-ranges"] == "bytes")
    #expect(answer.headers["content-length"] == "1000")
    #expect(answer.headers["vary"] == nil)
    #expect(answer.headers["cache-control"] == nil)
    let tag = try #require(answer.headers["etag"])
    #expect(tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.count > 10)
    // Another nanosecond, or another size, is another file.
    folder.touch("www/a.html", 784_111_777, nanoseconds: 6)
    let touched = try await client.request("GET", "/static/a.html").headers["etag"]
    #expect(touched != tag)
    try folder.write("www/a.html", content + "x")
    folder.touch("www/a.html", 784_111_777, nanoseconds: 6)
    #expect(try await client.request("GET", "/static/a.html").headers["etag"] != touched)
  }

  @Test func headHasTheHeadOfGet() async throws {
    let server = try await server()
    let client = try server.client()
    let get = try await client.request("GET", "/static/a.html")
    let head = try await client.request("HEAD", "/static/a.html")
    #expect(head.body.isEmpty)
    var (one, other) = (get.headers, head.headers)
    (one["date"], other["date"]) = (nil, nil)
    #expect(one == other)
    // Ranges are for GET (RFC 9110 §14.2).
    #expect(
      try await client.request("HEAD", "/static/a.html", fields: ["Range: bytes=0-1"]).status == 200
    )
    #expect(try await client.request("HEAD", "/static/none").status == 404)
  }

  @Test func onlyGetHeadAndOptionsAreAllowed() async throws {
    let server = try await server()
    let client = try server.client()
    for path in ["/static/a.html", "/static/none", "/static"] {
      for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let answer = try await client.request(method, path, body: Array("x".utf8))
        #expect(answer.status == 405)
        #expect(answer.headers["allow"] == "GET, HEAD, OPTIONS")
        #expect(answer.headers["content-type"] == "application/problem+json")
      }
      let options = try await client.request("OPTIONS", path)
      #expect(options.status == 204)
      #expect(options.headers["allow"] == "GET, HEAD, OPTIONS")
    }
  }

  @Test(arguments: [
    "/static/none", "/static/a.html/", "/static/a.html/b", "/static/empty/", "/static/",
    "/static/../secret", "/static/docs/../a.html", "/static/%2e%2e/secret",
    "/static/..%2fsecret", "/static/%2e%2e%2fsecret", "/static/docs/..%2f..%2f..%2fsecret",
    "/static/.git/config", "/static/%2egit/config", "/static/.htaccess", "/static/./a.html",
    "/static/out", "/static/root/etc/passwd", "/static/root/", "/static/absolute",
    "/static/self", "/static/pipe", "/static/a.html%00.txt", "/static/docs%2findex.html",
    "/static//etc/passwd", "/static/proc/self/root/etc/passwd", "/static/%5c..%5csecret",
    "/static/" + String(repeating: "a", count: 5000),
    "/static/" + String(repeating: "a/", count: 2500),
  ])
  func whatIsNotThereOrNotServedIsNotFound(_ path: String) async throws {
    let server = try await server()
    let answer = try await server.client().request("GET", path)
    #expect(answer.status == 404)
    #expect(answer.headers["content-type"] == "application/problem+json")
    #expect(!answer.text.contains("secret\n") && !answer.text.contains("root:"))
  }

  @Test(arguments: ["/static/%", "/static/%zz", "/static/a%2"])
  func aPathThatCannotBeDecodedIsABadRequest(_ path: String) async throws {
    let server = try await server()
    #expect(try await server.client().request("GET", path).status == 400)
  }

  @Test func whatIsBelowIsServedHoweverItIsWritten() async throws {
    let server = try await server()
    let client = try server.client()
    for path in [
      "/static/a.html", "/static/%61.html", "/%73tatic/a.html", "/static//a.html",
      "http://test/static/a.html",
    ] {
      #expect(try await client.request("GET", path).text == content, "\(path)")
    }
    #expect(try await client.request("GET", "/static/within").text == "<p>docs</p>")
    #expect(
      try await client.request("GET", "/static/docs/a%20b%20%C3%A9.txt").text == "spaced")
  }

  @Test func aFolderHasAnIndexAndASlash() async throws {
    let server = try await server()
    let client = try server.client()
    let index = try await client.request("GET", "/static/docs/")
    #expect(index.text == "<p>docs</p>")
    #expect(index.headers["content-type"] == "text/html; charset=utf-8")
    for (path, location) in [
      ("/static/docs", "/static/docs/"), ("/static/docs?a=b&c", "/static/docs/?a=b&c"),
      ("/static", "/static/"), ("//static/docs", nil), ("/static//docs", "/static//docs/"),
    ] {
      let answer = try await client.request("GET", path)
      #expect(answer.status == (location == nil ? 404 : 301), "\(path)")
      #expect(answer.headers["location"] == location)
    }
  }

  @Test func aRedirectNeverNamesAnotherHost() async throws {
    let server = try await server(at: "/")
    let answer = try await server.client().request("GET", "//docs")
    #expect(answer.status == 301)
    #expect(answer.headers["location"] == "/docs/")
  }

  @Test func optionsSayWhatIsServed() async throws {
    var options = StaticFiles.Options()
    options.indexFiles = ["none.html", "a b é.txt"]
    options.servesHiddenFiles = true
    options.maximumRanges = 0
    options.cacheControl = "no-cache"
    options.mediaTypes["html"] = "text/x-own"
    let server = try await server(at: "/", options)
    let client = try server.client()
    #expect(try await client.request("GET", "/docs/").text == "spaced")
    #expect(try await client.request("GET", "/.git/config").text == "secret")
    #expect(try await client.request("GET", "/../secret").status == 404)
    let answer = try await client.request("GET", "/a.html", fields: ["Range: bytes=0-1"])
    #expect(answer.status == 200)
    #expect(answer.headers["accept-ranges"] == "none")
    #expect(answer.headers["cache-control"] == "no-cache")
    #expect(answer.headers["content-type"] == "text/x-own; charset=utf-8")
  }

  @Test func aQueryNamesAVersionThatIsKept() async throws {
    let server = try await server()
    let client = try server.client()
    let answer = try await client.request("GET", "/static/a.html?v=5")
    #expect(answer.headers["cache-control"] == "max-age=315360000")
    let tag = try #require(answer.headers["etag"])
    let unchanged = try await client.request(
      "GET", "/static/a.html?v=5", fields: ["If-None-Match: \(tag)"])
    #expect(unchanged.status == 304)
    #expect(unchanged.headers["cache-control"] == "max-age=315360000")
    #expect(try await client.request("GET", "/static/a.html?").headers["cache-control"] == nil)
    #expect(try await client.request("GET", "/static/no?v=5").headers["cache-control"] == nil)
  }

  @Test func aTimeThatIsNoneOfThePastIsServedAllTheSame() async throws {
    let server = try await server()
    let client = try server.client()
    folder.touch("www/a.html", 4_000_000_000)
    let future = try await client.request("GET", "/static/a.html").headers["last-modified"]
    #expect(future?.contains("2096") == false)
    folder.touch("www/a.html", -5)
    #expect(
      try await client.request("GET", "/static/a.html").headers["last-modified"]
        == "Thu, 01 Jan 1970 00:00:00 GMT")
  }

  // MARK: Conditions

  @Test func conditionsAreEvaluated() async throws {
    let server = try await server()
    let client = try server.client()
    let tag = try #require(try await client.request("GET", "/static/a.html").headers["etag"])
    for (fields, status) in [
      (["If-None-Match: \(tag)"], 304), (["If-None-Match: W/\(tag)"], 304),  // 40
      (["If-None-Match: *"], 304), (["If-None-Match: \"foo\", \"bar\", \(tag) , \"baz\""], 304),
      (["If-None-Match: \"foo\"", "If-None-Match: \(tag)"], 304),
      (["If-None-Match: \"foo\""], 200),
      (["If-Modified-Since: \(Self.modified)"], 304),
      (["If-Modified-Since: Tue, 19 Jan 2038 03:14:07 GMT"], 304),
      (["If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"], 200),
      (["If-None-Match: \"foo\"", "If-Modified-Since: \(Self.modified)"], 200),
      (["If-Match: \(tag)"], 200), (["If-Match: *"], 200), (["If-Match: \"foo\""], 412),  // 38
      (["If-Match: W/\(tag)"], 412), (["If-Match: \"foo\", \"bar\", \t\(tag) , \"baz\""], 200),
      (["If-Unmodified-Since: \(Self.modified)"], 200),
      (["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"], 412),
    ] {
      let answer = try await client.request("GET", "/static/a.html", fields: fields)
      #expect(answer.status == status, "\(fields)")
      if status == 304 {
        #expect(answer.headers["etag"] == tag)
        #expect(answer.headers["last-modified"] == Self.modified)
        #expect(answer.headers["content-type"] == nil)
      }
    }
    // Of what isn't there, no condition is asked (RFC 9110 §13.2.1).
    #expect(
      try await client.request("GET", "/static/nx", fields: ["If-Match: \"foo\""]).status == 404)
  }

  // MARK: Ranges

  @Test func aRangeIsAPart() async throws {
    let server = try await server()
    let client = try server.client()
    for (range, expected) in [
      ("0-8", "0-8"), ("-10", "990-999"), ("990-", "990-999"), ("990-1990", "990-999"),
      ("0-0,5000-", "0-0"),
    ] {
      let answer = try await client.request(
        "GET", "/static/a.html", fields: ["Range: bytes=\(range)"])
      #expect(answer.status == 206)
      #expect(answer.headers["content-range"] == "bytes \(expected)/1000")
      #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
      let bounds = expected.split(separator: "-").compactMap { Int($0) }
      #expect(answer.body == Array(content.utf8)[bounds[0]...bounds[1]][...].map { $0 })
    }
  }

  @Test func aRangeThatLiesOutsideIsNotSatisfiable() async throws {
    let server = try await server()
    let client = try server.client()
    for range in ["1000-", "100000-", "alpha", "10-alpha", "10", "10-11 12-"] {
      let answer = try await client.request(
        "GET", "/static/a.html", fields: ["Range: bytes=\(range)"])
      #expect(answer.status == 416)
      #expect(answer.headers["content-range"] == "bytes */1000")
      #expect(answer.headers["content-type"] == "application/problem+json")
    }
    let none = try await client.request("GET", "/static/none.txt", fields: ["Range: bytes=0-"])
    #expect(none.headers["content-range"] == "bytes */0")
    #expect(try await client.request("GET", "/static/none.txt").body.isEmpty)
  }

  @Test func severalRangesAreAMultipart() async throws {
    let server = try await server()
    let client = try server.client()
    let answer = try await client.request(
      "GET", "/static/a.html", fields: ["Range: bytes=0-9, -10, 100000-, 10-19"])
    #expect(answer.status == 206)
    #expect(answer.headers["content-range"] == nil)
    let type = try #require(answer.headers["content-type"])
    let mark = "multipart/byteranges; boundary="
    #expect(type.hasPrefix(mark))
    let boundary = type.dropFirst(mark.count)
    func part(_ range: String, _ text: String) -> String {
      "--\(boundary)\r\nContent-Type: text/html; charset=utf-8\r\n"
        + "Content-Range: bytes \(range)/1000\r\n\r\n\(text)\r\n"
    }
    #expect(
      answer.text == part("0-9", "X000XXXXXX") + part("990-999", "X099XXXXXX")
        + part("10-19", "X001XXXXXX") + "--\(boundary)--\r\n")
    // The connection goes on.
    #expect(try await client.request("GET", "/static/a.html").text == content)
  }

  @Test func rangesThatOnlyWasteAreIgnored() async throws {
    let server = try await server()
    let client = try server.client()
    let many = (0..<17).map { "\($0)-\($0)" }.joined(separator: ",")
    for range in ["bytes=0-10001, 0-0", "bytes=\(many)", "items=0-1"] {
      let answer = try await client.request("GET", "/static/a.html", fields: ["Range: \(range)"])
      #expect(answer.status == 200)
      #expect(answer.text == content)
    }
  }

  @Test func ifRangeDecidesBetweenThePartAndTheWhole() async throws {
    let server = try await server()
    let client = try server.client()
    let tag = try #require(try await client.request("GET", "/static/a.html").headers["etag"])
    for (condition, status) in [
      (tag, 206), (Self.modified, 206), ("wrong", 200), ("W/\(tag)", 200), ("\"foo\"", 200),  // 39
      ("Sun, 06 Nov 1994 08:49:38 GMT", 200),
    ] {
      let answer = try await client.request(
        "GET", "/static/a.html", fields: ["Range: bytes=0-9", "If-Range: \(condition)"])
      #expect(answer.status == status, "\(condition)")
      #expect(answer.text == (status == 206 ? "X000XXXXXX" : content))
    }
  }

  // MARK: Codings

  @Test func aCodedFileIsServedToThoseThatAcceptIt() async throws {
    try folder.write("www/a.html.gz", "gzipped")
    try folder.write("www/a.html.br", "brotli")
    try folder.write("www/docs/index.html.gz", "gzipped docs")
    let server = try await server()
    let client = try server.client()
    var tags: [String] = []
    for (accepted, coding) in [
      (nil, nil), ("gzip", "gzip"), ("br", "br"), ("gzip, deflate, br", "br"),
      ("gzip;q=1, br;q=0.5", "gzip"), ("gzip;q=0, br;q=0", nil), ("*", "br"),
      ("identity", nil), ("deflate", nil), ("br;q=0, *;q=0.1", "gzip"),
    ] as [(String?, String?)] {
      let answer = try await client.request(
        "GET", "/static/a.html", fields: accepted.map { ["Accept-Encoding: \($0)"] } ?? [])
      #expect(answer.headers["content-encoding"] == coding, "\(accepted ?? "")")
      #expect(answer.headers["vary"] == "Accept-Encoding")
      #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
      #expect(answer.text == (coding == nil ? content : coding == "br" ? "brotli" : "gzipped"))
      tags.append(answer.headers["etag"] ?? "")
    }
    #expect(Set(tags).count == 3)
    // Conditions and ranges are about the content that is selected.
    let unchanged = try await client.request(
      "GET", "/static/a.html", fields: ["Accept-Encoding: gzip", "If-None-Match: \(tags[1])"])
    #expect(unchanged.status == 304)
    #expect(unchanged.headers["vary"] == "Accept-Encoding")
    let other = try await client.request(
      "GET", "/static/a.html", fields: ["Accept-Encoding: br", "If-None-Match: \(tags[1])"])
    #expect(other.status == 200)
    let part = try await client.request(
      "GET", "/static/a.html", fields: ["Accept-Encoding: gzip", "Range: bytes=0-3"])
    #expect(part.text == "gzip")
    #expect(part.headers["content-range"] == "bytes 0-3/7")
    let index = try await client.request("GET", "/static/docs/", fields: ["Accept-Encoding: gzip"])
    #expect(index.text == "gzipped docs")
    // Asked for by its name, it is what it is.
    let itself = try await client.request(
      "GET", "/static/a.html.gz", fields: ["Accept-Encoding: gzip"])
    #expect(itself.headers["content-encoding"] == nil)
    #expect(itself.headers["content-type"] == "application/gzip")
  }

  @Test func aCodedFileAloneIsNotServedInThePlainOnesPlace() async throws {
    try folder.write("www/only.css.gz", "gzipped")
    let server = try await server()
    let answer = try await server.client().request(
      "GET", "/static/only.css", fields: ["Accept-Encoding: gzip"])
    #expect(answer.status == 404)
  }

  // MARK: Many bytes, many requests

  @Test func aLargeFileIsSentWholeAndPipelinedRequestsFollow() async throws {
    let large = (0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
    try folder.write("www/large.bin", large)
    let server = try await server()
    let client = try server.client()
    let get = " HTTP/1.1\r\nHost: test\r\n\r\n"
    try client.send(
      "GET /static/large.bin\(get)GET /static/a.html\(get)GET /static/large.bin\(get)")
    let answers = [
      try await client.answer(), try await client.answer(), try await client.answer(),
    ]
    #expect(answers[0].body == large)
    #expect(answers[0].headers["content-type"] == "application/octet-stream")
    #expect(answers[1].text == content)
    #expect(answers[2].body == large)
    let last = try await client.request(
      "GET", "/static/large.bin", fields: ["Range: bytes=1000000-6999999"])
    #expect(last.body == Array(large[1_000_000..<7_000_000]))
  }

  @Test func otherRoutesGoBefore() async throws {
    let files = try StaticFiles(root: "\(folder.path)/www")
    let server = try await TestServer { router, _ in
      router.files("/", files)
      router.get("/hello/{name}") { .text($0.parameters["name"] ?? "") }
      router.onDeferred(.get, "/icon") { request, responder in
        responder.respond(files.response(to: request, path: "docs/index.html"))
      }
    }
    let client = try server.client()
    #expect(try await client.request("GET", "/hello/a").text == "a")
    #expect(try await client.request("GET", "/a.html").text == content)
    #expect(try await client.request("GET", "/icon").text == "<p>docs</p>")
  }

  @Test func aFolderThatIsNoneIsRefused() throws {
    for path in ["\(folder.path)/none", "\(folder.path)/secret", "", "a\0b"] {
      let error = #expect(throws: StaticFilesError.self) { try StaticFiles(root: path) }
      #expect(error?.root == path)
      #expect(error?.description.contains("can't be served") == true)
    }
  }
}
