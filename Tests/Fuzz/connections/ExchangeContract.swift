import EddyHTTPCore

/// What `ExchangeHandler` and `HTTPEngine` promise about one exchange, as a state that every call
/// in either direction must fit.
struct ExchangeContract {
  enum Request { case body, complete }
  enum Answer: Equatable {
    case awaited
    /// `remaining`: bytes of the announced length that are still to be written; nil where none is
    /// announced, or where no body is sent.
    case streaming(remaining: Int?)
    /// Finished, aborted, or abandoned: no call comes any more, and none has an effect.
    case over
  }

  let isHead: Bool
  /// Nil: the handler takes no body.
  var bodyLimit: Int?
  private var bodyReceived = 0
  private var request = Request.body
  private(set) var answer = Answer.awaited
  private var awaitsWritable = false

  init(isHead: Bool) { self.isHead = isHead }

  var isOver: Bool { answer == .over }

  // MARK: - What the handler is told

  mutating func receivesBody(_ count: Int) {
    require(!isOver, "a body for an exchange that is over")
    require(request == .body, "a body after the request's end")
    require(count > 0, "an empty part of a body")
    bodyReceived += count
    require(bodyReceived <= bodyLimit ?? 0, "more of a body than was accepted")
  }

  mutating func receivesEnd() {
    require(!isOver, "the end of the request of an exchange that is over")
    require(request == .body, "a second end")
    request = .complete
  }

  mutating func becomesWritable() {
    require(!isOver, "writable for an exchange that is over")
    require(awaitsWritable, "writable though no write was full")
    awaitsWritable = false
  }

  mutating func isAbandoned() {
    require(!isOver, "abandoned twice, or after the answer")
    answer = .over
  }

  // MARK: - What the handler does, with `isAlive` of the exchange before it

  mutating func responded(_ wasAlive: Bool, _ result: Bool) {
    let isPossible = wasAlive && answer == .awaited
    require(isPossible || !result, "an answer to an exchange that is over or has begun its answer")
    // False for one that could be answered: the answer met a client that is gone.
    if isPossible { answer = .over }
  }

  mutating func began(_ wasAlive: Bool, _ result: Bool, status: Int, length: Int64?) {
    require(result == (wasAlive && answer == .awaited), "begin returned \(result)")
    guard result else { return }
    let hasBody = !isHead && status != 204 && status != 304
    answer = .streaming(remaining: hasBody ? length.map { Int($0) } : nil)
  }

  mutating func wrote(_ wasAlive: Bool, _ result: WriteResult, _ count: Int) {
    guard wasAlive, case .streaming(let remaining) = answer else {
      return require(result == .gone, "a write to nobody was \(result)")
    }
    if let remaining, count > remaining {
      require(result == .gone, "more than was announced was \(result)")
      answer = .over
    } else if result != .gone {
      answer = .streaming(remaining: remaining.map { $0 - count })
      if result == .full { awaitsWritable = true }
    }
    // Else the client is gone, and `abandoned` is still to come.
  }

  mutating func ended(_ wasAlive: Bool, _ result: Bool) {
    guard wasAlive, case .streaming(let remaining) = answer else {
      return require(!result, "the end of an answer that wasn't there")
    }
    require(remaining ?? 0 == 0 || !result, "an answer that is shorter than was announced")
    answer = .over
  }

  mutating func aborted(_ wasAlive: Bool, _ result: Bool) {
    require(result == wasAlive, "abort returned \(result)")
    if result { answer = .over }
  }
}
