import Eddy
import HTTPTypes
import Testing

@testable import EddyHTTP

@Suite(.timeLimit(.minutes(1))) struct HTTPServerTests {
  private struct Mistake: Error {
    let secret = "the password is swordfish"
  }

  @Test func anAsyncHandlerRunsOnTheLoopsThreadBeforeAndAfterItWaits() async throws {
    let server = try await TestServer { router, loop in
      router.get("/") { _ in
        let before = loop.isOnLoop
        try await loop.sleep(for: .milliseconds(1))
        await Task.yield()
        return .text("\(before) \(loop.isOnLoop)")
      }
    }
    let answer = try await server.client().request("GET", "/")
    #expect(answer.status == 200)
    #expect(answer.text == "true true")
    #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
    #expect(answer.headers["content-length"] == "9")
  }

  @Test func theTaskOfAHandlerBeginsInsideTheCallThatStartsIt() async throws {
    let log = Log()
    let server = try await TestServer { router, _ in
      router.onDeferred(.get, "/") { _, responder in
        responder.dispatcher.start(responder) {
          log.append("begun")
          responder.respond(Response())
        }
        log.append("returned")
      }
    }
    _ = try await server.client().request("GET", "/")
    #expect(log.entries == ["begun", "returned"])
  }

  @Test func parametersQueryFieldsAndAddressReachTheHandler() async throws {
    let server = try await TestServer { router, _ in
      router.get("/jobs/{id}") { request in
        let parts = [
          request.parameters["id"] ?? "-", request.query["wait"] ?? "-",
          request.header(HTTPField.Name("X-Word")!) ?? "-", request.authority,
          request.path, String(request.remoteAddress?.hasPrefix("127.0.0.1:") ?? false),
        ]
        return .text(parts.joined(separator: "|"))
      }
    }
    let answer = try await server.client().request(
      "GET", "/jobs/a%2Fb?wait=3%30", fields: ["x-wORD:  hello "])
    #expect(answer.text == "a/b|30|hello|test|/jobs/a%2Fb|true")
  }

  @Test func bodiesArriveWhole() async throws {
    let server = try await TestServer { router, _ in
      router.post("/echo") { request in .bytes(request.body) }
    }
    let client = try server.client()
    let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    #expect(try await client.request("POST", "/echo", body: body).body == body)
    #expect(try await client.request("POST", "/echo", body: []).body == [])
    #expect(try await client.request("POST", "/echo", body: Array("x".utf8)).text == "x")
    try client.send(
      "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "5\r\nhello\r\n3;a=b\r\n, w\r\n4\r\norld\r\n0\r\n\r\n")
    #expect(try await client.answer().text == "hello, world")
  }

  @Test func aClientThatWaitsToContinueIsTold() async throws {
    let server = try await TestServer { router, _ in
      router.post("/echo") { request in .bytes(request.body) }
    }
    let client = try server.client()
    try client.send(
      "POST /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    let interim = "HTTP/1.1 100 Continue\r\n\r\n"
    #expect(try await client.take(interim.utf8.count) == Array(interim.utf8))
    try client.send("ok")
    #expect(try await client.answer().text == "ok")
  }

  @Test func headHasTheHeadOfGetAndNoBody() async throws {
    let server = try await TestServer { router, _ in
      router.get("/") { _ in .text("hello", headers: [.eTag: "\"1\""]) }
    }
    let client = try server.client()
    let answer = try await client.request("HEAD", "/")
    #expect(answer.status == 200)
    #expect(answer.headers["content-length"] == "5")
    #expect(answer.headers["etag"] == "\"1\"")
    #expect(try await client.request("GET", "/").text == "hello")
  }

  @Test func whatNoHandlerAnswersTheRouterDoes() async throws {
    let server = try await TestServer { router, _ in
      router.get("/a") { _ in Response() }
      router.post("/b") { _ in Response() }
    }
    let client = try server.client()
    let notFound = try await client.request("GET", "/nowhere")
    #expect(notFound.status == 404)
    #expect(notFound.headers["content-type"] == "application/problem+json")
    #expect(notFound.text.contains(#""status":404"#))
    let notAllowed = try await client.request("DELETE", "/a")
    #expect(notAllowed.status == 405)
    #expect(notAllowed.headers["allow"] == "GET, HEAD, OPTIONS")
    let unknown = try await client.request("BREW", "/a")
    #expect(unknown.status == 501)
    #expect(unknown.headers["content-type"] == "application/problem+json")
    let options = try await client.request("OPTIONS", "/b")
    #expect(options.status == 204)
    #expect(options.headers["allow"] == "POST, OPTIONS")
    #expect(options.headers["content-length"] == nil)
    let all = try await client.request("OPTIONS", "*")
    #expect(all.status == 204)
    #expect(all.headers["allow"] == "GET, HEAD, POST, OPTIONS")
    #expect(try await client.request("GET", "/%zz").status == 400)
    // A body that nobody reads does not spoil the next request.
    #expect(try await client.request("POST", "/nowhere", body: Array("unread".utf8)).status == 404)
    #expect(try await client.request("GET", "/a").status == 200)
  }

  @Test func aThrownProblemIsTheAnswer() async throws {
    let server = try await TestServer { router, loop in
      router.get("/now") { _ in
        throw Problem(.tooManyRequests, "Wait.", headers: [.retryAfter: "2"])
      }
      router.get("/later") { _ in
        try await loop.sleep(for: .milliseconds(1))
        throw Problem(.gone, extensions: ["id": 7])
      }
    }
    let client = try server.client()
    let now = try await client.request("GET", "/now")
    #expect(now.status == 429)
    #expect(now.headers["retry-after"] == "2")
    #expect(now.text.contains(#""detail":"Wait.""#))
    let later = try await client.request("GET", "/later")
    #expect(later.status == 410)
    #expect(later.text.contains(#""id":7"#))
    #expect(server.log.entries.isEmpty)
  }

  @Test func anyOtherErrorIs500WithoutAWordAboutItAndIsLogged() async throws {
    let server = try await TestServer { router, loop in
      router.get("/now") { _ in throw Mistake() }
      router.get("/later") { _ in
        try await loop.sleep(for: .milliseconds(1))
        throw Mistake()
      }
    }
    let client = try server.client()
    for path in ["/now", "/later"] {
      let answer = try await client.request("GET", path)
      #expect(answer.status == 500)
      #expect(answer.headers["content-type"] == "application/problem+json")
      #expect(!answer.text.contains("swordfish") && !answer.text.contains("Mistake"))
    }
    let entries = server.log.entries
    #expect(entries.count == 2)
    #expect(entries.allSatisfy { $0.hasPrefix("error") && $0.contains("swordfish") })
  }

  @Test func aBodyOverTheRoutesLimitIs413AndTheServerGoesOn() async throws {
    let log = Log()
    let server = try await TestServer { router, _ in
      router.on(.post, "/small", bodyLimit: 10) { request in
        log.append("\(request.body.count)")
        return Response()
      }
    }
    let client = try server.client()
    #expect(
      try await client.request("POST", "/small", body: [UInt8](repeating: 1, count: 10)).status
        == 200)
    let announced = try await client.request(
      "POST", "/small", body: [UInt8](repeating: 1, count: 11))
    let chunked = try server.client()
    try chunked.send(
      "POST /small HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n")
    let asking = try server.client()
    try asking.send(
      "POST /small HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
    for answer in [announced, try await chunked.answer(), try await asking.answer()] {
      #expect(answer.status == 413)
      #expect(answer.headers["content-type"] == "application/problem+json")
      #expect(answer.text.contains("larger than the 10 bytes"))
    }
    // A little too much is read and dropped, and the connection goes on.
    #expect(try await client.request("POST", "/small", body: [1, 2]).status == 200)
    #expect(try await chunked.request("POST", "/small", body: [1, 2, 3]).status == 200)
    // Of much too much no more is read than is needed for the answer to arrive.
    let far = try server.client()
    try far.send("POST /small HTTP/1.1\r\nHost: test\r\nContent-Length: 4000000\r\n\r\n12345")
    let answer = try await far.answer()
    #expect(answer.status == 413)
    #expect(answer.headers["connection"] == "close")
    #expect(try await server.client().request("POST", "/small", body: [1]).status == 200)
    #expect(log.entries == ["10", "2", "3", "1"])
  }

  @Test func noRouteTakesMoreThanTheServer() async throws {
    var limits = HTTPLimits()
    limits.body = 10
    let server = try await TestServer(limits: limits) { router, _ in
      router.on(.post, "/", bodyLimit: 1000) { _ in Response() }
      router.on(.post, "/default") { _ in Response() }
    }
    let body = [UInt8](repeating: 1, count: 11)
    for path in ["/", "/default"] {
      let answer = try await server.client().request("POST", path, body: body)
      #expect(answer.status == 413)
      #expect(answer.text.contains("larger than the 10 bytes"))
    }
  }

  @Test func pipelinedRequestsAreAnsweredInTheirOrder() async throws {
    let server = try await TestServer { router, loop in
      router.get("/{n}") { request in
        let number = Int(request.parameters["n"]!)!
        if number % 2 == 0 { try await loop.sleep(for: .milliseconds(2)) }
        return .text("\(number)")
      }
    }
    let client = try server.client()
    try client.send((0..<50).map { "GET /\($0) HTTP/1.1\r\nHost: test\r\n\r\n" }.joined())
    for number in 0..<50 { #expect(try await client.answer().text == "\(number)") }
  }

  @Test func manyClientsGetEachTheirOwnAnswer() async throws {
    let server = try await TestServer { router, loop in
      router.post("/{n}") { request in
        try await loop.sleep(for: .microseconds(request.body.count * 100))
        return .text(request.parameters["n"]! + String(decoding: request.body, as: UTF8.self))
      }
    }
    let clients = try (0..<50).map { _ in try server.client() }
    for round in 0..<4 {
      for (number, client) in clients.enumerated() {
        let body = String(repeating: "x", count: (number * 7 + round) % 13)
        try client.send(
          "POST /\(number) HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            + body)
      }
      for (number, client) in clients.enumerated() {
        let body = String(repeating: "x", count: (number * 7 + round) % 13)
        #expect(try await client.answer().text == "\(number)\(body)")
      }
    }
  }

  @Test func anHTTP10ClientIsAnsweredAndClosed() async throws {
    let server = try await TestServer { router, _ in
      router.get("/") { request in .text("1.\(request.minorVersion)") }
    }
    let client = try server.client()
    try client.send("GET / HTTP/1.0\r\n\r\n")
    #expect(try await client.answer().text == "1.0")
    #expect(try await client.rest() == [])
  }
}
