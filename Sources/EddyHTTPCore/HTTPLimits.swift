/// What the engine bounds, and what happens at each bound.
///
/// Times are in nanoseconds, and `.max` is no limit; sizes are in bytes.
public struct HTTPLimits: Sendable {
  /// The longest request line, without its CRLF → 414. RFC 9112 §3 recommends at least 8,000.
  public var requestLine = 8192
  /// The most bytes of field lines in a head, with their CRLFs and the final empty line → 431; and
  /// of the trailer lines of a chunked body → 431.
  public var fieldsSize = 32_768
  /// The most field lines in a head, or in a trailer section → 431.
  public var fieldCount = 100
  /// The largest body, whatever a handler accepts → 413.
  public var body = 50 << 20
  /// The most bytes of chunk extensions in a body → 400. They carry nothing that is used here.
  public var chunkExtensions = 4096
  /// From a request's first byte to the end of its head → 408; a new connection on which no byte
  /// of a request comes in that time is closed without an answer.
  public var headTimeout: UInt64 = 30_000_000_000
  /// The slowest body, in bytes a second, measured over each ``bodyRateWindow`` → 408.
  public var minimumBodyRate = 1024
  /// Over how long the rate of a body is measured. 0: it isn't.
  public var bodyRateWindow: UInt64 = 10_000_000_000
  /// How long a connection may wait for its next request → closed. It must be longer than the
  /// idle time of a proxy in front (nginx: `keepalive_timeout 60s` of its upstream), which would
  /// otherwise send a request just when the connection is closed.
  public var idleTimeout: UInt64 = 75_000_000_000
  /// How long an answer may wait without the client taking a byte of it → closed.
  public var writeTimeout: UInt64 = 60_000_000_000
  /// How many requests one connection may send; the last answer has `Connection: close`. 0: any.
  public var requestsPerConnection = 0
  /// How many connections may be open at once; above, accepting pauses. 0: any.
  public var connections = 0
  /// How much of a body that nobody reads is read and dropped, so that the connection can be used
  /// again; and how much is dropped after the last answer, so that it arrives (RFC 9112 §9.6).
  public var drain = 262_144
  /// How long to wait for the client's end after the last answer.
  public var lingerTimeout: UInt64 = 2_000_000_000
  /// How many bytes of further requests are kept while one is being answered; then reading pauses.
  public var pipelined = 65_536
  /// How many bytes of answers may wait for a slow client before a streamed answer is told that
  /// it is ``WriteResult/full``, and before the next request of the connection is taken up.
  public var writeBuffer = 65_536

  public init() {}

  /// The largest size of a part of a head: offsets into it have 32 bits, and so has their sum.
  private static var maximumHeadPart: Int { 1 << 30 }
  /// An engine allocates the places of as many field lines as are allowed, 16 bytes each.
  private static var maximumFieldCount: Int { 1 << 16 }

  /// The limits with those of heads and chunk extensions held to what the parser can count.
  var countable: HTTPLimits {
    var result = self
    result.requestLine = min(max(requestLine, 0), Self.maximumHeadPart)
    result.fieldsSize = min(max(fieldsSize, 0), Self.maximumHeadPart)
    result.fieldCount = min(max(fieldCount, 0), Self.maximumFieldCount)
    result.chunkExtensions = min(max(chunkExtensions, 0), Self.maximumHeadPart)
    return result
  }
}
