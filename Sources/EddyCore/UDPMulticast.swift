import CLibev

// Multicast groups (ip(7), ipv6(7)). An IPv6 socket that is not IPv6 alone does both families.
extension UDPSocket {
  /// A group, and the interface through which it is reached.
  private enum Membership {
    case ipv4(ip_mreqn)
    case ipv6(ipv6_mreq)
  }

  /// Joins a multicast group.
  /// - Parameters:
  ///   - group: an address without a port.
  ///   - interface: its name; nil lets the system choose.
  /// - Throws: `EDDY_EADDRFORMAT`; `EDDY_ENODEV`; `EDDY_EADDRINUSE` if it has been joined; `EDDY_EINVAL`
  ///   for no multicast address, or one of the other family.
  public func join(
    _ group: UnsafePointer<CChar>, interface: UnsafePointer<CChar>? = nil
  ) throws(EddyError) {
    switch try membership(group, interface) {
    case .ipv4(let request): try setOption(IPPROTO_IP, IP_ADD_MEMBERSHIP, request)
    case .ipv6(let request): try setOption(IPPROTO_IPV6, IPV6_JOIN_GROUP, request)
    }
  }

  /// Leaves a multicast group.
  /// - Throws: as `join`; `EDDY_EADDRNOTAVAIL` if it was not joined.
  public func leave(
    _ group: UnsafePointer<CChar>, interface: UnsafePointer<CChar>? = nil
  ) throws(EddyError) {
    switch try membership(group, interface) {
    case .ipv4(let request): try setOption(IPPROTO_IP, IP_DROP_MEMBERSHIP, request)
    case .ipv6(let request): try setOption(IPPROTO_IPV6, IPV6_LEAVE_GROUP, request)
    }
  }

  /// How multicasts are sent.
  /// - Parameters:
  ///   - hops: 1 to 255: how many routers pass them on, less one.
  ///   - loopback: whether this host receives them, too.
  ///   - interface: where they go out; nil lets the system choose.
  public func setMulticast(
    hops: Int32, loopback: Bool, interface: UnsafePointer<CChar>? = nil
  ) throws(EddyError) {
    guard !isClosing else { throw EddyError(EDDY_EALREADY) }
    guard (1...255).contains(hops) else { throw EddyError(EDDY_EINVAL) }
    let index = try Self.index(of: interface)
    let isLooping: Int32 = loopback ? 1 : 0
    if sendsIPv4 {
      var outgoing = ip_mreqn()
      outgoing.imr_ifindex = Int32(bitPattern: index)
      try setOption(IPPROTO_IP, IP_MULTICAST_IF, outgoing)
      try setOption(IPPROTO_IP, IP_MULTICAST_TTL, hops)
      try setOption(IPPROTO_IP, IP_MULTICAST_LOOP, isLooping)
    }
    if boundAddress.family == AF_INET6 {
      try setOption(IPPROTO_IPV6, IPV6_MULTICAST_IF, index)
      try setOption(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops)
      try setOption(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, isLooping)
    }
  }

  private var sendsIPv4: Bool { boundAddress.family == AF_INET || !isIPv6Only }

  private func setOption<Value>(
    _ level: Int, _ option: Int32, _ value: Value
  ) throws(EddyError) {
    try Self.setOption(fd, Int32(level), option, value)
  }

  private func membership(
    _ group: UnsafePointer<CChar>, _ interface: UnsafePointer<CChar>?
  ) throws(EddyError) -> Membership {
    guard !isClosing else { throw EddyError(EDDY_EALREADY) }
    var ipv4 = ip_mreqn()
    var ipv6 = ipv6_mreq()
    if inet_pton(AF_INET, group, &ipv4.imr_multiaddr) == 1 {
      // 224.0.0.0/4 (RFC 5771)
      guard sendsIPv4, UInt32(bigEndian: ipv4.imr_multiaddr.s_addr) >> 28 == 0xe else {
        throw EddyError(EDDY_EINVAL)
      }
      ipv4.imr_ifindex = Int32(bitPattern: try Self.index(of: interface))
      return .ipv4(ipv4)
    }
    guard inet_pton(AF_INET6, group, &ipv6.ipv6mr_multiaddr) == 1 else {
      throw EddyError(EDDY_EADDRFORMAT)
    }
    // ff00::/8 (RFC 4291, section 2.7)
    let firstByte = withUnsafeBytes(of: ipv6.ipv6mr_multiaddr) { $0[0] }
    guard boundAddress.family == AF_INET6, firstByte == 0xff else {
      throw EddyError(EDDY_EINVAL)
    }
    ipv6.ipv6mr_interface = try Self.index(of: interface)
    return .ipv6(ipv6)
  }

  /// 0, which lets the system choose, for nil.
  private static func index(of interface: UnsafePointer<CChar>?) throws(EddyError) -> UInt32 {
    guard let interface else { return 0 }
    let index = if_nametoindex(interface)
    guard index != 0 else { throw EddyError(EDDY_ENODEV) }
    return index
  }
}
