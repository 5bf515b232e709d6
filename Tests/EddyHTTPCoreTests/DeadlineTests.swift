import CLibev
import EddyCore
import Testing

@testable import EddyHTTPCore

/// Time limits, each short enough to be waited for.
@Suite struct DeadlineTests {
  private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
  private let short: UInt64 = 30 * EDDY_MILLISECOND

  @Test func aHeadThatDoesNotEndIsAnswered408() throws {
    var limits = HTTPLimits()
    limits.headTimeout = short
    let server = try Server(limits)
    let client = server.connect()
    client.send("GET / HTTP/1.1\r\nHost: a\r\n")
    #expect(status(client.receiveAll()) == 408)
    #expect(server.events == [])
  }

  @Test func aByteNowAndThenDoesNotMoveTheDeadline() throws {
    var limits = HTTPLimits()
    limits.headTimeout = 3 * short
    let server = try Server(limits)
    let client = server.connect()
    client.send(get)
    _ = client.receive()
    var answer = ""
    for byte in ("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 1000)).utf8 {
      client.send([byte])
      answer += client.receive()
      if client.hasEnded { break }
      usleep(5000)
    }
    #expect(status(answer) == 408)
  }

  @Test func aConnectionWithoutARequestIsClosedSilently() throws {
    var limits = HTTPLimits()
    limits.headTimeout = short
    let server = try Server(limits)
    let (silent, empty) = (server.connect(), server.connect())
    empty.send("\r\n")
    #expect(silent.receiveAll() == "")
    #expect(empty.receiveAll() == "")
    #expect(server.engine.connectionCount == 0)
  }

  @Test func anIdleConnectionIsClosed() throws {
    var limits = HTTPLimits()
    limits.idleTimeout = short
    let server = try Server(limits)
    let client = server.connect()
    client.send(get)
    #expect(statuses(client.receiveAll()) == [200])
    #expect(server.engine.connectionCount == 0)
  }

  @Test func aRequestThatComesJustWhenTheConnectionIsIdleForTooLongIsServed() throws {
    var limits = HTTPLimits()
    limits.idleTimeout = short
    let server = try Server(limits)
    let client = server.connect()
    client.send(get)
    _ = client.receive()
    // The loop is busy elsewhere while the time passes and the request comes.
    _ = Array(get.utf8).withUnsafeBytes { send(client.fd, $0) }
    usleep(60_000)
    #expect(statuses(client.receive()) == [200])
  }

  @Test func aConnectionInUseIsNotIdle() throws {
    var limits = HTTPLimits()
    limits.idleTimeout = 4 * short
    let server = try Server(limits)
    let client = server.connect()
    for _ in 0..<12 {
      client.send(get)
      #expect(statuses(client.receive()) == [200])
      usleep(20_000)
    }
    #expect(!client.hasEnded)
  }

  @Test func aParkedExchangeHasNoDeadline() throws {
    var limits = HTTPLimits()
    limits.idleTimeout = short
    limits.headTimeout = short
    limits.bodyRateWindow = short
    limits.writeTimeout = short
    let server = try Server(limits)
    server.recorder.onEnd = { _, _ in }
    let client = server.connect()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
    for _ in 0..<10 {
      usleep(15_000)
      server.turn()
    }
    #expect(server.engine.respond(server.recorder.exchanges[0]))
    #expect(status(client.receive()) == 200)
  }

  @Test func aBodyThatIsTooSlowIsAnswered408() throws {
    var limits = HTTPLimits()
    limits.bodyRateWindow = short
    let server = try Server(limits)
    let client = server.connect()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx")
    #expect(status(client.receiveAll()) == 408)
    #expect(server.events.last == .abandoned)
  }

  @Test func aBodyAtTheLeastRateIsServed() throws {
    var limits = HTTPLimits()
    limits.bodyRateWindow = 3 * short
    limits.minimumBodyRate = 1000
    let server = try Server(limits)
    let client = server.connect()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n")
    for _ in 0..<20 {
      client.send([UInt8](repeating: 0x61, count: 500))
      usleep(20_000)
    }
    #expect(status(client.receive()) == 200)
  }

