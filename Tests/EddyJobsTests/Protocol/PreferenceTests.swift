import Testing

@testable import EddyJobs

@Suite struct PreferenceTests {
  @Test(arguments: [
    ("respond-async", Preference(respondsAsync: true)),
    ("respond-async, wait=10", Preference(respondsAsync: true, wait: 10)),
    ("wait=10,respond-async", Preference(respondsAsync: true, wait: 10)),
    ("Respond-Async; foo=bar , WAIT = 10", Preference(respondsAsync: true, wait: 10)),
    ("wait=\"10\"", Preference(wait: 10)),
    ("wait=\"1\\0\"", Preference(wait: 10)),
    ("foo; bar, respond-async", Preference(respondsAsync: true)),
    ("foo; bar=\"a,wait=3\", wait=4", Preference(wait: 4)),
    ("priority=5;, ,, respond-async ;;", Preference(respondsAsync: true)),
    ("wait=0", Preference(wait: 0)),
    ("respond-async=\"\"", Preference(respondsAsync: true)),
    ("wait=99999999999999999999", Preference(wait: Int(Int32.max))),
  ])
  func whatIsMeantIsUnderstood(_ value: String, _ expected: Preference) {
    #expect(Preference(parsing: value) == expected)
  }

  @Test(arguments: [
    "", ",", " ", "wait", "wait=", "wait=abc", "wait=-1", "wait=1.5", "wait=\"", "wait=\"1",
    "=5", "wait==5", "foo=wait=5", "\"wait=5\"", "x y wait=5", "foo;wait=5", "wait=\"\"",
  ])
  func whatIsMalformedOrUnknownIsIgnored(_ value: String) {
    #expect(Preference(parsing: value) == Preference())
  }

  @Test func theFirstOfSeveralCounts() {
    // RFC 7240 §2: later ones are ignored, even if the first has no use.
    #expect(Preference(parsing: "wait=1, wait=2").wait == 1)
    #expect(Preference(parsing: "wait=x, wait=2").wait == nil)
  }

  @Test func aMalformedMemberDoesNotHideTheNext() {
    #expect(Preference(parsing: "wait=@, respond-async") == Preference(respondsAsync: true))
    #expect(Preference(parsing: "(), respond-async") == Preference(respondsAsync: true))
    #expect(Preference(parsing: "x=\"a,b\" y, respond-async") == Preference(respondsAsync: true))
  }

  @Test func appliedSaysWhatWasHonoured() {
    #expect(Preference().applied == nil)
    #expect(Preference(respondsAsync: true).applied == "respond-async")
    #expect(Preference(wait: 5).applied == "wait=5")
    #expect(Preference(respondsAsync: true, wait: 5).applied == "respond-async, wait=5")
  }

  /// Any bytes end in some preference, soon: the parser always moves on.
  @Test func noiseIsParsed() {
    var random = SeededGenerator(seed: 7_240)
    let alphabet = Array("wait=respond-async,;\"\\ \t10é(".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        alphabet.randomElement(using: &random)!
      }
      let preference = Preference(parsing: String(decoding: bytes, as: UTF8.self))
      #expect(preference.wait ?? 0 >= 0)
    }
  }
}
