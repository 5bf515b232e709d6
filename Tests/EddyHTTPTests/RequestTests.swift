import HTTPTypes
import Testing

@testable import EddyHTTP

@Suite struct RequestTests {
  @Test func theTargetIsPathAndQuery() {
    let request = Request(target: "/a%20b?x=1&y=%20")
    #expect(request.path == "/a%20b")
    #expect(request.query["x"] == "1")
    #expect(request.query["y"] == " ")
    #expect(Request(target: "/").query.isEmpty)
    #expect(Request(target: "/?").query.isEmpty)
  }

  @Test func fieldsAreFoundWithoutRegardToCase() {
    var headers: HTTPFields = [.ifNoneMatch: "\"3\""]
    headers.append(HTTPField(name: HTTPField.Name("Host")!, value: "example.org"))
    headers.append(HTTPField(name: HTTPField.Name("X-LONG-Name_1")!, value: "v"))
    let request = Request(target: "/", headers: headers)
    #expect(request.header(.ifNoneMatch) == "\"3\"")
    #expect(request.header(HTTPField.Name("x-long-name_1")!) == "v")
    #expect(request.header(HTTPField.Name("x-long-name-1")!) == nil)
    #expect(request.authority == "example.org")
    #expect(request.headers == headers)
  }

  @Test func linesOfOneNameAreCombined() {
    var headers = HTTPFields()
    headers.append(HTTPField(name: HTTPField.Name("Prefer")!, value: "respond-async"))
    headers.append(HTTPField(name: .cookie, value: "a=1"))
    headers.append(HTTPField(name: HTTPField.Name("prefer")!, value: "wait=5"))
    headers.append(HTTPField(name: .cookie, value: "b=2"))
    let request = Request(target: "/", headers: headers)
    #expect(request.header(HTTPField.Name("Prefer")!) == "respond-async, wait=5")
    #expect(request.header(.cookie) == "a=1; b=2")
  }

  @Test func aValueThatIsNotUTF8IsReadAsLatin1() {
    let field = HTTPField(name: .userAgent, value: [0x63, 0x61, 0x66, 0xE9])
    let request = Request(target: "/", headers: HTTPFields([field]))
    #expect(request.header(.userAgent) == "café")
  }

  @Test func parametersCanBeGiven() {
    #expect(Request(target: "/jobs/7", parameters: ["id": "7"]).parameters["id"] == "7")
  }
}
