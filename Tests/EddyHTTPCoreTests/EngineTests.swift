import EddyCore
import Testing

@testable import EddyHTTPCore

/// Requests in, answers out, on connections that are kept.
@Suite struct EngineTests {
  @Test func aRequestIsAnsweredAndTheConnectionIsKept() throws {
    let server = try Server()
    let client = server.connect()
    client.send("GET /one?q HTTP/1.1\r\nHost: a\r\n\r\n")
    let first = client.receive()
    #expect(first.hasPrefix("HTTP/1.1 200 OK\r\nServer: eddy\r\nDate: "))
    #expect(first.hasSuffix(" GMT\r\nContent-Length: 6\r\n\r\n/one?q"))
    client.send("GET /two HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(client.receive().hasSuffix("\r\n\r\n/two"))
    #expect(!client.hasEnded)
    #expect(server.engine.connectionCount == 1)
    #expect(server.events == [.head("GET /one?q"), .end, .head("GET /two"), .end])
  }
}
