import EddyHTTP

/// The field `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
///
/// The draft writes the key as a string in quotes (RFC 8941 §3.3.3); most clients send it bare. Both
/// are taken as they stand, so that a client has to repeat exactly what it sent.
enum IdempotencyKey {
  /// Longest key, in bytes: a UUID has 36.
  static let longest = 255

  /// - Throws: 400 for a key that is empty, too long, or has other than visible ASCII characters.
  static func validate(_ key: String) throws(Problem) {
    let flaw: String
    if key.isEmpty {
      flaw = "is empty"
    } else if key.utf8.count > longest {
      flaw = "has \(key.utf8.count) bytes"
    } else if !key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
      flaw = "has a character that is not visible ASCII"
    } else {
      return
    }
    throw Problem(
      .badRequest,
      "The Idempotency-Key \(flaw); send 1 to \(longest) visible ASCII characters, such as a UUID.",
      type: JobProblem.type("bad-idempotency-key"), title: "Bad idempotency key")
  }
}
