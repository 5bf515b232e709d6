import HTTPTypes
import Testing

@testable import EddyHTTP

@Suite struct RouterTests {
  private let router = Router()

  private func add(_ method: HTTPRequest.Method, _ pattern: String, bodyLimit: Int? = nil) {
    // The limit doubles as the route's name in these tests.
    router.on(method, pattern, bodyLimit: bodyLimit) { _ in Response() }
  }

  private func route(_ method: HTTPRequest.Method, _ path: String) -> Router.Routing {
    var path = path
    return path.withUTF8 { router.route(method, path: UnsafeRawBufferPointer($0)) }
  }

  private func found(_ method: HTTPRequest.Method, _ path: String) -> (Int?, PathParameters)? {
    guard case .route(let route, let parameters) = route(method, path) else { return nil }
    return (route.bodyLimit, parameters)
  }

  private func answer(_ method: HTTPRequest.Method, _ path: String) -> Response? {
    guard case .answer(let response) = route(method, path) else { return nil }
    return response
  }

  private func text(_ response: Response?) -> String {
    guard case .bytes(let bytes)? = response?.body else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func theRootAndLiteralsAreFound() {
    add(.get, "/", bodyLimit: 1)
    add(.get, "/jobs", bodyLimit: 2)
    add(.get, "/jobs/", bodyLimit: 3)
    add(.get, "/jobs/all", bodyLimit: 4)
    #expect(found(.get, "/")?.0 == 1)
    #expect(found(.get, "/jobs")?.0 == 2)
    #expect(found(.get, "/jobs/")?.0 == 3)
    #expect(found(.get, "/jobs/all")?.0 == 4)
    for path in ["/job", "/jobss", "/Jobs", "//", "/jobs//", "/jobs/all/", "", "jobs", "*"] {
      #expect(answer(.get, path)?.status == .notFound, "\(path)")
    }
  }

  @Test func parametersMatchOneSegmentAndAreDecoded() {
    add(.get, "/jobs/{id}/result/{part}", bodyLimit: 1)
    let parameters = found(.get, "/jobs/a%20b/result/c%2Fd")?.1
    #expect(parameters?["id"] == "a b")
    #expect(parameters?["part"] == "c/d")
    #expect(parameters?["other"] == nil)
    #expect(answer(.get, "/jobs//result/x")?.status == .notFound)
    #expect(answer(.get, "/jobs/a/b/result/x")?.status == .notFound)
  }

  @Test func theRestMatchesAllThatIsLeftAndMayBeEmpty() {
    add(.get, "/files/{path...}", bodyLimit: 1)
    #expect(found(.get, "/files/")?.1["path"] == "")
    #expect(found(.get, "/files/a")?.1["path"] == "a")
    #expect(found(.get, "/files/a//b%20c/")?.1["path"] == "a//b c/")
    #expect(answer(.get, "/files")?.status == .notFound)
  }

  @Test func aLiteralGoesBeforeAParameterAndThatBeforeTheRest() {
    add(.get, "/{rest...}", bodyLimit: 1)
    add(.get, "/{name}", bodyLimit: 2)
    add(.get, "/name", bodyLimit: 3)
    #expect(found(.get, "/name")?.0 == 3)
    #expect(found(.get, "/other")?.0 == 2)
    #expect(found(.get, "/other/deep")?.0 == 1)
  }

  @Test func aBranchThatLeadsNowhereIsLeftForAnother() {
    add(.get, "/a/b/c", bodyLimit: 1)
    add(.get, "/{x}/b/d", bodyLimit: 2)
    add(.get, "/a/{rest...}", bodyLimit: 3)
    #expect(found(.get, "/a/b/c")?.0 == 1)
    #expect(found(.get, "/z/b/d")?.1["x"] == "z")
    let deep = found(.get, "/a/b/e")
    #expect(deep?.0 == 3)
    #expect(deep?.1["rest"] == "b/e")
  }

  @Test func theMostSpecificRouteWithTheMethodIsTaken() {
    add(.get, "/jobs/{id}", bodyLimit: 1)
    add(.post, "/jobs/new", bodyLimit: 2)
    #expect(found(.get, "/jobs/new")?.1["id"] == "new")
    #expect(found(.post, "/jobs/new")?.0 == 2)
    #expect(answer(.put, "/jobs/new")?.headers[.allow] == "POST, GET, HEAD, OPTIONS")
  }

  @Test func literalsMatchWhenPercentEncoded() {
    add(.get, "/tasks/sleep", bodyLimit: 1)
    add(.get, "/über", bodyLimit: 2)
    #expect(found(.get, "/tasks/sl%65ep")?.0 == 1)
    #expect(found(.get, "/%c3%BCber")?.0 == 2)
    #expect(answer(.get, "/tasks%2Fsleep")?.status == .notFound)
  }

  @Test(arguments: ["/a%", "/a%4", "/a%4x", "/%zz", "/%ff", "/%c3"])
  func aPathThatCannotBeDecodedIsABadRequest(_ path: String) {
    add(.get, "/{name}")
    #expect(answer(.get, path)?.status == .badRequest)
  }

  @Test func anotherMethodOfThePathIs405WithAllow() {
    add(.get, "/jobs/{id}")
    add(.delete, "/jobs/{id}")
    let response = answer(.post, "/jobs/1")
    #expect(response?.status == .methodNotAllowed)
    #expect(response?.headers[.allow] == "GET, HEAD, DELETE, OPTIONS")
    #expect(response?.headers[.contentType] == "application/problem+json")
  }

  @Test func aMethodThatNobodyKnowsIs501() {
    add(.get, "/")
    let brew = answer(HTTPRequest.Method("BREW")!, "/")
    #expect(brew?.status == .notImplemented)
    #expect(text(brew).contains("takes BREW; they take GET, HEAD, OPTIONS."))
    let long = answer(HTTPRequest.Method(String(repeating: "B", count: 1000))!, "/")
    #expect(text(long).contains("takes \(String(repeating: "B", count: 40))…; they"))
    #expect(answer(HTTPRequest.Method("BREW")!, "/nowhere")?.status == .notImplemented)
    #expect(answer(HTTPRequest.Method("get")!, "/")?.status == .notImplemented)
    #expect(answer(.connect, "/")?.status == .notImplemented)
    #expect(answer(.trace, "/")?.status == .methodNotAllowed)
  }

  @Test func aMethodThatARouteHasIsKnown() {
    add(HTTPRequest.Method("PROPFIND")!, "/files", bodyLimit: 1)
    add(.get, "/")
    #expect(found(HTTPRequest.Method("PROPFIND")!, "/files")?.0 == 1)
    #expect(answer(HTTPRequest.Method("PROPFIND")!, "/")?.status == .methodNotAllowed)
    #expect(answer(HTTPRequest.Method("PROPFIND")!, "/x")?.status == .notFound)
  }

  @Test func headGoesToGetUnlessItHasItsOwn() {
    add(.get, "/a", bodyLimit: 1)
    add(.get, "/b", bodyLimit: 2)
    add(.head, "/b", bodyLimit: 3)
    add(.post, "/c")
    #expect(found(.head, "/a")?.0 == 1)
    #expect(found(.head, "/b")?.0 == 3)
    #expect(answer(.head, "/c")?.status == .methodNotAllowed)
  }

  @Test func optionsIsAnsweredWithAllow() {
    add(.get, "/a")
    add(.post, "/b")
    add(.options, "/own", bodyLimit: 9)
    let response = answer(.options, "/a")
    #expect(response?.status == .noContent)
    #expect(response?.headers[.allow] == "GET, HEAD, OPTIONS")
    #expect(answer(.options, "/x")?.status == .notFound)
    #expect(found(.options, "/own")?.0 == 9)
    #expect(router.serverOptions.headers[.allow] == "GET, HEAD, POST, OPTIONS")
  }

  @Test func mistakesInPatternsTrap() async {
    await #expect(processExitsWith: .failure) { Router().get("jobs") { _ in Response() } }
    await #expect(processExitsWith: .failure) { Router().get("/{}") { _ in Response() } }
    await #expect(processExitsWith: .failure) { Router().get("/{a}x") { _ in Response() } }
    await #expect(processExitsWith: .failure) { Router().get("/{a}/{a}") { _ in Response() } }
    await #expect(processExitsWith: .failure) { Router().get("/{a...}/b") { _ in Response() } }
    await #expect(processExitsWith: .failure) {
      let router = Router()
      router.get("/{a}") { _ in Response() }
      router.get("/{b}") { _ in Response() }
    }
  }
}
