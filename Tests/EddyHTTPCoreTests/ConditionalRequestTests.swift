import Testing

@testable import EddyHTTPCore

/// RFC 9110 §8.8.3 and §13.
@Suite struct ConditionalRequestTests {
  private func request(_ fields: [String]) -> ConditionalRequest {
    var request = ConditionalRequest()
    for field in fields {
      let parts = field.components(": ")
      withBytes(parts[0]) { name in
        withBytes(parts[1...].joined(separator: ": ")) { request.note(name, $0) }
      }
    }
    return request
  }

  @Test(arguments: [
    ("\"a\"", "\"a\"", true, true), ("\"a\"", "\"b\"", false, false),
    ("W/\"a\"", "\"a\"", false, true), ("\"a\"", "W/\"a\"", false, true),
    ("W/\"a\"", "W/\"a\"", false, true), ("W/\"a\"", "W/\"b\"", false, false),
    ("\"\"", "\"\"", true, true), ("\"a\"", "\"aa\"", false, false),
    ("\"a\"", "a", false, false), ("\"a\"", "w/\"a\"", false, false),
  ])
  func tagsAreCompared(_ one: String, _ other: String, _ strong: Bool, _ weak: Bool) {
    withBytes(one) { one in
      withBytes(other) { other in
        #expect(EntityTag.equal(one, other, .strong) == strong)
        #expect(EntityTag.equal(one, other, .weak) == weak)
      }
    }
  }

