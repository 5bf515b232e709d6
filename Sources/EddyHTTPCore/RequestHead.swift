/// A part of a request's head: an offset from its first byte, and a length.
public struct ByteRange: Equatable, Sendable {
  public var start: UInt32
  public var count: UInt32

  @inlinable public init(start: UInt32 = 0, count: UInt32 = 0) {
    self.start = start
    self.count = count
  }

  @inline(__always) init(_ start: Int, _ end: Int) {
    self.init(
      start: UInt32(truncatingIfNeeded: start), count: UInt32(truncatingIfNeeded: end &- start))
  }
}

/// Where a field's name and value lie in the head; both without white space around them.
public struct FieldRanges: Equatable, Sendable {
  public var name: ByteRange
  public var value: ByteRange

  @inlinable public init(name: ByteRange, value: ByteRange) {
    self.name = name
    self.value = value
  }
}

/// The form of a request's target (RFC 9112 §3.2).
public enum TargetForm: UInt8, Equatable, Sendable {
  /// `/where?q=now`
  case origin
  /// `http://www.example.org/where`
  case absolute
  /// `www.example.com:80`, with CONNECT only.
  case authority
  /// `*`, with OPTIONS only: the server as a whole. Also for OPTIONS with an absolute-form that has
  /// neither path nor query (RFC 9112 §3.2.4); ``RequestHead/path`` is then empty.
  case asterisk
}

/// A request's head, checked against RFC 9112: a view of the bytes that were read.
///
/// It is valid only inside ``ExchangeHandler/receivedHead(_:_:_:)``, and cannot be copied. To keep
/// parts of it, copy ``bytes`` once and keep ranges: all of them count from the first byte there.
public struct RequestHead: ~Copyable {
  var base: UnsafePointer<UInt8>
  var count = 0
  let fields: UnsafeMutablePointer<FieldRanges>
  let fieldCapacity: Int
  var known = KnownFields()

  /// The method; `other` for one without a name here.
  public internal(set) var method = Method.get
  /// 0 for HTTP/1.0; 1 for HTTP/1.1 and for a later minor version (RFC 9110 §2.5).
  public internal(set) var minorVersion: UInt8 = 1
  /// The form in which the target was sent.
  public internal(set) var targetForm = TargetForm.origin
  /// True if the target has a question mark, so that an empty query can be told from none.
  public internal(set) var hasQuery = false
  /// The number of field lines.
  public internal(set) var fieldCount = 0

  public internal(set) var methodRange = ByteRange()
  /// The whole target as it was sent.
  public internal(set) var targetRange = ByteRange()
  /// The path, not decoded: it begins with `/`, except for authority-form (empty) and asterisk-form.
  public internal(set) var pathRange = ByteRange()
  /// What follows the question mark.
  public internal(set) var queryRange = ByteRange()
  /// Host and port. Those of an absolute-form or authority-form target count before `Host`
  /// (RFC 9112 §3.2.2). Empty only in HTTP/1.0 without Host.
  public internal(set) var hostRange = ByteRange()

  init(fieldCapacity: Int) {
    self.fieldCapacity = fieldCapacity
    fields = .allocate(capacity: fieldCapacity)
    base = UnsafePointer(bitPattern: 1)!
  }

  deinit { fields.deallocate() }

  /// The whole head, from the first byte of the request line to the empty line at its end.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
  public var methodBytes: UnsafeRawBufferPointer { self[methodRange] }
  public var target: UnsafeRawBufferPointer { self[targetRange] }
  public var path: UnsafeRawBufferPointer { self[pathRange] }
  public var query: UnsafeRawBufferPointer { self[queryRange] }
  public var host: UnsafeRawBufferPointer { self[hostRange] }

  /// The bytes of a range of this head.
  public subscript(range: ByteRange) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + Int(range.start), count: Int(range.count))
  }

  /// Where the field line `index` lies. `index` must be below ``fieldCount``.
  public func fieldRanges(_ index: Int) -> FieldRanges {
    precondition(index >= 0 && index < fieldCount, "no such field line")
    return fields[index]
  }

  /// The field line `index`, in the order in which they came.
  public subscript(field index: Int) -> (
    name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) {
    let ranges = fieldRanges(index)
    return (self[ranges.name], self[ranges.value])
  }

  /// The value of the first field line of that name.
  ///
  /// - Parameter lowercaseName: in lower case; the head's names are compared without regard to case.
  public func first(_ lowercaseName: StaticString) -> UnsafeRawBufferPointer? {
    for index in 0..<fieldCount {
      let ranges = fields[index]
      if equalIgnoringCase(base + Int(ranges.name.start), Int(ranges.name.count), lowercaseName) {
        return self[ranges.value]
      }
    }
    return nil
  }

  /// The value of `Content-Length`; nil without one.
  public var contentLength: Int64? { known.contentLength < 0 ? nil : known.contentLength }
  /// True if the body comes in chunks.
  public var isChunked: Bool { known.isChunked }
  /// True if a body of at least one byte may follow.
  public var hasBody: Bool { known.isChunked || known.contentLength > 0 }
  /// True if the client waits for `100 Continue`, which the engine sends.
  public var expectsContinue: Bool { known.expectsContinue && minorVersion > 0 }
  /// True if the client allows another request on the connection (RFC 9112 §9.3).
  public var keepsAlive: Bool {
    !known.closes && (minorVersion > 0 || known.keepsAlive)
  }
}
