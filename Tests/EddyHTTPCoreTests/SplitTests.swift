import Testing

@testable import EddyHTTPCore

/// The property on which everything else rests: how the network splits a stream of requests
/// changes nothing.
@Suite struct SplitTests {
  /// Pipelined requests of every kind, each of them valid.
  private static let stream =
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
    + "\r\nPOST /2?x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nGET / HTTP/"
    + "HEAD /3 HTTP/1.1\r\nHost: a\r\n\r\n"
    + "PUT /4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    + "5;a=\"b\"\r\nhello\r\n1 ; c\r\n!\r\n0\r\nTrailer: x\r\n\r\n"
    + "\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    + "GET http://b/5 HTTP/1.1\r\nHost: a\r\nX:\t y \r\n\r\n"
    + "POST /6 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"
    + "GET /7 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    + "GET /8 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

  private struct Outcome: Equatable {
    var events: [Recorder.Event]
    var answers: String
    var hasEnded: Bool
  }

  private func serve(_ parts: [ArraySlice<UInt8>]) throws -> Outcome {
    let server = try Server()
    let client = server.connect()
    var answers = ""
    for part in parts {
      client.send(Array(part))
      answers += client.receive()
    }
    answers += client.receive()
    // A date may change from one run to the next.
    let lines = answers.components("\r\n").filter { !$0.hasPrefix("Date: ") }
    return Outcome(
      events: server.events, answers: lines.joined(separator: "\r\n"), hasEnded: client.hasEnded)
  }

  private var bytes: [UInt8] { Array(Self.stream.utf8) }

  @Test func theWholeStreamIsUnderstood() throws {
    let outcome = try serve([bytes[...]])
    #expect(statuses(outcome.answers) == [200, 200, 200, 200, 200, 200, 200, 200, 200])
    #expect(outcome.hasEnded)
    #expect(
      outcome.events == [
        .head("GET /1"), .end,
        .head("POST /2?x"), .body(Array("GET / HTTP/".utf8)), .end,
        .head("HEAD /3"), .end,
        .head("PUT /4"), .body(Array("hello!".utf8)), .end,
        .head("OPTIONS *"), .end, .head("GET http://b/5"), .end, .head("POST /6"), .end,
        .head("GET /7"), .end, .head("GET /8"), .end,
      ])
  }

  @Test func aSplitInTwoChangesNothing() throws {
    let whole = try serve([bytes[...]])
    for position in 1..<bytes.count {
      #expect(try serve([bytes[..<position], bytes[position...]]) == whole, "at \(position)")
    }
  }

  @Test(arguments: [1, 2, 3, 5, 7, 11, 64]) func equalPartsChangeNothing(_ size: Int) throws {
    let whole = try serve([bytes[...]])
    let parts = stride(from: 0, to: bytes.count, by: size).map {
      bytes[$0..<min($0 + size, bytes.count)]
    }
    #expect(try serve(parts) == whole)
  }

  @Test(arguments: 0..<100) func randomPartsChangeNothing(_ seed: UInt64) throws {
    let whole = try serve([bytes[...]])
    var random = SplitMix(state: seed)
    var parts: [ArraySlice<UInt8>] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let size = Int.random(in: 1...60, using: &random)
      parts.append(rest.prefix(size))
      rest = rest.dropFirst(size)
    }
    #expect(try serve(parts) == whole)
  }

  /// However a damaged stream is split, the same requests are served before it is refused; and
  /// whatever it was, the next client is served.
  @Test(arguments: 0..<300) func aDamagedStreamHarmsNobodyElse(_ seed: UInt64) throws {
    var random = SplitMix(state: seed)
    var damaged = bytes
    for _ in 0...Int.random(in: 0...3, using: &random) {
      let position = Int.random(in: 0..<damaged.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: damaged.remove(at: position)
      case 1:
        damaged.insert(Array("\r\n\0 :,;\t0a".utf8).randomElement(using: &random)!, at: position)
      case 2: damaged[position] = UInt8.random(in: 0...255, using: &random)
      default: damaged.insert(contentsOf: Array(damaged[position / 2..<position]), at: position)
      }
    }
    let server = try Server()
    let whole = server.connect()
    whole.send(damaged)
    whole.finish()
    let wholeStatuses = statuses(whole.receive())

    let splitServer = try Server()
    let split = splitServer.connect()
    var answers = ""
    var rest = damaged[...]
    while !rest.isEmpty {
      let size = Int.random(in: 1...40, using: &random)
      split.send(Array(rest.prefix(size)))
      answers += split.receive()
      rest = rest.dropFirst(size)
    }
    split.finish()
    answers += split.receive()
    // A refusal may differ, because a part of a head is judged when the rest of it has come.
    #expect(statuses(answers).filter { $0 == 200 } == wholeStatuses.filter { $0 == 200 })
    #expect(splitServer.events == server.events)
    #expect(whole.hasEnded && split.hasEnded)

    #expect(status(server.answer("GET / HTTP/1.1\r\nHost: a\r\n\r\n")) == 200)
  }
}

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}
