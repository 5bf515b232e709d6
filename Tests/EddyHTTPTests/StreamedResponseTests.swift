import Eddy
import EddyHTTP
import HTTPTypes
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct StreamedResponseTests {
  private struct Mistake: Error {}

  private static let slow: Response.Body = .stream { writer in
    for number in 0..<3 {
      try await writer.write("\(number),")
      await Task.yield()
    }
  }

  @Test func aStreamIsSentInChunks() async throws {
    let server = try await TestServer { router, _ in
      router.get("/") { _ in Response(headers: [.contentType: "text/csv"], body: Self.slow) }
      router.onDeferred(.get, "/deferred") { _, responder in
        responder.respond(Response(body: Self.slow))
      }
    }
    let client = try server.client()
    for path in ["/", "/deferred", "/"] {
      let answer = try await client.request("GET", path)
      #expect(answer.headers["transfer-encoding"] == "chunked")
      #expect(answer.headers["content-length"] == nil)
      #expect(answer.text == "0,1,2,")
    }
  }

  @Test func aPartIsSentWhenItIsWritten() async throws {
    let gate = Log()
    let server = try await TestServer { router, loop in
      router.get("/") { _ in
        Response(
          body: .stream(length: 10) { writer in
            try await writer.write("first")
            while gate.entries.isEmpty { try await loop.sleep(for: .milliseconds(1)) }
            try await writer.write("other")
          })
      }
    }
    let client = try server.client()
    try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    #expect(try await client.answer(hasBody: false).headers["content-length"] == "10")
    #expect(try await client.take(5) == Array("first".utf8))
    gate.append("open")
    #expect(try await client.take(5) == Array("other".utf8))
  }

  @Test func anHTTP10ClientReadsAStreamToTheEndOfTheConnection() async throws {
    let server = try await TestServer { router, _ in
      router.get("/") { _ in Response(body: Self.slow) }
    }
    let client = try server.client()
    try client.send("GET / HTTP/1.0\r\n\r\n")
    let answer = try await client.answer()
    #expect(answer.headers["transfer-encoding"] == nil)
    #expect(answer.text == "0,1,2,")
  }

  @Test func aStreamDoesNotRunForHead() async throws {
    let log = Log()
    let server = try await TestServer { router, _ in
      router.get("/") { _ in
        Response(
          body: .stream(length: 3) { writer in
            log.append("run")
            try await writer.write("abc")
          })
      }
      router.onDeferred(.head, "/deferred") { _, responder in
        responder.respond(Response(body: .stream { _ in log.append("run") }))
      }
    }
    let client = try server.client()
    #expect(try await client.request("HEAD", "/").headers["content-length"] == "3")
    #expect(try await client.request("HEAD", "/deferred").status == 200)
    #expect(log.entries.isEmpty)
    #expect(try await client.request("GET", "/").text == "abc")
  }

  @Test func aSlowClientHoldsTheWriterUp() async throws {
    let written = Mutex(0)
    let total = 64 << 20
    let server = try await TestServer { router, _ in
      router.get("/") { _ in
        Response(
          body: .stream(length: Int64(total)) { writer in
            let part = [UInt8](repeating: 7, count: 1 << 16)
            for _ in 0..<(total / part.count) {
              try await writer.write(part)
              written.withLock { $0 += part.count }
            }
          })
      }
      router.get("/other") { _ in .text("other") }
    }
    let client = try server.client()
    try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    #expect(try await client.answer(hasBody: false).status == 200)
    try await server.loop.sleep(for: .milliseconds(300))
    let ahead = written.withLock { $0 }
    // The kernel's buffers on both sides, and the engine's.
    #expect(ahead < total / 2, "\(ahead) bytes were written for a client that reads none.")
    #expect(try await server.client().request("GET", "/other").text == "other")
    var received = 0
    while received < total { received += try await client.take(1 << 16).count }
    #expect(try await client.request("GET", "/other").text == "other")
    #expect(written.withLock { $0 } == total)
  }

  @Test(arguments: [nil, 100] as [Int64?])
  func aStreamThatFailsEndsTheConnectionWithoutAValidEnd(_ length: Int64?) async throws {
    let server = try await TestServer { router, _ in
      router.get("/") { _ in
        Response(
          body: .stream(length: length) { writer in
            try await writer.write("part")
            throw Mistake()
          })
      }
    }
    let client = try server.client()
    await #expect(throws: RawClient.Failure.self) { try await client.request("GET", "/") }
    #expect(server.log.entries.count == 1)
  }

  @Test func aStreamThatIsShorterThanItSaidEndsTheConnection() async throws {
    let server = try await TestServer { router, _ in
      router.get("/") { _ in
        Response(body: .stream(length: 100) { try await $0.write("part") })
      }
    }
    let client = try server.client()
    await #expect(throws: RawClient.Failure.self) { try await client.request("GET", "/") }
  }

  @Test func aClientThatGoesInMidStreamEndsTheWriter() async throws {
    let log = Log()
    let server = try await TestServer { router, _ in
      router.get("/") { _ in
        Response(
          body: .stream { writer in
            let part = [UInt8](repeating: 7, count: 1 << 16)
            do {
              while true { try await writer.write(part) }
            } catch {
              log.append("\(error is BodyWriter.ClientGone)")
              throw error
            }
          })
      }
    }
    let client = try server.client()
    try client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    _ = try await client.answer(hasBody: false)
    client.reset()
    #expect(try await server.eventually { log.entries == ["true"] })
    #expect(server.log.entries.isEmpty)
  }

  @Test func severalTasksMayWriteAtOnce() async throws {
    let count = 200
    let server = try await TestServer { router, _ in
      router.get("/") { _ in
        Response(
          body: .stream { writer in
            try await withThrowingTaskGroup(of: Void.self) { group in
              for number in 0..<count {
                group.addTask {
                  try await writer.write([UInt8](repeating: UInt8(number), count: 1 << 16))
                }
              }
              try await group.waitForAll()
            }
          })
      }
    }
    let answer = try await server.client().request("GET", "/")
    #expect(answer.body.count == count << 16)
    #expect(Set(answer.body).count == count)
  }

  @Test func aWriterCanBeUsedFromAnotherExecutor() async throws {
    let server = try await TestServer { router, loop in
      router.get("/") { _ in
        Response(
          body: .stream { writer in
            try await Task.detached {
              try await writer.write("\(loop.isOnLoop)")
            }.value
          })
      }
    }
    #expect(try await server.client().request("GET", "/").text == "false")
  }
}
