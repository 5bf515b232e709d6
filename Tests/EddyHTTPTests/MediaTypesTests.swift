import Testing

@testable import EddyHTTP

@Suite struct MediaTypesTests {
  @Test(arguments: [
    ("a.html", "text/html; charset=utf-8"), ("A.HTML", "text/html; charset=utf-8"),
    ("x/y.z/a.css", "text/css; charset=utf-8"), ("a.min.js", "text/javascript; charset=utf-8"),
    ("a.svg", "image/svg+xml"), ("a.json", "application/json"), ("a.wasm", "application/wasm"),
    ("a.tar.gz", "application/gzip"), ("a", "application/octet-stream"),
    ("a.unknown", "application/octet-stream"), ("x.html/a", "application/octet-stream"),
    ("a.", "application/octet-stream"), ("", "application/octet-stream"),
  ])
  func anExtensionNamesAType(_ name: String, _ type: String) {
    #expect(MediaTypes.builtin.type(ofFile: name) == type)
  }

  @Test func aSystemsListIsRead() {
    let types = MediaTypes.parse(
      """
      # a comment
      text/html\t\t\thtml htm # another
      text/x-first one
      text/x-second one two
      no-type three
      application/x-none

      text/x-crlf crlf\r
      """)
    #expect(
      types == [
        "html": "text/html", "htm": "text/html", "one": "text/x-first", "two": "text/x-second",
        "crlf": "text/x-crlf",
      ])
  }

  @Test func theSystemsListHasWhatItLacksFromTheTable() {
    #expect(MediaTypes.system.type(ofFile: "a.html") == "text/html; charset=utf-8")
    #expect(MediaTypes.system.type(ofFile: "a.webmanifest") == "application/manifest+json")
  }

  @Test func aTypeCanBeAdded() {
    var types = MediaTypes.builtin
    types["TXT"] = "text/plain; charset=iso-8859-1"
    types["html"] = nil
    #expect(types.type(ofFile: "a.txt") == "text/plain; charset=iso-8859-1")
    #expect(types.type(ofFile: "a.html") == "application/octet-stream")
    #expect(MediaTypes(types: ["a": "text/x\r\nX: y"])["a"] == nil)
  }
}
