import CLibev
import EddyCore
import EddyHTTPCore

/// Whole connections over an engine: clients that send any bytes, end and go at any time, and a
/// handler that does anything in any call. No call comes for an exchange that is over, each one that
/// isn't answered is abandoned once, and all that was opened can be closed.
///
/// An input is a line for the engine, a digit (see `limits`) and the words of `ScriptedHandler`, and
/// after it what the clients do:
///
///     c0  connect (odd: to a small send buffer)    s01  client 0 sends text 1 of `Clients`
///     m01 sends it 100 times                       u0…~ sends what follows, up to the tilde
///     e0  ends its side     x0 closes              r0   receives
///     a   the application follows a word           w    wait for the short times; any other: a turn
@c(LLVMFuzzerTestOneInput) public func fuzzConnections(
  _ data: UnsafePointer<UInt8>, _ size: Int
) -> CInt {
  var events = Script(UnsafeBufferPointer(start: data, count: size))
  let limits = limits(events.digit())
  let handler = ScriptedHandler(words: Script(events.text(upTo: "\n")))
  guard let loop = try? Loop() else { fatalError("no loop") }
  let engine = HTTPEngine(loop: loop, limits: limits, handler: handler)
  handler.engine = engine
  var clients = Clients()
  play(&events, &clients, handler, engine, loop)

  engine.close()
  require(engine.connectionCount == 0, "a connection outlives its engine")
  handler.checkThatAllIsOver()
  turn(loop, times: 2)
  do throws(EddyError) { try loop.destroy() } catch { fatalError("a handle is left: \(error)") }
  clients.closeAll()
  return 0
}

/// Small buffers, few requests a connection, short times, little that is drained: a bit each.
private func limits(_ choice: Int) -> HTTPLimits {
  var limits = HTTPLimits()
  if choice & 1 != 0 {
    limits.pipelined = 100
    limits.writeBuffer = 1000
  }
  if choice & 2 != 0 { limits.requestsPerConnection = 3 }
  if choice & 4 != 0 {
    limits.headTimeout = shortTime
    limits.idleTimeout = shortTime
    limits.bodyRateWindow = shortTime
    limits.writeTimeout = shortTime
    limits.lingerTimeout = shortTime
  }
  if choice & 8 != 0 { limits.drain = 50 }
  return limits
}

/// Nanoseconds; more than a few turns take, so that what an input does depends little on the clock.
private let shortTime: UInt64 = 2_000_000
private let maximumWaits = 3

private func play(
  _ events: inout Script, _ clients: inout Clients, _ handler: ScriptedHandler,
  _ engine: HTTPEngine, _ loop: Loop
) {
  var waits = 0
  while !events.isAtEnd {
    switch events.letter() {
    case "c": clients.connect(to: engine, hasSmallBuffer: events.digit() & 1 != 0)
    case "s": clients.send(events.digit(), text: events.digit())
    case "m": clients.send(events.digit(), text: events.digit(), times: 100)
    case "u": clients.send(events.digit(), events.text(upTo: "~"))
    case "e": clients.end(events.digit())
    case "x": clients.close(events.digit())
    case "r": clients.receive(events.digit())
    case "a": handler.followWord()
    case "w":
      if waits < maximumWaits { usleep(UInt32(shortTime / 1000 + 500)) }
      waits += 1
      turn(loop, times: 1)
    default: turn(loop, times: 1)
    }
  }
  turn(loop, times: 2)
}

private func turn(_ loop: Loop, times: Int) {
  for _ in 0..<times {
    do throws(EddyError) { try loop.run(.nowait) } catch { fatalError("the loop: \(error)") }
  }
}
