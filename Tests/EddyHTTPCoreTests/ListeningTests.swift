import CLibev
import EddyCore
import Testing

@testable import EddyHTTPCore

@Suite struct ListeningTests {
  private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test func severalAddressesAreServed() throws {
    let server = try Server()
    let first = try server.engine.listen(address: "127.0.0.1:0")
    let second = try server.engine.listen(address: "127.0.0.1:0")
    #expect(first.hasPrefix("127.0.0.1:") && first != second)
    #expect(server.engine.addresses == [first, second])
    for address in [first, second] {
      let client = try #require(server.connect(to: address))
      client.send(get)
      var answer = ""
      server.wait {
        answer += client.receive()
        return status(answer) == 200
      }
      #expect(status(answer) == 200)
    }
  }

  @Test func anAddressInUseIsAnError() throws {
    let server = try Server()
    let address = try server.engine.listen(address: "127.0.0.1:0")
    #expect(throws: EddyError(code: Int32(EDDY_EADDRINUSE))) {
      try server.engine.listen(address: address)
    }
    #expect(throws: EddyError(code: Int32(EDDY_EADDRFORMAT))) {
      try server.engine.listen(address: "nowhere")
    }
  }

  @Test func aboveTheBoundConnectionsWaitUntilOthersEnd() throws {
    var limits = HTTPLimits()
    limits.connections = 2
    let server = try Server(limits)
    let address = try server.engine.listen(address: "127.0.0.1:0")
    let clients = try (0..<4).map { _ in try #require(server.connect(to: address)) }
    server.wait { server.engine.connectionCount == 2 }
    server.turn(20)
    #expect(server.engine.connectionCount == 2)
    clients[0].close()
    clients[1].close()
    for client in clients[2...] {
      client.send(get)
      var answer = ""
      server.wait {
        answer += client.receive()
        return !answer.isEmpty
      }
      #expect(status(answer) == 200)
    }
  }
}
