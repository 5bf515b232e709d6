import EddyCore

/// One client's connection: which part of a request comes next, and which answer is owed.
///
/// Requests are taken up one after the other: the next one only when the answer to the last is
/// finished, so that answers keep the order of their requests (RFC 9112 §9.3.2).
final class Connection {
  /// What the next bytes from the client are.
  enum Phase: UInt8 {
    /// A request's head.
    case head
    /// The body of the present request; nobody's if its answer is finished.
    case body
    /// Later requests: the present one is complete, and its answer isn't finished.
    case waiting
    /// Of no interest: the last answer is written, and the client's end is waited for, so that the
    /// answer isn't lost to a reset (RFC 9112 §9.6).
    case lingering
    case closed
  }

  /// The state of the answer to the present request.
  enum Answer: UInt8 {
    /// There is no request.
    case none
    case awaited
    case streaming
    case finished
  }

  /// The engine closes its connections before it goes.
  unowned(unsafe) let engine: HTTPEngine
  /// The loop keeps a stream until it is closed, which the connection does as its last act.
  unowned(unsafe) private(set) var stream: Stream! = nil
  let slot: UInt32
  let generation: UInt32
  /// The number of the present request, or of the last one.
  var request: UInt64 = 0

  // What takes a byte each stands together: an idle connection is little but this object, and
  // none of it shall be lost to alignment.
  var phase = Phase.head
  var answer = Answer.none
  /// In `consume`: who answers need not see to what follows.
  var isConsuming = false
  /// Writing or reading has failed; `attend` tears the connection down.
  var isLost = false
  /// The client has ended its side.
  var isHalfClosed = false
  /// The present exchange is abandoned when the client ends its side.
  var cancelsOnHalfClose = false
  var isReadingPaused = false
  /// A request has come since the phase's deadline was set.
  var needsNewDeadline = true
  /// On the engine's list of connections to attend to.
  var isScheduled = false

  var isHeadPartial = false
  /// Empty lines before the head.
  var emptyLines: UInt8 = 0
  var isHeadMethod = false
  var minorVersion: UInt8 = 1
  var keepsAlive = false
  /// The client waits for 100 Continue and has sent nothing of the body.
  var awaitsContinue = false
  var isChunked = false
  /// The handler takes the body.
  var deliversBody = false
  var closesAfterAnswer = false
  /// A write was `full`: the handler waits for `writable`.
  var owesWritable = false

  /// The present answer's, with the number of bytes that are still to be written.
  var framing = ResponseFraming.none
  var nextScheduled: Unmanaged<Connection>?
  /// Bytes that are not used yet.
  var input = InputBuffer()
  var scanner = HeadScanner()
  var decoder = ChunkedDecoder()
  /// What is left of a body with a known length.
  var bodyRemaining = 0
  var bodyReceived = 0
  var bodyLimit = 0
  /// Bytes of the body since its rate was last measured.
  var windowBytes = 0
  /// Bytes dropped: of a body that is answered already, or while lingering.
  var droppedBytes = 0

  /// All bytes that the stream has accepted, and how many of them the kernel had taken when the
  /// write deadline was set.
  var acceptedBytes: UInt64 = 0
  var progressMark: UInt64 = 0
  /// What was queued after the last write; since then it can only have become less.
  var queuedAtMost = 0
  /// Parts of files that the stream has and the kernel may not have wholly.
  var filesInFlight = 0

  /// The place in the list of the phase's deadline.
  let phaseNode: UnsafeMutablePointer<DeadlineNode>
  /// The place in the list of write deadlines; there only while bytes wait to be written.
  var writeNode: UnsafeMutablePointer<DeadlineNode>?

  init(engine: HTTPEngine, slot: UInt32, generation: UInt32) {
    self.engine = engine
    self.slot = slot
    self.generation = generation
    phaseNode = .allocate(capacity: 1)
    phaseNode.initialize(to: DeadlineNode(self))
  }

  deinit {
    phaseNode.deallocate()
    writeNode?.deallocate()
  }

  func attach(_ stream: Stream) { self.stream = stream }

  var exchange: Exchange { Exchange(slot: slot, generation: generation, request: request) }

  /// True while the present request's answer is owed and can be sent.
  var isAnswerOwed: Bool {
    (answer == .awaited || answer == .streaming) && !isLost
  }

  /// Too many bytes wait for the client, or a file does: it gets no further request served until it
  /// takes them. So however many requests a client sends, one answer's files are open.
  var isStalled: Bool {
    guard phase == .head else { return false }
    return filesInFlight > 0
      || queuedAtMost > 0 && stream.queued >= engine.limits.writeBuffer
  }

  /// True if bytes of answers are still to be taken by the kernel.
  var hasUnwritten: Bool { stream.queued > 0 || filesInFlight > 0 }
}
