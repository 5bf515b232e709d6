/// Why a request was refused: each has one status and one text, which says what would be right.
///
/// The texts are constants. Nothing that the client sent is repeated, so nothing needs escaping.
enum RequestError: UInt8, Error, CaseIterable {
  // The request line.
  case emptyLines, methodSyntax, targetMissing, targetByte, targetForm, targetScheme
  case targetAuthority, versionMissing, versionSyntax, versionNotSupported, requestLineTooLong
  // Field lines.
  case bareLineFeed, bareCarriageReturn, spaceBeforeColon, noColon, fieldNameByte, fieldValueByte
  case foldedLine, fieldsTooLarge, tooManyFields
  // Known fields.
  case hostMissing, hostRepeated, hostInvalid
  case contentLengthInvalid, contentLengthRepeated, contentLengthWithTransferEncoding
  case transferEncodingInOldVersion, transferEncodingEmpty, transferEncodingSyntax
  case chunkedNotLast, codingNotSupported, expectationNotSupported
  // Bodies.
  case chunkSizeInvalid, chunkSizeTooLarge, chunkExtensionSyntax, chunkExtensionsTooLong
  case chunkEndMissing, trailersTooLarge, bodyTooLarge
  // Time.
  case headTimedOut, bodyTooSlow

  var status: Int {
    switch self {
    case .headTimedOut, .bodyTooSlow: 408
    case .bodyTooLarge: 413
    case .requestLineTooLong: 414
    case .expectationNotSupported: 417
    case .fieldsTooLarge, .tooManyFields, .trailersTooLarge: 431
    case .codingNotSupported: 501
    case .versionNotSupported: 505
    default: 400
    }
  }

  var detail: StaticString {
    switch self {
    case .emptyLines:
      "Empty lines stand before the request line; begin with the method (RFC 9112 §2.2)."
    case .methodSyntax:
      "The request does not begin with a method and one space (RFC 9112 §3.1)."
    case .targetMissing:
      "The request target is missing; write one space between method and target (RFC 9112 §3)."
    case .targetByte:
      "The request target has a byte that must be percent-encoded (RFC 3986 §2.1)."
    case .targetForm:
      "The request target is neither a path that begins with a slash nor, for OPTIONS, an asterisk (RFC 9112 §3.2)."
    case .targetScheme:
      "The scheme of the request target is not served here; use http or https (RFC 9110 §4.2)."
    case .targetAuthority:
      "The authority of the request target is not a host with an optional port (RFC 9110 §4.2)."
    case .versionMissing:
      "The request line has no version; end it with HTTP/1.1 (RFC 9112 §3)."
    case .versionSyntax:
      "The version is not HTTP/, one digit, a dot and one digit (RFC 9112 §2.3)."
    case .versionNotSupported:
      "Only HTTP/1.0 and HTTP/1.1 are served here (RFC 9110 §15.6.6)."
    case .requestLineTooLong:
      "The request line is longer than this server allows; shorten the target (RFC 9112 §3)."
    case .bareLineFeed:
      "A line ends with a line feed alone; end it with CR LF (RFC 9112 §2.2)."
    case .bareCarriageReturn:
      "A carriage return is not followed by a line feed (RFC 9112 §2.2)."
    case .spaceBeforeColon:
      "A space stands before the colon of a field name; remove it (RFC 9112 §5.1)."
    case .noColon:
      "A field line has no colon (RFC 9112 §5)."
    case .fieldNameByte:
      "A field name has a byte that a name cannot have, or is empty (RFC 9110 §5.1)."
    case .fieldValueByte:
      "A field value has a control character (RFC 9110 §5.5)."
    case .foldedLine:
      "A field line begins with a space, as an obsolete folded line does; join the lines (RFC 9112 §5.2)."
    case .fieldsTooLarge:
      "The field lines are larger than this server allows (RFC 6585 §5)."
    case .tooManyFields:
      "There are more field lines than this server allows (RFC 6585 §5)."
    case .hostMissing:
      "An HTTP/1.1 request must have a Host field (RFC 9112 §3.2)."
    case .hostRepeated:
      "There is more than one Host field (RFC 9112 §3.2)."
    case .hostInvalid:
      "Host is not a host with an optional port (RFC 9110 §7.2)."
    case .contentLengthInvalid:
      "Content-Length is not a decimal number that this server can represent (RFC 9110 §8.6)."
    case .contentLengthRepeated:
      "There is more than one Content-Length (RFC 9112 §6.3)."
    case .contentLengthWithTransferEncoding:
      "Content-Length and Transfer-Encoding exclude each other (RFC 9112 §6.1)."
    case .transferEncodingInOldVersion:
      "HTTP/1.0 has no Transfer-Encoding (RFC 9112 §6.1)."
    case .transferEncodingEmpty:
      "Transfer-Encoding names no coding (RFC 9112 §6.3)."
    case .transferEncodingSyntax:
      "Transfer-Encoding is not a list of codings, or chunked has a parameter (RFC 9112 §7)."
    case .chunkedNotLast:
      "The final transfer coding of a request must be chunked, once (RFC 9112 §6.3)."
    case .codingNotSupported:
      "Of the transfer codings, only chunked is supported here (RFC 9112 §6.1)."
    case .expectationNotSupported:
      "Of the expectations, only 100-continue is supported (RFC 9110 §10.1.1)."
    case .chunkSizeInvalid:
      "A chunk size is not a hexadecimal number, ended by CR LF (RFC 9112 §7.1)."
    case .chunkSizeTooLarge:
      "A chunk size is larger than this server can represent (RFC 9112 §7.1)."
    case .chunkExtensionSyntax:
      "A chunk extension is not a name with an optional value (RFC 9112 §7.1.1)."
    case .chunkExtensionsTooLong:
      "The chunk extensions are longer than this server allows (RFC 9112 §7.1.1)."
    case .chunkEndMissing:
      "A chunk is not followed by CR LF where its size says that it ends (RFC 9112 §7.1)."
    case .trailersTooLarge:
      "The trailer fields are larger, or more, than this server allows (RFC 6585 §5)."
    case .bodyTooLarge:
      "The body is larger than is allowed here (RFC 9110 §15.5.14)."
    case .headTimedOut:
      "The request's head did not come in time (RFC 9110 §15.5.9)."
    case .bodyTooSlow:
      "The request's body came too slowly (RFC 9110 §15.5.9)."
    }
  }
}
