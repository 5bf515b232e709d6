import CLibev
import EddyCore
import Testing

@testable import EddyHTTPCore

/// Ends, from either side.
@Suite struct ClosingTests {
  private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test func anIdleClientThatEndsIsForgotten() throws {
    let server = try Server()
    let client = server.connect()
    client.send(get)
    _ = client.receive()
    client.finish()
    #expect(client.receive() == "")
    #expect(client.hasEnded)
    #expect(server.engine.connectionCount == 0)
    #expect(server.events == [.head("GET /"), .end])
  }

  @Test func aClientThatEndsItsSideStillGetsItsAnswers() throws {
    let server = try Server()
    let client = server.connect()
    client.send(get + get)
    client.finish()
    #expect(statuses(client.receive()) == [200, 200])
    #expect(client.hasEnded)
    #expect(server.engine.connectionCount == 0)
  }

  @Test func aClientThatEndsItsSideStillGetsLateAnswers() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get + get)
    client.finish()
    server.turn()
    #expect(server.engine.isAlive(server.recorder.exchanges[0]))
    server.engine.respond(server.recorder.exchanges[0], body: "1")
    server.turn()
    server.engine.respond(server.recorder.exchanges[1], body: "2")
    #expect(statuses(client.receive()) == [200, 200])
    #expect(client.hasEnded)
    #expect(server.engine.connectionCount == 0)
  }

  @Test func aParkedExchangeIsAbandonedWhenItsClientEndsItsSide() throws {
    let server = try Server()
    server.recorder.onEnd = { #expect($0.cancelsOnHalfClose($1)) }
    let client = server.connect()
    client.send(get)
    #expect(server.events.last == .end)
    client.finish()
    server.turn()
    #expect(server.events.last == .abandoned)
    #expect(!server.engine.respond(server.recorder.exchanges[0]))
    #expect(!server.engine.cancelsOnHalfClose(server.recorder.exchanges[0]))
    #expect(server.engine.connectionCount == 0)
  }

  @Test func anExchangeThatIsParkedAfterTheEndIsAbandonedToo() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get)
    client.finish()
    server.turn()
    #expect(server.engine.cancelsOnHalfClose(server.recorder.exchanges[0]))
    #expect(server.events.last == .end)
    server.turn()
    #expect(server.events.last == .abandoned)
  }

  @Test func aClientThatIsGoneIsNoticedAtTheNextWrite() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get)
    client.close()
    server.turn()
    // An answer that can't be written at once is told so, and not as abandoned too.
    #expect(!server.engine.respond(server.recorder.exchanges[0], body: "x"))
    server.turn()
    #expect(!server.events.contains(.abandoned))
    #expect(server.engine.connectionCount == 0)
  }

  /// The end of the client's side comes between an answer and the taking up of the next request.
  @Test(arguments: [true, false]) func anEndDoesNotOvertakeARequestThatWaits(
    _ endsFirst: Bool
  ) throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let parked = server.connect()
    parked.send(get + get)
    let other = server.connect()
    server.turn()
    server.recorder.onEnd = { [unowned server] engine, exchange in
      engine.respond(exchange)
      engine.respond(server.recorder.exchanges[0])
    }
    // Both events are in one turn of the loop.
    if endsFirst { parked.finish() }
    _ = Array(get.utf8).withUnsafeBytes { send(other.fd, $0) }
    if !endsFirst { parked.finish() }
    #expect(statuses(parked.receive()) == [200, 200])
    #expect(parked.hasEnded)
    #expect(statuses(other.receive()) == [200])
  }

  @Test func aResetAbandons() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let address = try server.engine.listen(address: "127.0.0.1:0")
    let client = try #require(server.connect(to: address))
    client.send(get)
    server.wait { server.events.last == .end }
    var abort = linger(l_onoff: 1, l_linger: 0)
    setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
    client.close()
    #expect(server.wait { server.events.last == .abandoned })
    #expect(server.engine.connectionCount == 0)
  }

  @Test func anIncompleteHeadIsForgottenWithoutAnAnswer() throws {
    let server = try Server()
    for part in ["G", "GET / HTTP/1.1\r\nHost", "\r", "\r\n"] {
      let client = server.connect()
      client.send(part)
      client.finish()
      #expect(client.receive() == "")
      #expect(client.hasEnded)
    }
    #expect(server.engine.connectionCount == 0)
  }

  // MARK: - Lingering (RFC 9112 §9.6)

  /// On a real TCP connection, where closing with unread bytes resets it and may destroy the answer.
  @Test func theAnswerArrivesThoughTheClientGoesOnSending() throws {
    let server = try Server()
    let address = try server.engine.listen(address: "127.0.0.1:0")
    let client = try #require(server.connect(to: address))
    client.send("GET / HTTP/1.1\r\n Host: a\r\n\r\n")
    client.send([UInt8](repeating: 0x61, count: 100_000))
    let answer = client.receiveAll()
    #expect(status(answer) == 400)
    #expect(server.engine.connectionCount == 1)
    client.close()
    #expect(server.wait { server.engine.connectionCount == 0 })
  }

  @Test func whoSendsTooMuchAfterTheLastAnswerIsCutOff() throws {
    let server = try Server()
    let client = server.connect()
    client.send("nonsense\r\n")
    #expect(status(client.receive()) == 400)
    client.send([UInt8](repeating: 0x61, count: 300_000))
    #expect(server.wait { server.engine.connectionCount == 0 })
  }

  @Test func lingeringHasAnEnd() throws {
    var limits = HTTPLimits()
    limits.lingerTimeout = 20 * EDDY_MILLISECOND
    let server = try Server(limits)
    let client = server.connect()
    client.send("nonsense\r\n")
    #expect(status(client.receive()) == 400)
    #expect(server.engine.connectionCount == 1)
    #expect(server.wait { server.engine.connectionCount == 0 })
  }

  // MARK: - Draining

  private final class Flag { var count = 0 }

  private func drain(_ server: Server, _ flag: Flag, deadline: UInt64 = EDDY_SECOND) {
    server.engine.drain(
      deadline: deadline, context: Unmanaged.passUnretained(flag).toOpaque()
    ) { context in
      Unmanaged<Flag>.fromOpaque(context!).takeUnretainedValue().count += 1
    }
  }

  @Test func drainingClosesIdleConnectionsAndFinishesTheOthers() throws {
    let server = try Server()
    let address = try server.engine.listen(address: "127.0.0.1:0")
    let (idle, fresh, partial, parked) = (
      server.connect(), server.connect(), server.connect(), server.connect()
    )
    idle.send(get)
    _ = idle.receive()
    partial.send("GET / HT")
    server.recorder.onEnd = { _, _ in }
    parked.send(get + get)
    let flag = Flag()
    drain(server, flag)
    server.turn()
    #expect(server.engine.addresses == [])
    #expect(server.connect(to: address) == nil)
    #expect(idle.receive() == "" && idle.hasEnded)
    #expect(fresh.receive() == "" && fresh.hasEnded)
    #expect(flag.count == 0)
    server.engine.respond(server.recorder.exchanges[1])
    let answer = parked.receive()
    #expect(statuses(answer) == [200])
    #expect(answer.contains("Connection: close\r\n"))
    #expect(parked.hasEnded)
    server.recorder.onEnd = { $0.respond($1) }
    partial.send("TP/1.1\r\nHost: a\r\n\r\n")
    #expect(partial.receive().contains("Connection: close\r\n"))
    parked.close()
    partial.close()
    server.turn()
    #expect(flag.count == 1)
    #expect(server.engine.connectionCount == 0)
  }

  @Test func drainingServesARequestThatIsOnItsWay() throws {
    let server = try Server()
    let client = server.connect()
    client.send(get)
    _ = client.receive()
    // In the kernel's buffer, not read yet.
    _ = Array(get.utf8).withUnsafeBytes { send(client.fd, $0) }
    let flag = Flag()
    drain(server, flag)
    let answer = client.receive()
    #expect(statuses(answer) == [200])
    #expect(answer.contains("Connection: close\r\n"))
  }

  @Test func drainingEndsAConnectionWhoseAnswerHadBegunBefore() throws {
    let server = try Server()
    server.recorder.onEnd = { $0.begin($1) }
    let client = server.connect()
    client.send(get)
    #expect(!client.receive().contains("Connection: close"))
    let flag = Flag()
    drain(server, flag)
    server.turn()
    #expect(server.engine.end(server.recorder.exchanges[0]))
    #expect(client.receive() == "0\r\n\r\n")
    #expect(client.hasEnded)
  }

  @Test func drainingHasAnEnd() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get)
    let flag = Flag()
    drain(server, flag, deadline: 20 * EDDY_MILLISECOND)
    #expect(server.wait { flag.count == 1 })
    #expect(server.events.last == .abandoned)
    #expect(server.engine.connectionCount == 0)
  }

  @Test func drainingWithoutConnectionsIsDoneAtOnceButNotInsideTheCall() throws {
    let server = try Server()
    let flag = Flag()
    drain(server, flag)
    drain(server, flag)
    #expect(flag.count == 0)
    server.turn()
    #expect(flag.count == 1)
    #expect(throws: EddyError(code: Int32(EDDY_EALREADY))) {
      try server.engine.listen(address: "127.0.0.1:0")
    }
  }

  @Test func closingAbandonsWhatWaits() throws {
    let server = try Server()
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send(get)
    server.engine.close()
    server.engine.close()
    #expect(server.events.last == .abandoned)
    #expect(client.receive() == "" && client.hasEnded)
    server.engine.adopt(fd: dup(client.fd))
    #expect(server.engine.connectionCount == 0)
    #expect(server.loop.isAlive == false)
  }

  @Test func closingInsideACallbackIsSafe() throws {
    for callback in 0..<3 {
      let server = try Server()
      if callback == 0 { server.recorder.onHead = { engine, _ in engine.close() } }
      if callback == 1 { server.recorder.onBody = { engine, _ in engine.close() } }
      if callback == 2 { server.recorder.onEnd = { engine, _ in engine.close() } }
      let client = server.connect()
      client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab")
      client.send("c" + get)
      #expect(client.receive() == "" && client.hasEnded)
      #expect(server.events.last == .abandoned)
    }
  }
}
