import CLibev

// `eddy_address` is what C programs hold: a sockaddr_in or sockaddr_in6, and its length.

extension eddy_address {
  static let ipv4Length = UInt32(MemoryLayout<sockaddr_in>.size)
  static let ipv6Length = UInt32(MemoryLayout<sockaddr_in6>.size)

  var family: Int32 {
    withUnsafeBytes(of: self) { Int32($0.load(as: sockaddr.self).sa_family) }
  }

  /// Whether it is an IPv4 or IPv6 address: whoever fills the struct may do it wrong.
  var isValid: Bool {
    switch family {
    case AF_INET: length == Self.ipv4Length
    case AF_INET6: length == Self.ipv6Length
    default: false
    }
  }

  /// - Parameters:
  ///   - address: of either family, as getaddrinfo(3) gives it.
  ///   - port: replaces the address's own.
  init(_ address: UnsafePointer<sockaddr>, port: UInt16) {
    self.init()
    switch Int32(address.pointee.sa_family) {
    case AF_INET: length = Self.ipv4Length
    case AF_INET6: length = Self.ipv6Length
    default: return
    }
    let size = Int(length)
    withUnsafeMutableBytes(of: &words) { words in
      words.copyMemory(from: UnsafeRawBufferPointer(start: address, count: size))
      // Both structures have the port in the same place: just behind the family (ip(7), ipv6(7)).
      words.storeBytes(of: port.bigEndian, toByteOffset: 2, as: in_port_t.self)
    }
  }
}

extension Address {
  /// - Parameter value: one that `isValid`.
  init(_ value: eddy_address) {
    withUnsafeMutableBytes(of: &storage) { storage in
      withUnsafeBytes(of: value.words) { storage.copyMemory(from: $0) }
    }
    length = value.length
  }

  /// The address as C programs hold it; nil for a Unix socket's.
  var value: eddy_address? {
    guard family == AF_INET || family == AF_INET6 else { return nil }
    var value = eddy_address()
    withUnsafeMutableBytes(of: &value.words) { words in
      withUnsafeBytes(of: storage) {
        words.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0.prefix(Int(length))))
      }
    }
    value.length = length
    return value
  }
}
