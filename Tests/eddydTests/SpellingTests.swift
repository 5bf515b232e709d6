import Testing

@testable import eddyd

@Suite struct SpellingTests {
  private let keys = ["command", "timeLimit", "graceTime", "outputLimit", "bodyLimit"]

  @Test(arguments: [
    ("comand", "command"), ("timelimit", "timeLimit"), ("time_limit", "timeLimit"),
    ("outputlimt", "outputLimit"), ("gracetime", "graceTime"),
  ])
  func aMisspeltKeyIsRecognised(_ word: String, _ meant: String) {
    #expect(Spelling.nearest(to: word, among: keys) == meant)
  }

  @Test func aWordThatIsNothingLikeAKeyIsNotGuessed() {
    #expect(Spelling.nearest(to: "shell", among: keys) == nil)
    #expect(Spelling.nearest(to: "x", among: keys) == nil)
    #expect(Spelling.nearest(to: "x", among: []) == nil)
  }

  @Test func distanceIsTheFewestChanges() {
    #expect(Spelling.distance("", "abc") == 3)
    #expect(Spelling.distance("abc", "") == 3)
    #expect(Spelling.distance("kitten", "sitting") == 3)
    #expect(Spelling.distance("same", "same") == 0)
  }
}
