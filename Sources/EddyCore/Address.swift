import CLibev

/// A socket address: IPv4, IPv6 or a Unix socket's path.
struct Address {
  var storage = sockaddr_storage()
  var length: socklen_t = 0

  /// Room for "unix:" and the longest path, or for the longest IPv6 address with its zone and port.
  static let textCapacity = 128

  private static let unixPrefix: StaticString = "unix:"
  private static var pathOffset: Int { clibev_sun_path_offset() }
  /// sockaddr_un's path holds 108 bytes, the final zero among them (unix(7)).
  private static var pathCapacity: Int { MemoryLayout<sockaddr_un>.size - pathOffset }

  var family: Int32 { Int32(storage.ss_family) }

  init() {}

  /// - Parameter text: "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80" or "unix:/path".
  /// - Throws: `EDDY_EADDRFORMAT`, `EDDY_ENAMETOOLONG`.
  init(_ text: UnsafePointer<CChar>) throws(EddyError) {
    let prefixLength = Self.unixPrefix.utf8CodeUnitCount
    let isUnix =
      strncmp(
        text, UnsafeRawPointer(Self.unixPrefix.utf8Start).assumingMemoryBound(to: CChar.self),
        prefixLength) == 0
    if isUnix {
      try self.init(path: text + prefixLength)
    } else {
      try self.init(numeric: text)
    }
  }

  /// The same from a string. `withCString` would only pass on an error without its type.
  init(parsing text: String) throws(EddyError) {
    let parsed = text.withCString { text in
      Result { () throws(EddyError) in try Address(text) }
    }
    self = try parsed.get()
  }

  private init(path: UnsafePointer<CChar>) throws(EddyError) {
    let count = strlen(path)
    guard count > 0 else { throw EddyError(EDDY_EADDRFORMAT) }
    guard count < Self.pathCapacity else { throw EddyError(EDDY_ENAMETOOLONG) }
    storage.ss_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &storage) { bytes in
      (bytes.baseAddress.unsafelyUnwrapped + Self.pathOffset)
        .copyMemory(from: path, byteCount: count)
    }
    length = socklen_t(Self.pathOffset + count + 1)
  }

  /// - Parameter text: as above, but no Unix socket.
  /// - Throws: `EDDY_EADDRFORMAT`.
  init(numeric text: UnsafePointer<CChar>) throws(EddyError) {
    let colon = strrchr(text, CInt(UInt8(ascii: ":")))
    guard let colon, let port = Self.number(colon + 1, upTo: UInt32(UInt16.max)) else {
      throw EddyError(EDDY_EADDRFORMAT)
    }
    let hostCount = UnsafePointer(colon) - text
    let isIPv6 =
      hostCount > 2 && text[0] == CChar(UInt8(ascii: "["))
      && text[hostCount - 1] == CChar(UInt8(ascii: "]"))
    let hostStart = isIPv6 ? text + 1 : text
    let count = isIPv6 ? hostCount - 2 : hostCount
    guard count < Int(INET6_ADDRSTRLEN) + Int(IF_NAMESIZE) else {
      throw EddyError(EDDY_EADDRFORMAT)
    }
    let isValid = withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { host in
      let host = host.baseAddress.unsafelyUnwrapped
      memcpy(host, hostStart, count)
      host[count] = 0
      return isIPv6 ? setIPv6(host, UInt16(port)) : setIPv4(host, UInt16(port))
    }
    guard isValid else { throw EddyError(EDDY_EADDRFORMAT) }
  }

  /// A whole number in decimal; nil for anything else.
  private static func number(_ digits: UnsafePointer<CChar>, upTo limit: UInt32) -> UInt32? {
    var value: UInt64 = 0
    var digit = digits
    guard digit.pointee != 0 else { return nil }
    while digit.pointee != 0 {
      let character = UInt8(bitPattern: digit.pointee)
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) else { return nil }
      value = value * 10 + UInt64(character - UInt8(ascii: "0"))
      guard value <= UInt64(limit) else { return nil }
      digit += 1
    }
    return UInt32(value)
  }

  /// The index of a zone (RFC 4007, section 11.2): an interface's name, or its number. 0 if it is
  /// neither.
  private static func zoneIndex(_ zone: UnsafePointer<CChar>) -> UInt32 {
    let index = if_nametoindex(zone)
    return index != 0 ? index : number(zone, upTo: .max) ?? 0
  }

  private mutating func setIPv4(_ host: UnsafePointer<CChar>, _ port: UInt16) -> Bool {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return false }
    withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in.self) }
    length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return true
  }

  private mutating func setIPv6(_ host: UnsafeMutablePointer<CChar>, _ port: UInt16) -> Bool {
    var address = sockaddr_in6()
    if let percent = strchr(host, CInt(UInt8(ascii: "%"))) {
      address.sin6_scope_id = Self.zoneIndex(percent + 1)
      guard address.sin6_scope_id != 0 else { return false }
      percent.pointee = 0
    }
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    guard inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { return false }
    withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in6.self) }
    length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    return true
  }

  /// Calls `body` with the address as the socket calls take it.
  func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafeBytes(of: storage) { bytes in
      body(bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: sockaddr.self), length)
    }
  }

  /// Fills the address with a call such as getsockname(2).
  mutating func fill(
    _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  )
    -> Int32
  {
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutableBytes(of: &storage) { bytes in
      call(bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: sockaddr.self), &size)
    }
    length = size
    return result
  }
}

