import Eddy
import EddyHTTP
import HTTPTypes
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct AbandonedExchangeTests {
  /// How a client leaves.
  enum Leaving: CaseIterable {
    case closing, resetting, endingItsSide
  }

  private func leave(_ client: RawClient, _ leaving: Leaving) {
    switch leaving {
    case .closing: client.close()
    case .resetting: client.reset()
    case .endingItsSide: client.endSending()
    }
  }

  @Test(arguments: Leaving.allCases)
  func aClientThatGoesCancelsItsTask(_ leaving: Leaving) async throws {
    let log = Log()
    let server = try await TestServer { router, loop in
      router.get("/") { _ in
        log.append("begun")
        do {
          try await loop.sleep(for: .seconds(3600))
        } catch {
          log.append("\(Task.isCancelled) \(error is CancellationError) \(loop.isOnLoop)")
          throw error
        }
        return Response()
      }
    }
    let client = try server.client()
    try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    #expect(try await server.eventually { log.entries == ["begun"] })
    leave(client, leaving)
    #expect(try await server.eventually { log.entries == ["begun", "true true true"] })
    #expect(server.log.entries.isEmpty, "That a client leaves is no error of the handler.")
  }

  @Test(arguments: Leaving.allCases)
  func aDeferredAnswerToAClientThatIsGoneIsRefused(_ leaving: Leaving) async throws {
    let kept = Mutex<Responder?>(nil)
    let log = Log()
    let server = try await TestServer { router, loop in
      router.onDeferred(.get, "/") { _, responder in
        kept.withLock { $0 = responder }
        let isKept = responder.onAbandoned { log.append("abandoned \(loop.isOnLoop)") }
        log.append("\(isKept) \(responder.isAlive)")
      }
    }
    let client = try server.client()
    try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    #expect(try await server.eventually { log.entries == ["true true"] })
    leave(client, leaving)
    #expect(try await server.eventually { log.entries == ["true true", "abandoned true"] })
    let (isAlive, isAnswered, isKept) = try await server.loop.submit {
      let responder = kept.withLock { $0! }
      return (responder.isAlive, responder.respond(.text("late")), responder.onAbandoned {})
    }
    #expect(!isAlive && !isAnswered && !isKept)
  }

  @Test func aClientThatEndsItsSideIsAnsweredIfNobodyAskedToKnow() async throws {
    let server = try await TestServer { router, loop in
      router.onDeferred(.get, "/") { _, responder in
        Task(executorPreference: loop) {
          try await loop.sleep(for: .milliseconds(50))
          responder.respond(.text("answer"))
        }
      }
      router.get("/now") { _ in .text("now") }
    }
    for (path, text) in [("/", "answer"), ("/now", "now")] {
      let client = try server.client()
      try client.send("GET \(path) HTTP/1.1\r\nHost: test\r\n\r\n")
      client.endSending()
      #expect(try await client.answer().text == text)
    }
  }

  @Test func onlyTheFirstAnswerCounts() async throws {
    let log = Log()
    let server = try await TestServer { router, loop in
      router.onDeferred(.get, "/") { _, responder in
        responder.onAbandoned { log.append("abandoned") }
        log.append("\(responder.respond(.text("first")))")
        log.append("\(responder.respond(.text("second")))")
        loop.execute { log.append("\(responder.respond(Problem(.gone)))") }
      }
    }
    let client = try server.client()
    #expect(try await client.request("GET", "/").text == "first")
    #expect(try await server.eventually { log.entries.count == 3 })
    client.close()
    try await server.loop.sleep(for: .milliseconds(50))
    #expect(log.entries == ["true", "false", "false"])
  }

  @Test func anOldResponderNeverAnswersANewRequest() async throws {
    let kept = Mutex<[Responder]>([])
    let server = try await TestServer { router, _ in
      router.onDeferred(.get, "/{n}") { request, responder in
        let old = kept.withLock { $0 }
        for responder in old where responder.respond(.text("misdelivered")) {
          Issue.record("An exchange that is over took an answer.")
        }
        kept.withLock { $0.append(responder) }
        responder.respond(.text(request.parameters["n"]!))
      }
    }
    // On one connection, and on connections that reuse the descriptor of one that is gone.
    let client = try server.client()
    for number in 0..<10 {
      #expect(try await client.request("GET", "/\(number)").text == "\(number)")
    }
    client.close()
    for number in 10..<40 {
      #expect(try await server.client().request("GET", "/\(number)").text == "\(number)")
    }
  }

  @Test func aParkedResponderOfALostConnectionNeverAnswersItsSuccessor() async throws {
    let parked = Mutex<[Responder]>([])
    let server = try await TestServer { router, _ in
      router.onDeferred(.get, "/park") { _, responder in
        parked.withLock { $0.append(responder) }
      }
      router.onDeferred(.get, "/release") { _, responder in
        // The new connection may have the old one's place, and waits for its answer right now.
        for responder in parked.withLock({ $0 }) { responder.respond(.text("misdelivered")) }
        responder.respond(.text("own"))
      }
    }
    for _ in 0..<20 {
      let lost = try server.client()
      let count = parked.withLock { $0.count }
      try lost.send("GET /park HTTP/1.1\r\nHost: test\r\n\r\n")
      #expect(try await server.eventually { parked.withLock { $0.count } == count + 1 })
      lost.reset()
      #expect(try await server.client().request("GET", "/release").text == "own")
    }
  }

  @Test func closingTheServerAbandonsWhatWaits() async throws {
    let log = Log()
    let server = try await TestServer { router, loop in
      router.onDeferred(.get, "/deferred") { _, responder in
        responder.onAbandoned { log.append("deferred abandoned") }
        log.append("deferred begun")
      }
      router.get("/task") { _ in
        log.append("task begun")
        do { try await loop.sleep(for: .seconds(3600)) } catch { log.append("task cancelled") }
        return Response()
      }
    }
    let clients = try ["/deferred", "/task"].map { path in
      let client = try server.client()
      try client.send("GET \(path) HTTP/1.1\r\nHost: test\r\n\r\n")
      return client
    }
    #expect(try await server.eventually { log.entries.count == 2 })
    try await server.loop.submit { server.server.value.close() }
    for client in clients { #expect(try await client.rest() == []) }
    #expect(try await server.eventually { log.entries.count == 4 })
    #expect(Set(log.entries.suffix(2)) == ["deferred abandoned", "task cancelled"])
    #expect(throws: RawClient.Failure.self) { try server.client() }
  }
}
