import Testing

@testable import EddyHTTPCore

@Suite struct RelativePathTests {
  private func decode(
    _ path: String, allowsHidden: Bool = false
  ) throws -> RelativePath {
    try withBytes(path) { try RelativePath(decoding: $0, allowsHidden: allowsHidden) }
  }

  @Test(arguments: [
    ("", "", true), ("/", "", true), ("a", "a", false), ("a/", "a", true),
    ("a/b.txt", "a/b.txt", false), ("/a/b", "a/b", false), ("//a///b//", "a/b", true),
    ("%61%2e%62", "a.b", false), ("a%20b", "a b", false), ("a+b", "a+b", false),
    ("%c3%A9", "é", false), ("a..b", "a..b", false), ("a.", "a.", false), ("%2561", "%61", false),
    ("a%5c..%5cb", "a\\..\\b", false), ("a/b..", "a/b..", false),
  ])
  func aPathIsDecodedOnce(_ path: String, _ decoded: String, _ isFolder: Bool) throws {
    let found = try decode(path)
    #expect(String(decoding: found.bytes, as: UTF8.self) == decoded)
    #expect(found.isFolder == isFolder)
  }

  @Test(arguments: [
    ("..", RelativePath.Flaw.dotSegment), ("../a", .dotSegment), ("a/../b", .dotSegment),
    ("a/..", .dotSegment), (".", .dotSegment), ("a/./b", .dotSegment), ("./", .dotSegment),
    ("%2e%2e/a", .dotSegment), (".%2E/a", .dotSegment), ("a/%2e%2e/%2e%2e/b", .dotSegment),
    ("%2e", .dotSegment), ("//../a", .dotSegment),
    (".git/config", .hidden), ("a/.htaccess", .hidden), ("%2egit", .hidden), ("...", .hidden),
    ("..a", .hidden), ("a/.b/c", .hidden),
    ("a%00", .byte), ("%00", .byte), ("a%2fb", .byte), ("..%2f..%2fetc", .byte),
    ("a%2F", .byte), ("a\0b", .byte),
    ("%", .encoding), ("a%", .encoding), ("a%2", .encoding), ("%zz", .encoding),
    ("%2", .encoding), ("%%20", .encoding), ("%u0041", .encoding),
  ])
  func aPathThatNamesNoFileIsRefused(_ path: String, _ flaw: RelativePath.Flaw) {
    #expect(throws: flaw) { try decode(path) }
  }

  @Test func hiddenNamesAreServedOnlyIfAskedFor() throws {
    #expect(try decode(".well-known/x", allowsHidden: true).bytes == Array(".well-known/x".utf8))
    #expect(throws: RelativePath.Flaw.dotSegment) { try decode("a/..", allowsHidden: true) }
    #expect(throws: RelativePath.Flaw.dotSegment) { try decode(".", allowsHidden: true) }
  }

  /// Whatever a path of a few interesting pieces is made of, what comes out never leads up.
  @Test func noCombinationLeadsUp() {
    let pieces = ["..", ".", "/", "%2e", "%2f", "a", "%00", "\\", "%", ""]
    for count in 0..<10_000 {
      var (rest, path) = (count, "")
      for _ in 0..<4 {
        path += pieces[rest % 10]
        rest /= 10
      }
      for allowsHidden in [false, true] {
        guard let found = try? decode(path, allowsHidden: allowsHidden) else { continue }
        let segments = String(decoding: found.bytes, as: UTF8.self).components("/")
        #expect(!segments.contains("..") && !segments.contains("."), "\(path)")
        #expect(!found.bytes.contains(0) && found.bytes.first != 0x2F, "\(path)")
      }
    }
  }
}
