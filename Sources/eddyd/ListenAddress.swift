import Glibc

/// Where to listen: a host and a port, or the path of a Unix socket.
struct ListenAddress: Equatable, Decodable {
  /// As the operator wrote it.
  let text: String
  private let place: Place

  private enum Place: Equatable, Decodable {
    case tcp(host: String, port: UInt16)
    case unix
  }

  /// - Parameter text: `127.0.0.1:8888`, `[::1]:8888`, `localhost:8888` or `unix:/path`.
  init(_ text: String) throws(Flaw) {
    self.text = text
    if text.hasPrefix("unix:") {
      // sockaddr_un holds 108 bytes with the final zero (unix(7)).
      let path = text.dropFirst("unix:".count)
      guard (1...107).contains(path.utf8.count), !path.utf8.contains(0) else {
        throw Flaw("'\(text)' needs a path of 1 to 107 bytes, such as unix:/run/eddyd.sock")
      }
      place = .unix
      return
    }
    guard let colon = text.lastIndex(of: ":") else {
      throw Flaw("'\(text)' has no port; write HOST:PORT, such as 127.0.0.1:8888, or unix:/path")
    }
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = UInt16(digits)
    else { throw Flaw("'\(digits)' in '\(text)' is no port; write 1 to 65535, or 0 for any") }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      throw Flaw("'\(text)' is ambiguous; write an IPv6 address in brackets, such as [::1]:8888")
    }
    guard !host.isEmpty else {
      throw Flaw("'\(text)' has no host; write 127.0.0.1:\(port), or 0.0.0.0:\(port) for every one")
    }
    place = .tcp(host: String(host), port: port)
  }

  /// - Parameters:
  ///   - host: an address or a name; an IPv6 address needs no brackets.
  init(host: String, port: UInt16) throws(Flaw) {
    try self.init(
      host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)")
  }

  /// The numeric addresses that it stands for, in the reactor's notation. It may block: names are
  /// looked up.
  func resolved() throws(Flaw) -> [String] {
    guard case .tcp(let host, let port) = place else { return [text] }
    var hints = addrinfo()
    hints.ai_flags = AI_PASSIVE
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, nil, &hints, &list)
    guard status == 0 else {
      throw Flaw("the host '\(host)' is unknown: \(String(cString: gai_strerror(status)))")
    }
    defer { freeaddrinfo(list) }
    var found: [String] = []
    var entry = list
    while let info = entry {
      entry = info.pointee.ai_next
      guard let numeric = Self.numeric(info.pointee) else { continue }
      let address =
        info.pointee.ai_family == AF_INET6 ? "[\(numeric)]:\(port)" : "\(numeric):\(port)"
      if !found.contains(address) { found.append(address) }
    }
    return found
  }

  private static func numeric(_ info: addrinfo) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { buffer in
      getnameinfo(
        info.ai_addr, info.ai_addrlen, buffer.baseAddress, socklen_t(buffer.count), nil, 0,
        NI_NUMERICHOST) == 0 ? buffer.baseAddress.map { String(cString: $0) } : nil
    }
  }

  /// What is wrong with an address, and what would be right.
  struct Flaw: Error, CustomStringConvertible, Equatable {
    let description: String
    init(_ description: String) { self.description = description }
  }
}
