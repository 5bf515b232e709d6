import Testing

@testable import eddyd

@Suite struct JSONOutlineTests {
  private func outline(_ text: String) throws -> JSONOutline {
    try JSONOutline(parsing: Array(text.utf8))
  }

  private func flaw(_ text: [UInt8]) -> JSONSyntaxError? {
    do {
      _ = try JSONOutline(parsing: text)
      return nil
    } catch {
      return error
    }
  }

  @Test func keysAreListedInTheirOrderWithTheirLines() throws {
    let outline = try outline("{\n  \"b\": 1,\n\n  \"a\": {\"c\": [true,\n null]}\n}\n")
    guard case .object(let members) = outline.kind else {
      Issue.record("not an object")
      return
    }
    #expect(members.map(\.name) == ["b", "a"])
    #expect(members.map(\.line) == [2, 4])
    guard case .array(let elements)? = outline["a"]?["c"]?.kind else {
      Issue.record("not an array")
      return
    }
    #expect(elements.map(\.line) == [4, 5])
  }

  @Test(arguments: [
    (#""""#, ""), (#""a\"b\\c\/d""#, "a\"b\\c/d"), (#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t"),
    (#""\u00e9\u20AC""#, "é€"), (#""\uD83D\uDE00""#, "😀"), ("\"日本\"", "日本"),
    (#""\u0000""#, "\0"),
  ])
  func stringsAreUnescaped(_ text: String, _ expected: String) throws {
    guard case .string(let string) = try outline(text).kind else {
      Issue.record("not a string")
      return
    }
    #expect(string == expected)
  }

  @Test(arguments: ["0", "-0", "12", "-1.5", "1e3", "1E+3", "0.5e-7", "123456789012345678901234"])
  func numbersAreKeptAsTheyAreWritten(_ text: String) throws {
    guard case .number(let number) = try outline(" \(text) ").kind else {
      Issue.record("not a number")
      return
    }
    #expect(number == text)
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{a: 1}", "{\"a\" 1}", "{\"a\":}", "[1 2]", "01", "1.",
    ".5", "+1", "-", "1e", "0x1", "tru", "nul", "True", "'a'", "\"a", "\"\\x\"", "\"\\u12\"",
    "\"\\uD83D\"", "\"\\uDE00\"", "\"\\uD83D\\u0041\"", "\"a\nb\"", "{} {}", "// c\n{}", "# c\n{}",
    "{\"a\": 1, \"a\": 2}", "{\"a\": 1, \"\\u0061\": 2}", "NaN", "\u{FEFF}{}",
  ])
  func whatIsNoJSONIsRefused(_ text: String) {
    #expect(flaw(Array(text.utf8)) != nil)
  }

  @Test func aStringThatIsNoUTF8IsRefused() {
    #expect(flaw([0x22, 0xFF, 0x22])?.problem == "the string is not in UTF-8")
    #expect(flaw([0x22, 0xC0, 0x80, 0x22])?.problem == "the string is not in UTF-8")
  }

  @Test func aFlawHasItsLineAndColumn() {
    #expect(
      flaw(Array("{\n  \"a\": 1,\n  \"a\": 2\n}".utf8))
        == JSONSyntaxError(
          line: 3, column: 3, problem: "the key \"a\" is there twice; keep one of them"))
    #expect(flaw(Array("[1,\n\n 2 3]".utf8)).map { [$0.line, $0.column] } == [3, 4])
  }

  @Test func aTextThatNestsTooDeepIsRefusedAndDoesNotOverflowTheStack() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(flaw(Array(deep.utf8))?.problem == "more than 64 levels")
    let wide = "[" + Array(repeating: "[[]]", count: 1_000).joined(separator: ",") + "]"
    #expect(flaw(Array(wide.utf8)) == nil)
  }

  @Test func everyPrefixOfATextIsRefused() {
    let text = Array(#"{"a": [1.5e3, "\u00e9\n", {"b": null}], "c": [true, false]}"#.utf8)
    #expect(flaw(text) == nil)
    for count in 0..<text.count { #expect(flaw(Array(text[..<count])) != nil) }
  }
}
