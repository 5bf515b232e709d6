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

  @Test(arguments: [Int.max, Int.max / 2])
  func limitsThatNobodyReachesAreTaken(limit: Int) throws {
    var limits = HTTPLimits()
    limits.requestLine = limit
    limits.fieldsSize = limit
    limits.fieldCount = limit
    limits.body = limit
    limits.chunkExtensions = limit
    limits.drain = limit
    limits.pipelined = limit
    limits.writeBuffer = limit
    let server = try Server(limits)
    let client = server.connect()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chun")
    client.send("ked\r\n\r\n1;a=b\r\nx\r\n0\r\nA: b\r\n\r\n")
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(statuses(client.receive()) == [200, 200])
  }
}
