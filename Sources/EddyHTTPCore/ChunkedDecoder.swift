/// Takes a chunked body apart (RFC 9112 §7.1), in pieces of any size.
///
/// Extensions are checked and ignored. Trailer fields are checked and dropped: none is ever merged
/// into the head's fields (RFC 9110 §6.5.1).
struct ChunkedDecoder {
  enum Event: Equatable {
    /// All bytes are used up; more are needed.
    case incomplete
    /// The bytes from the first offset up to the second are data.
    case data(Int, Int)
    /// The body ends before this offset.
    case end(Int)
    case refused(RequestError)
  }

  private enum State: UInt8 {
    case firstDigit, size, sizeLineFeed
    case beforeExtension, extensionNameStart, extensionName, afterExtensionName
    case extensionValueStart, extensionValue, quoted, quotedPair, afterExtensionValue
    case data, dataCarriageReturn, dataLineFeed
    case trailerStart, trailerName, trailerValue, trailerLineFeed, endLineFeed
  }

  /// A size that fits Int64 has at most this many hexadecimal digits, leading zeros apart; those
  /// are bounded too.
  private static var maximumDigits: UInt8 { 16 }

  private var state = State.firstDigit
  private var digits: UInt8 = 0
  private var trailerLines: UInt32 = 0
  private var extensionBytes: UInt32 = 0
  private var trailerBytes: UInt32 = 0
  private var remaining: UInt64 = 0

  /// Reads on at `index`, and moves it behind what was used. Call again after `data`.
  mutating func next(
    _ base: UnsafePointer<UInt8>, _ index: inout Int, _ end: Int, _ limits: HTTPLimits
  ) -> Event {
    while index < end {
      if state == .data {
        let start = index
        let count = Int(min(UInt64(end - index), remaining))
        index += count
        remaining -= UInt64(count)
        if remaining == 0 { state = .dataCarriageReturn }
        return .data(start, index)
      }
      let byte = base[index]
      index += 1
      switch state {
      case .firstDigit, .size, .sizeLineFeed, .dataCarriageReturn, .dataLineFeed:
        if let error = framing(byte) { return .refused(error) }
      case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed:
        if let error = trailer(byte, limits) { return .refused(error) }
      case .endLineFeed:
        return byte == ASCII.lineFeed ? .end(index) : .refused(.bareCarriageReturn)
      case .data:
        break
      default:
        extensionBytes += 1
        guard Int(extensionBytes) <= limits.chunkExtensions else {
          return .refused(.chunkExtensionsTooLong)
        }
        if let error = extensionPart(byte) { return .refused(error) }
      }
    }
    return .incomplete
  }

  /// The size, and the CR LF around the data.
  private mutating func framing(_ byte: UInt8) -> RequestError? {
    switch state {
    case .firstDigit, .size:
      if let value = hexadecimalValue(byte) {
        digits += 1
        guard digits <= Self.maximumDigits, remaining < 1 << 59 else { return .chunkSizeTooLarge }
        remaining = remaining << 4 | UInt64(value)
        state = .size
        return nil
      }
      guard state == .size else { return .chunkSizeInvalid }
      switch byte {
      case ASCII.carriageReturn: state = .sizeLineFeed
      case ASCII.semicolon: state = .extensionNameStart
      case ASCII.space, ASCII.tab: state = .beforeExtension
      default: return .chunkSizeInvalid
      }
    case .sizeLineFeed:
      guard byte == ASCII.lineFeed else { return .chunkSizeInvalid }
      state = remaining == 0 ? .trailerStart : .data
      digits = 0
    case .dataCarriageReturn:
      guard byte == ASCII.carriageReturn else { return .chunkEndMissing }
      state = .dataLineFeed
    default:
      guard byte == ASCII.lineFeed else { return .chunkEndMissing }
      state = .firstDigit
    }
    return nil
  }

  /// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), RFC 9112 §7.1.1.
  private mutating func extensionPart(_ byte: UInt8) -> RequestError? {
    let isToken = ByteClass.token.contains(byte)
    switch state {
    case .beforeExtension where byte == ASCII.semicolon: state = .extensionNameStart
    case .beforeExtension where isBlank(byte): break
    case .extensionNameStart where isBlank(byte): break
    case .extensionNameStart where isToken: state = .extensionName
    case .extensionName where isToken: break
    case .extensionName, .afterExtensionName:
      switch byte {
      case ASCII.equals: state = .extensionValueStart
      case ASCII.semicolon: state = .extensionNameStart
      case ASCII.space, ASCII.tab: state = .afterExtensionName
      case ASCII.carriageReturn where state == .extensionName: state = .sizeLineFeed
      default: return .chunkExtensionSyntax
      }
    case .extensionValueStart where isBlank(byte): break
    case .extensionValueStart where isToken: state = .extensionValue
    case .extensionValueStart where byte == ASCII.quote: state = .quoted
    case .extensionValue where isToken: break
    case .quoted, .quotedPair:
      // qdtext and quoted-pair (RFC 9110 §5.6.4) exclude control characters but the tab.
      guard byte == ASCII.tab || byte >= ASCII.space && byte != ASCII.delete else {
        return .chunkExtensionSyntax
      }
      if state == .quotedPair {
        state = .quoted
      } else if byte == ASCII.backslash {
        state = .quotedPair
      } else if byte == ASCII.quote {
        state = .afterExtensionValue
      }
    case .extensionValue, .afterExtensionValue:
      switch byte {
      case ASCII.semicolon: state = .extensionNameStart
      case ASCII.carriageReturn: state = .sizeLineFeed
      case ASCII.space, ASCII.tab: state = .beforeExtension
      default: return .chunkExtensionSyntax
      }
    default: return .chunkExtensionSyntax
    }
    return nil
  }

  private mutating func trailer(_ byte: UInt8, _ limits: HTTPLimits) -> RequestError? {
    trailerBytes += 1
    guard Int(trailerBytes) <= limits.fieldsSize else { return .trailersTooLarge }
    switch state {
    case .trailerStart:
      if byte == ASCII.carriageReturn {
        state = .endLineFeed
        return nil
      }
      if isBlank(byte) { return .foldedLine }
      guard ByteClass.token.contains(byte) else {
        return byte == ASCII.lineFeed ? .bareLineFeed : .fieldNameByte
      }
      trailerLines += 1
      guard Int(trailerLines) <= limits.fieldCount else { return .trailersTooLarge }
      state = .trailerName
    case .trailerName:
      if byte == ASCII.colon {
        state = .trailerValue
      } else if !ByteClass.token.contains(byte) {
        switch byte {
        case ASCII.space, ASCII.tab: return .spaceBeforeColon
        case ASCII.carriageReturn: return .noColon
        case ASCII.lineFeed: return .bareLineFeed
        default: return .fieldNameByte
        }
      }
    case .trailerValue:
      if byte == ASCII.carriageReturn {
        state = .trailerLineFeed
      } else if byte == ASCII.lineFeed {
        return .bareLineFeed
      } else if byte < ASCII.space && byte != ASCII.tab || byte == ASCII.delete {
        return .fieldValueByte
      }
    default:
      guard byte == ASCII.lineFeed else { return .bareCarriageReturn }
      state = .trailerStart
    }
    return nil
  }
}
