import EddyHTTP
import Testing

@testable import EddyJobs

@Suite struct IdempotencyKeyTests {
  @Test(arguments: [
    "a", "8e03978e-40d5-43dd-bc93-6894a57f9324", "\"quoted\"", String(repeating: "k", count: 255),
  ])
  func aVisibleKeyIsTaken(_ key: String) throws {
    try IdempotencyKey.validate(key)
  }

  @Test(arguments: ["", "a b", "a\u{7F}", "ä", "a\tb", String(repeating: "k", count: 256)])
  func anyOtherIsRefused(_ key: String) {
    let problem = #expect(throws: Problem.self) { try IdempotencyKey.validate(key) }
    #expect(problem?.status == .badRequest)
    #expect(problem?.detail?.contains("visible ASCII") == true)
  }
}

@Suite struct EntityTagsTests {
  @Test(arguments: [
    ("\"3\"", EntityTags.versions([3])), ("W/\"3\"", .versions([3])), ("*", .any),
    ("\"1\", \"2\" ,W/\"4\"", .versions([1, 2, 4])), (" * ", .any),
    ("\"abc\"", .versions([])), ("3", .versions([])), ("", .versions([])), ("\"", .versions([])),
    ("\"03\"", .versions([])), ("\"+3\"", .versions([])), ("3\"", .versions([])),
    ("\"\"", .versions([])), ("\"99999999999999999999\"", .versions([])),
  ])
  func tagsAreRead(_ value: String, _ expected: EntityTags) {
    #expect(EntityTags(parsing: value) == expected)
  }

  @Test func aTagNamesAVersion() {
    #expect(EntityTags(parsing: EntityTags.tag(12)).contains(12))
    #expect(!EntityTags(parsing: EntityTags.tag(12)).contains(1))
    #expect(EntityTags.any.contains(1))
  }
}
