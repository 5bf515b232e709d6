import Glibc

/// An IPv4 or IPv6 address, without a port.
///
/// An IPv4-mapped one (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is the IPv4 address: that is how a
/// socket for both shows IPv4 clients. A zone (`%eth0`) is left out.
struct IPAddress: Hashable, Sendable {
  /// 32 or 128.
  let width: Int
  /// In the low `width` bits, the most significant one first.
  let bits: UInt128

  /// - Parameter text: `192.0.2.1` or `2001:db8::1`, without brackets.
  init?(_ text: some StringProtocol) {
    let text = text.prefix { $0 != "%" }
    var ipv4 = in_addr()
    var ipv6 = in6_addr()
    if inet_pton(AF_INET, String(text), &ipv4) == 1 {
      self.init(width: 32, bits: UInt128(UInt32(bigEndian: ipv4.s_addr)))
    } else if inet_pton(AF_INET6, String(text), &ipv6) == 1 {
      let bits = withUnsafeBytes(of: &ipv6) {
        UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self))
      }
      self.init(width: 128, bits: bits)
    } else {
      return nil
    }
  }

  private init(width: Int, bits: UInt128) {
    let mappedPrefix: UInt128 = 0xFFFF
    let isMapped = width == 128 && bits >> 32 == mappedPrefix
    self.width = isMapped ? 32 : width
    self.bits = isMapped ? bits & UInt128(UInt32.max) : bits
  }

  /// The shortest usual notation (RFC 5952).
  var text: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
      let base = buffer.baseAddress.unsafelyUnwrapped
      if width == 32 {
        var address = in_addr(s_addr: UInt32(truncatingIfNeeded: bits).bigEndian)
        inet_ntop(AF_INET, &address, base, socklen_t(buffer.count))
      } else {
        var address = bits.bigEndian
        inet_ntop(AF_INET6, &address, base, socklen_t(buffer.count))
      }
      return String(cString: base)
    }
  }
}

/// An address with the port, where that is known: of a connection, or as a proxy names it.
struct Endpoint: Hashable, Sendable {
  let address: IPAddress
  let port: UInt16?

  /// - Parameter text: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or
  ///   `[2001:db8::1]:80`. A port that is a name (RFC 7239 §6.2) counts as unknown.
  init?(_ text: some StringProtocol) {
    if let address = IPAddress(text) {
      self.address = address
      port = nil
      return
    }
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let host: Substring
    var digits: Substring?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = Substring(text[text.index(after: text.startIndex)..<end])
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":"), host.contains(":") else { return nil }
      digits = rest.isEmpty ? nil : Substring(rest.dropFirst())
    } else {
      host = Substring(text[..<colon])
      guard !host.contains(":") else { return nil }
      digits = Substring(text[text.index(after: colon)...])
    }
    guard let address = IPAddress(host) else { return nil }
    self.address = address
    port = digits.flatMap { UInt16($0) }
  }

  /// With the port after it, if it is known: `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`.
  var text: String {
    guard let port else { return address.text }
    return address.width == 32 ? "\(address.text):\(port)" : "[\(address.text)]:\(port)"
  }
}
