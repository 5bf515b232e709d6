import EddyHTTPCore

/// Does in each of the engine's calls what the next word of a script says, and holds the engine to
/// its contract. When the words are used up, they begin again.
///
/// A word is letters with a digit each, up to a space:
///
///     r respond              s respond without a body      b begin, in chunks
///     l begin, with a length n begin with status 204       m begin with status 304
///     w write                e end                         a abort
///     h cancel on half-close i ignore the request's body   k accept a part of it only
///     o take another exchange for the rest of the word
///     d drain the engine     c close the engine (with digit 7 only: few inputs shall end so early)
final class ScriptedHandler: ExchangeHandler {
  /// More calls in one word wouldn't find more.
  private static var maximumWord: Int { 8 }
  /// A word that closes the engine has `abandoned` called, which has its own word.
  private static var maximumDepth: Int { 3 }
  /// Around the engine's marks: the copied body (16,384), the write buffer (1,000 or 65,536), and
  /// more than a socket takes.
  private static var sizes: [Int] { [0, 1, 100, 999, 16_384, 16_385, 70_000, 300_000] }

  private var words: Script
  private var contracts: [Exchange: ExchangeContract] = [:]
  private var exchanges: [Exchange] = []
  private let bytes: UnsafeMutableRawBufferPointer
  private var depth = 0
  /// Of all bodies: for AddressSanitizer to see that their bytes can be read.
  private var sum: UInt8 = 0
  /// In a call into the engine during which `abandoned` must not come.
  private var isCalling = false
  /// What the head's word says of the body.
  private var policy = BodyPolicy.accept(limit: .max)
  unowned(unsafe) var engine: HTTPEngine! = nil

  init(words: Script) {
    self.words = words
    bytes = .allocate(byteCount: Self.sizes.max()!, alignment: 1)
    bytes.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
  }

  deinit { bytes.deallocate() }

  /// After the engine was closed: each exchange was answered, or its loss told.
  func checkThatAllIsOver() {
    require(contracts.values.allSatisfy(\.isOver), "an exchange was neither answered nor abandoned")
  }

  // MARK: - The engine's calls

  func receivedHead(
    _ exchange: Exchange, _ head: borrowing RequestHead, _ engine: HTTPEngine
  ) -> BodyPolicy {
    require(contracts[exchange] == nil, "a second head for an exchange")
    require(head.bytes.suffix(4).elementsEqual("\r\n\r\n".utf8), "a head without its end")
    contracts[exchange] = ExchangeContract(isHead: head.method == .head)
    exchanges.append(exchange)
    policy = .accept(limit: .max)
    followWord(exchange)
    if case .accept(let limit) = policy { contracts[exchange]?.bodyLimit = limit }
    return policy
  }

  func receivedBody(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) {
    contracts[exchange]!.receivesBody(bytes.count)
    sum = bytes.reduce(sum, &+)
    followWord(exchange)
  }

  func receivedEnd(_ exchange: Exchange) {
    contracts[exchange]!.receivesEnd()
    followWord(exchange)
  }

  func abandoned(_ exchange: Exchange) {
    require(!isCalling, "abandoned inside a call into the engine")
    contracts[exchange]!.isAbandoned()
    require(!engine.isAlive(exchange), "abandoned, but alive")
    followWord(exchange)
  }

  func writable(_ exchange: Exchange) {
    contracts[exchange]!.becomesWritable()
    followWord(exchange)
  }

  // MARK: - The handler's calls

  /// Does what the next word says, to the last exchange if there is none at hand.
  func followWord(_ present: Exchange? = nil) {
    guard depth < Self.maximumDepth else { return }
    depth += 1
    defer { depth -= 1 }
    guard var exchange = present ?? exchanges.last else { return }
    if words.isAtEnd { words.rewind() }
    for _ in 0..<Self.maximumWord where !words.isAtEnd {
      let letter = words.letter()
      if letter == " " { break }
      let digit = words.digit()
      if letter == "o" {
        exchange = exchanges[exchanges.count - 1 - digit % exchanges.count]
      } else {
        follow(letter, digit, exchange)
      }
    }
  }

  private func follow(_ letter: Character, _ digit: Int, _ exchange: Exchange) {
    let size = Self.sizes[digit % Self.sizes.count]
    switch letter {
    case "r": respond(exchange, size)
    case "s": respond(exchange, 0)
    case "b": begin(exchange, 200, nil)
    case "l": begin(exchange, 200, Int64(size))
    case "n": begin(exchange, 204, Int64(size))
    case "m": begin(exchange, 304, Int64(size))
    case "w":
      call(exchange) { contract, wasAlive in
        contract.wrote(wasAlive, engine.write(exchange, part(size)), size)
      }
    case "e": call(exchange) { $0.ended($1, engine.end(exchange)) }
    case "a": call(exchange) { $0.aborted($1, engine.abort(exchange)) }
    case "h":
      call(exchange) { require(engine.cancelsOnHalfClose(exchange) == $1, "not the same as alive") }
    case "i": policy = .discard
    case "k": policy = .accept(limit: digit)
    case "d":
      // Milliseconds.
      engine.drain(deadline: UInt64(digit) * 1_000_000, context: nil) { _ in }
    case "c" where digit == 7: engine.close()
    default: break
    }
  }

  private func respond(_ exchange: Exchange, _ size: Int) {
    call(exchange) {
      $0.responded($1, engine.respond(exchange, status: 200, fields: part(0), body: part(size)))
    }
  }

  private func begin(_ exchange: Exchange, _ status: Int, _ length: Int64?) {
    call(exchange) {
      let result = engine.begin(exchange, status: status, fields: part(0), contentLength: length)
      $0.began($1, result, status: status, length: length)
    }
  }

  /// One call into the engine, with what was promised of the exchange before it, and after it.
  private func call(_ exchange: Exchange, _ body: (inout ExchangeContract, Bool) -> Void) {
    var contract = contracts[exchange]!
    let wasAlive = engine.isAlive(exchange)
    require(!wasAlive || !contract.isOver, "an exchange that is over is alive")
    isCalling = true
    body(&contract, wasAlive)
    isCalling = false
    contracts[exchange] = contract
    require(!contract.isOver || !engine.isAlive(exchange), "an exchange outlives its answer")
  }

  private func part(_ size: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[..<size])
  }
}
