/// The fields of a request that make it conditional, or ask for a part (RFC 9110 §13, §14).
public struct ConditionalRequest: Sendable {
  private var ifMatch: [UInt8]?
  private var ifNoneMatch: [UInt8]?
  private var ifModifiedSince: [UInt8]?
  private var ifUnmodifiedSince: [UInt8]?
  private var ifRange: [UInt8]?
  private var range: [UInt8]?

  /// What the present representation is compared by.
  public struct Validator: Sendable {
    /// With its quotes; nil without one.
    public var entityTag: [UInt8]?
    /// Seconds since 1970; nil without one.
    public var lastModified: Int64?

    public init(entityTag: [UInt8]?, lastModified: Int64?) {
      self.entityTag = entityTag
      self.lastModified = lastModified
    }
  }

  /// How the request is to be answered.
  public enum Outcome: Equatable, Sendable {
    /// As if it had no condition; with `isPartial`, `Range` is to be heeded.
    case perform(isPartial: Bool)
    /// 304.
    case notModified
    /// 412.
    case preconditionFailed
  }

  public init() {}

  /// Takes note of a field line, whatever its name.
  public mutating func note(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    // The shortest and the longest of the names.
    guard name.count >= 5, name.count <= 19, let base = name.baseAddress else { return }
    let bytes = base.assumingMemoryBound(to: UInt8.self)
    func isName(_ lowercase: StaticString) -> Bool {
      equalIgnoringCase(bytes, name.count, lowercase)
    }
    switch name.count {
    case 5 where isName("range"): Self.setOnce(&range, value)
    case 8 where isName("if-match"): Self.join(&ifMatch, value)
    case 8 where isName("if-range"): Self.setOnce(&ifRange, value)
    case 13 where isName("if-none-match"): Self.join(&ifNoneMatch, value)
    case 17 where isName("if-modified-since"): Self.setOnce(&ifModifiedSince, value)
    case 19 where isName("if-unmodified-since"): Self.setOnce(&ifUnmodifiedSince, value)
    default: break
    }
  }

  /// Several lines of a list are one list (RFC 9110 §5.3).
  private static func join(_ list: inout [UInt8]?, _ value: UnsafeRawBufferPointer) {
    if list == nil { list = Array(value) } else { list! += [ASCII.comma] + Array(value) }
  }

  /// A field that is no list and is there twice has no value that is known: it becomes empty,
  /// which is neither a date, nor a tag, nor a range.
  private static func setOnce(_ field: inout [UInt8]?, _ value: UnsafeRawBufferPointer) {
    field = field == nil ? Array(value) : []
  }

  // MARK: - Evaluation

  /// Evaluates the preconditions in the order of RFC 9110 §13.2.2, for a resource that exists.
  ///
  /// To be asked only where the answer without them would be a success (RFC 9110 §13.2.1).
  ///
  /// - Parameter now: seconds since 1970.
  public func evaluate(_ method: Method, _ validator: Validator, now: Int64) -> Outcome {
    let isRead = method == .get || method == .head
    if let ifMatch {
      guard Self.find(validator.entityTag, in: ifMatch, .strong) else {
        return .preconditionFailed
      }
    } else if let since = Self.date(ifUnmodifiedSince, now: now),
      let modified = validator.lastModified, modified > since
    {
      return .preconditionFailed
    }
    if let ifNoneMatch {
      if Self.find(validator.entityTag, in: ifNoneMatch, .weak) {
        return isRead ? .notModified : .preconditionFailed
      }
    } else if isRead, let since = Self.date(ifModifiedSince, now: now),
      let modified = validator.lastModified, modified <= since
    {
      return .notModified
    }
    return .perform(isPartial: method == .get && range != nil && matchesIfRange(validator, now))
  }

  /// RFC 9110 §13.1.5. A date has to be exactly that of the representation.
  private func matchesIfRange(_ validator: Validator, _ now: Int64) -> Bool {
    guard let ifRange else { return true }
    return ifRange.withUnsafeBytes { condition in
      if EntityTag.isTag(condition) {
        return validator.entityTag?.withUnsafeBytes {
          EntityTag.equal($0, condition, .strong)
        } ?? false
      }
      guard let date = HTTPDate.parse(condition, now: now) else { return false }
      return date == validator.lastModified
    }
  }

  private static func find(
    _ tag: [UInt8]?, in list: [UInt8], _ comparison: EntityTag.Comparison
  ) -> Bool {
    list.withUnsafeBytes { list in
      guard let tag else { return EntityTag.find(nil, in: list, comparison) != .none }
      return tag.withUnsafeBytes { EntityTag.find($0, in: list, comparison) != .none }
    }
  }

  /// A condition whose date is none is ignored (RFC 9110 §13.1.3, §13.1.4).
  private static func date(_ value: [UInt8]?, now: Int64) -> Int64? {
    value?.withUnsafeBytes { HTTPDate.parse($0, now: now) }
  }

  /// What `Range` asks for of a representation of `length` bytes; heed it only where
  /// ``evaluate(_:_:now:)`` says so.
  public func ranges(of length: Int64, atMost limit: Int) -> RequestedRanges {
    guard let range else { return .whole }
    return range.withUnsafeBytes { RequestedRanges(parsing: $0, length: length, atMost: limit) }
  }
}