extension Address {
  /// The path of a Unix socket, valid during `body`; nil for other families and unnamed sockets.
  func withPath<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard family == AF_UNIX, Int(length) > Self.pathOffset else { return body(nil) }
    return withUnsafeBytes(of: storage) { bytes in
      body(
        (bytes.baseAddress.unsafelyUnwrapped + Self.pathOffset)
          .assumingMemoryBound(to: CChar.self))
    }
  }

  /// Writes the address as text with a final zero.
  /// - Returns: its length without the zero; `EDDY_EINVAL` if the buffer is too small.
  func write(to buffer: UnsafeMutableBufferPointer<CChar>) -> Int32 {
    var text = TextWriter(buffer)
    switch family {
    case AF_INET:
      let address = withUnsafeBytes(of: storage) { $0.load(as: sockaddr_in.self) }
      withUnsafePointer(to: address.sin_addr) { text.append(host: $0, AF_INET) }
      text.append(":")
      text.append(decimal: UInt32(UInt16(bigEndian: address.sin_port)))
    case AF_INET6:
      let address = withUnsafeBytes(of: storage) { $0.load(as: sockaddr_in6.self) }
      text.append("[")
      withUnsafePointer(to: address.sin6_addr) { text.append(host: $0, AF_INET6) }
      if address.sin6_scope_id != 0 { text.append(zone: address.sin6_scope_id) }
      text.append("]:")
      text.append(decimal: UInt32(UInt16(bigEndian: address.sin6_port)))
    default:
      text.append(Self.unixPrefix)
      withPath { path in
        guard let path else { return }
        text.append(bytes: path, count: strnlen(path, Self.pathCapacity))
      }
    }
    return text.finish()
  }
}

/// Writes text into a C buffer, and remembers when it did not fit.
private struct TextWriter {
  private let buffer: UnsafeMutableBufferPointer<CChar>
  private var count = 0

  init(_ buffer: UnsafeMutableBufferPointer<CChar>) {
    self.buffer = buffer
  }

  mutating func append(bytes: UnsafePointer<CChar>, count added: Int) {
    if count + added < buffer.count, let base = buffer.baseAddress {
      memcpy(base + count, bytes, added)
    }
    count += added
  }

  mutating func append(_ string: StaticString) {
    append(
      bytes: UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self),
      count: string.utf8CodeUnitCount)
  }

  mutating func append(host: UnsafeRawPointer, _ family: Int32) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
      let text = text.baseAddress.unsafelyUnwrapped
      inet_ntop(family, host, text, socklen_t(INET6_ADDRSTRLEN))
      append(bytes: text, count: strlen(text))
    }
  }

  mutating func append(zone index: UInt32) {
    append("%")
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { name in
      let name = name.baseAddress.unsafelyUnwrapped
      if if_indextoname(index, name) != nil {
        append(bytes: name, count: strlen(name))
      } else {
        append(decimal: index)  // the interface is gone
      }
    }
  }

  mutating func append(decimal value: UInt32) {
    var divisor: UInt32 = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      var digit = CChar(UInt8(ascii: "0") + UInt8(value / divisor % 10))
      append(bytes: &digit, count: 1)
      divisor /= 10
    }
  }

  func finish() -> Int32 {
    guard count < buffer.count, let base = buffer.baseAddress else { return code(EDDY_EINVAL) }
    base[count] = 0
    return Int32(count)
  }
}