  @Test(arguments: [
    ("\"a\"", EntityTag.ListMatch.member), ("\"b\"", .none), ("*", .any), (" * ", .any),
    ("\"x\", \"a\"", .member), ("\"x\",\"a\",\"y\"", .member), (",, \"x\" ,\t, \"a\" ,", .member),
    ("\"foo\", \"bar\", \t\"a\" , \"baz\"", .member),
    // A comma inside a tag divides nothing.
    ("\"x,\"a\"", .none), ("\"x,\", \"a\"", .member), ("\"x y\", \"a\"", .none),
    ("", .none), ("a", .none), ("\"a", .none), ("\"x\" \"a\"", .none), ("x, \"a\"", .none),
    ("*, \"a\"", .none), ("\"a\", *", .member), ("\"x\", *", .none), ("\"a b\", \"a\"", .none),
  ])
  func aTagIsLookedForInAList(_ list: String, _ match: EntityTag.ListMatch) {
    withBytes("\"a\"") { tag in
      withBytes(list) { #expect(EntityTag.find(tag, in: $0, .strong) == match) }
    }
  }

  private typealias Outcome = ConditionalRequest.Outcome

  /// The representation has the tag "a" and was modified on Sun, 06 Nov 1994 08:49:37 GMT.
  private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
  private static let before = "Sun, 06 Nov 1994 08:49:36 GMT"
  private static let after = "Sunday, 06-Nov-94 08:49:38 GMT"

  private func evaluate(_ fields: [String], _ method: Method = .get) -> ConditionalRequest.Outcome {
    request(fields).evaluate(
      method, .init(entityTag: Array("\"a\"".utf8), lastModified: 784_111_777),
      now: 1_767_225_600)
  }

  @Test(
    arguments: [
      ([], .perform(isPartial: false)),
      (["If-Match: \"a\""], .perform(isPartial: false)),
      (["If-Match: *"], .perform(isPartial: false)),
      (["If-Match: \"b\""], .preconditionFailed),
      (["If-Match: W/\"a\""], .preconditionFailed),
      (["If-Match: \"b\"", "If-Match: \"a\""], .perform(isPartial: false)),
      (["if-MATCH: nonsense"], .preconditionFailed),
      (["If-None-Match: \"a\""], .notModified),
      (["If-None-Match: W/\"a\""], .notModified),
      (["If-None-Match: \"x\", \"a\""], .notModified),
      (["If-None-Match: \"x\"", "If-None-Match: W/\"a\""], .notModified),
      (["If-None-Match: *"], .notModified),
      (["If-None-Match: \"b\""], .perform(isPartial: false)),
      (["If-Modified-Since: " + date], .notModified),
      (["If-Modified-Since: " + after], .notModified),
      (["If-Modified-Since: " + before], .perform(isPartial: false)),
      (["If-Modified-Since: yesterday"], .perform(isPartial: false)),
      (["If-Modified-Since: " + date, "If-Modified-Since: " + date], .perform(isPartial: false)),
      (["If-Unmodified-Since: " + date], .perform(isPartial: false)),
      (["If-Unmodified-Since: " + after], .perform(isPartial: false)),
      (["If-Unmodified-Since: " + before], .preconditionFailed),
      (["If-Unmodified-Since: yesterday"], .perform(isPartial: false)),
      // The order: a tag goes before a date, a match before a none-match.
      (["If-Match: \"a\"", "If-Unmodified-Since: " + before], .perform(isPartial: false)),
      (["If-None-Match: \"b\"", "If-Modified-Since: " + date], .perform(isPartial: false)),
      (["If-None-Match: \"a\"", "If-Modified-Since: " + before], .notModified),
      (["If-None-Match: \"a\"", "If-Match: \"b\""], .preconditionFailed),
      (["If-None-Match: \"a\"", "If-Match: \"a\""], .notModified),
      (["If-Modified-Since: " + date, "If-Unmodified-Since: " + before], .preconditionFailed),
      (["Range: bytes=0-1", "If-None-Match: \"a\""], .notModified),
      // If-Range.
      (["Range: bytes=0-1"], .perform(isPartial: true)),
      (["If-Range: \"a\""], .perform(isPartial: false)),
      (["Range: bytes=0-1", "If-Range: \"a\""], .perform(isPartial: true)),
      (["Range: bytes=0-1", "If-Range: \"b\""], .perform(isPartial: false)),
      (["Range: bytes=0-1", "If-Range: W/\"a\""], .perform(isPartial: false)),
      (["Range: bytes=0-1", "If-Range: " + date], .perform(isPartial: true)),
      (["Range: bytes=0-1", "If-Range: " + before], .perform(isPartial: false)),
      (["Range: bytes=0-1", "If-Range: " + after], .perform(isPartial: false)),
      (["Range: bytes=0-1", "If-Range: wrong"], .perform(isPartial: false)),
      (["Range: bytes=0-1", "If-Range: \"a\"", "If-Range: \"a\""], .perform(isPartial: false)),
    ] as [([String], ConditionalRequest.Outcome)])
  func conditionsAreEvaluatedInTheirOrder(
    _ fields: [String], _ outcome: ConditionalRequest.Outcome
  ) {
    #expect(evaluate(fields) == outcome)
    // HEAD has the same conditions, but no ranges.
    let head = if case .perform = outcome { Outcome.perform(isPartial: false) } else { outcome }
    #expect(evaluate(fields, .head) == head)
  }

  @Test func aMethodThatChangesIsRefusedAndIgnoresDatesOfReading() {
    #expect(evaluate(["If-None-Match: *"], .put) == .preconditionFailed)
    #expect(evaluate(["If-None-Match: \"a\""], .put) == .preconditionFailed)
    #expect(
      evaluate(["If-Modified-Since: " + Self.date], .put) == .perform(isPartial: false))
    #expect(evaluate(["Range: bytes=0-1"], .put) == .perform(isPartial: false))
  }

  @Test func whatHasNoValidatorMatchesOnlyTheAsterisk() {
    func evaluate(_ field: String) -> Outcome {
      request([field, "Range: bytes=0-0"]).evaluate(
        .get, .init(entityTag: nil, lastModified: nil), now: 0)
    }
    #expect(evaluate("If-Match: \"a\"") == .preconditionFailed)
    #expect(evaluate("If-Match: *") == .perform(isPartial: true))
    #expect(evaluate("If-None-Match: *") == .notModified)
    #expect(evaluate("If-Modified-Since: " + Self.date) == .perform(isPartial: true))
    #expect(evaluate("If-Unmodified-Since: " + Self.date) == .perform(isPartial: true))
    #expect(evaluate("If-Range: " + Self.date) == .perform(isPartial: false))
    #expect(evaluate("If-Range: \"a\"") == .perform(isPartial: false))
  }
}
