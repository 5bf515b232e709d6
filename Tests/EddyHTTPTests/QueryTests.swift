import Testing

@testable import EddyHTTP

@Suite struct QueryTests {
  private func items(_ text: String) -> [Query.Item] { Query(text).items }

  private func item(_ name: String, _ value: String) -> Query.Item {
    Query.Item(name: name, value: value)
  }

  @Test func pairsAreSplitAndDecoded() {
    #expect(items("a=1&b=2") == [item("a", "1"), item("b", "2")])
    #expect(items("a%20b=c%26d+e") == [item("a b", "c&d e")])
    #expect(items("a=b=c") == [item("a", "b=c")])
    #expect(items("a=&b&=c") == [item("a", ""), item("b", ""), item("", "c")])
    #expect(items("%C3%BC=%e2%82%ac") == [item("ü", "€")])
  }

  @Test func emptyPairsAreIgnored() {
    #expect(items("").isEmpty)
    #expect(items("&&a=1&") == [item("a", "1")])
    #expect(Query("").isEmpty)
  }

  @Test func whatIsMalformedStaysAsItWasSent() {
    #expect(items("a=100%&b=%zz&c=%ff") == [item("a", "100%"), item("b", "%zz"), item("c", "%ff")])
  }

  @Test func aNameFindsItsFirstValueOrAll() {
    let query = Query("wait=1&x=&wait=2")
    #expect(query["wait"] == "1")
    #expect(query[values: "wait"] == ["1", "2"])
    #expect(query["x"] == "")
    #expect(query["y"] == nil)
  }
}
