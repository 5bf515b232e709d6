/// A host with an optional port, as `Host` and a target's authority have it.
enum Authority {
  /// The largest TCP port.
  static var maximumPort: Int { 65535 }

  /// Checks `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2).
  ///
  /// The host must not be empty: http and https have none that is (RFC 9110 §4.2.1). User
  /// information is refused (RFC 9110 §4.2.4). A port may be empty, unless it is required.
  static func isValid(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, requiresPort: Bool = false
  ) -> Bool {
    var index = 0
    if count > 0, bytes[0] == ASCII.openBracket {
      index = 1
      var colons = 0
      while index < count, ByteClass.addressLiteral.contains(bytes[index]) {
        if bytes[index] == ASCII.colon { colons += 1 }
        index += 1
      }
      // The shortest IPv6 address, "::", has two colons.
      guard colons >= 2, index < count, bytes[index] == ASCII.closeBracket else { return false }
      index += 1
    } else {
      while index < count {
        if ByteClass.registeredName.contains(bytes[index]) {
          index &+= 1
        } else if bytes[index] == ASCII.percent {
          guard index + 2 < count, hexadecimalValue(bytes[index + 1]) != nil,
            hexadecimalValue(bytes[index + 2]) != nil
          else { return false }
          index += 3
        } else {
          break
        }
      }
      guard index > 0 else { return false }
    }
    if index == count { return !requiresPort }
    guard bytes[index] == ASCII.colon else { return false }
    index += 1
    guard index < count || !requiresPort else { return false }
    var port = 0
    while index < count {
      guard isDigit(bytes[index]) else { return false }
      port = port * 10 + Int(bytes[index] &- ASCII.zero)
      guard port <= maximumPort else { return false }
      index += 1
    }
    return true
  }
}