  @Test func aSlowBodyThatIsAnsweredAlreadyIsNotAnsweredAgain() throws {
    var limits = HTTPLimits()
    limits.bodyRateWindow = short
    let server = try Server(limits)
    server.recorder.onHead = { $0.respond($1, status: 404) }
    let client = server.connect()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx")
    #expect(statuses(client.receiveAll()) == [404])
  }

  @Test func aClientThatTakesNothingIsCutOff() throws {
    var limits = HTTPLimits()
    limits.writeTimeout = short
    let server = try Server(limits)
    server.recorder.onEnd = { engine, exchange in
      engine.begin(exchange)
      engine.write(exchange, String(repeating: "x", count: 5_000_000))
    }
    let client = server.connect()
    client.send(get)
    #expect(server.wait { server.engine.connectionCount == 0 })
    #expect(server.events.last == .abandoned)
    _ = client
  }

  @Test func aClientThatTakesALittleNowAndThenIsNotCutOff() throws {
    var limits = HTTPLimits()
    limits.writeTimeout = 20 * short
    let server = try Server(limits)
    server.recorder.onEnd = { $0.respond($1, body: String(repeating: "x", count: 2_000_000)) }
    let client = server.connect()
    client.send(get)
    var buffer = [UInt8](repeating: 0, count: 150_000)
    var received = 0
    // Longer in all than the limit, and shorter by far each time.
    for _ in 0..<100 where received < 2_000_000 {
      let count = read(client.fd, &buffer, buffer.count)
      if count > 0 { received += count }
      server.turn()
      usleep(60_000)
    }
    #expect(received >= 2_000_000)
  }

  @Test func anIdleConnectionWhoseAnswerIsNotTakenYetIsClosedAfterIt() throws {
    var limits = HTTPLimits()
    limits.idleTimeout = short
    let server = try Server(limits)
    server.recorder.onEnd = { $0.respond($1, body: String(repeating: "x", count: 400_000)) }
    let client = server.connect()
    client.send(get)
    usleep(50_000)
    server.turn()
    #expect(client.receiveAll().utf8.filter { $0 == UInt8(ascii: "x") }.count == 400_000)
    client.close()
    #expect(server.wait { server.engine.connectionCount == 0 })
  }

  @Test func aThousandDeadlinesNeedOneTimer() throws {
    var limits = HTTPLimits()
    limits.headTimeout = 5 * short
    let server = try Server(limits)
    let clients = (0..<300).map { _ in server.connect() }
    #expect(server.engine.connectionCount == 300)
    #expect(server.wait { server.engine.connectionCount == 0 })
    #expect(clients.allSatisfy { $0.receive() == "" && $0.hasEnded })
  }

  @Test func aTimeWithoutALimitNeverPasses() throws {
    var limits = HTTPLimits()
    limits.headTimeout = .max
    limits.idleTimeout = .max
    limits.bodyRateWindow = .max
    limits.writeTimeout = .max
    limits.lingerTimeout = .max
    let server = try Server(limits)
    let client = server.connect()
    client.send("POST / HTTP/1.1\r\nHost: a\r\n")
    client.send("Content-Length: 2\r\n\r\n1")
    client.send("2")
    #expect(statuses(client.receive()) == [200])
    client.send(get)
    #expect(statuses(client.receive()) == [200])
    #expect(!client.hasEnded)
  }

  @Test func aTimeOfNothingDoesNotHoldTheLoopUp() throws {
    var limits = HTTPLimits()
    limits.idleTimeout = 0
    limits.bodyRateWindow = 0
    limits.minimumBodyRate = 0
    let server = try Server(limits)
    let client = server.connect()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1")
    client.send("2")
    #expect(statuses(client.receiveAll()) == [200])
    #expect(server.engine.connectionCount == 0)
  }

  @Test func aBodyWhoseRateIsNotMeasuredMayTakeItsTime() throws {
    var limits = HTTPLimits()
    limits.bodyRateWindow = 0
    let server = try Server(limits)
    let client = server.connect()
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1")
    usleep(5000)
    server.turn()
    client.send("2")
    #expect(statuses(client.receive()) == [200])
  }
}
