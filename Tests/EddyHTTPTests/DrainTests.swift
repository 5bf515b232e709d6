import Eddy
import EddyHTTP
import HTTPTypes
import Testing

@Suite(.timeLimit(.minutes(1))) struct DrainTests {
  private func drain(_ server: TestServer, within limit: Duration) -> Task<Duration, Never> {
    Task(executorPreference: server.loop) {
      let start = ContinuousClock.now
      await server.server.value.drain(within: limit)
      return ContinuousClock.now - start
    }
  }

  @Test func whatHasBegunIsAnsweredAndIdleConnectionsAreClosed() async throws {
    let log = Log()
    let server = try await TestServer { router, loop in
      router.get("/slow") { _ in
        log.append("begun")
        while log.entries.count < 2 { try await loop.sleep(for: .milliseconds(1)) }
        return .text("done")
      }
      router.get("/") { _ in .text("hello") }
    }
    let idle = try server.client()
    #expect(try await idle.request("GET", "/").text == "hello")
    let busy = try server.client()
    try busy.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n")
    #expect(try await server.eventually { log.entries == ["begun"] })
    let draining = drain(server, within: .seconds(10))
    #expect(try await idle.rest() == [])
    log.append("drains")
    let answer = try await busy.answer()
    #expect(answer.text == "done")
    #expect(answer.headers["connection"] == "close")
    #expect(try await busy.rest() == [])
    busy.close()
    #expect(await draining.value < .seconds(5))
    #expect(throws: RawClient.Failure.self) { try server.client() }
  }

  @Test func whatIsLeftAtTheDeadlineIsCutOff() async throws {
    let log = Log()
    let server = try await TestServer { router, loop in
      router.get("/") { _ in
        log.append("begun")
        do { try await loop.sleep(for: .seconds(3600)) } catch { log.append("cancelled") }
        return Response()
      }
    }
    let client = try server.client()
    try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    #expect(try await server.eventually { log.entries == ["begun"] })
    let took = await drain(server, within: .milliseconds(200)).value
    #expect(took >= .milliseconds(200) && took < .seconds(5))
    #expect(try await client.rest() == [])
    #expect(try await server.eventually { log.entries == ["begun", "cancelled"] })
  }

  @Test func aProgramCanServeAndDrainOnOneLoop() async throws {
    let text = try await blocking {
      try EventLoop.run { loop in
        let router = Router()
        router.get("/") { _ in .text("hello") }
        let server = HTTPServer(loop: loop, router: router)
        let client = try RawClient(try server.listen(on: "127.0.0.1:0"))
        let text = try await client.request("GET", "/", fields: ["Connection: close"]).text
        await server.drain(within: .seconds(10))
        return text
      }
    }
    #expect(text == "hello")
  }

  @Test func withoutConnectionsItEndsAtOnceAndASecondTimeToo() async throws {
    let server = try await TestServer { _, _ in }
    #expect(await drain(server, within: .seconds(10)).value < .seconds(2))
    #expect(await drain(server, within: .seconds(10)).value < .seconds(2))
  }
}
