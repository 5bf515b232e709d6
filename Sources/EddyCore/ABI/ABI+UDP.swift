/// The C configuration in Swift's form, zeros replaced by the defaults; nil if it can't be right.
private func udpConfiguration(_ config: UnsafePointer<eddy_udp_config>?) -> UDPConfiguration? {
  var result = UDPConfiguration()
  guard let config else { return result }
  guard let given = configuration(config, size: config.pointee.size, defaults: eddy_udp_config())
  else { return nil }
  result.context = given.context
  result.onReceive = given.on_receive
  result.onError = given.on_error
  result.onWritable = given.on_writable
  if given.datagram_size != 0 { result.datagramSize = given.datagram_size }
  result.reusePort = given.reuse_port != 0
  result.reuseAddress = given.reuse_address != 0
  result.isIPv6Only = given.ipv6_only != 0
  result.broadcast = given.broadcast != 0
  return result
}

/// Runs what may throw a code, and gives it back, or 0.
@inline(__always)
private func status(_ body: () throws(EddyError) -> Void) -> Int32 {
  do throws(EddyError) {
    try body()
    return 0
  } catch {
    return error.code
  }
}

@c @implementation
public func eddy_udp_open(
  _ loop: OpaquePointer!, _ address: UnsafePointer<CChar>!,
  _ config: UnsafePointer<eddy_udp_config>!, _ out_udp: UnsafeMutablePointer<OpaquePointer?>!
) -> Int32 {
  guard let loop, let address, let out_udp, let settings = udpConfiguration(config) else {
    return invalid
  }
  return create(out_udp) { () throws(EddyError) in
    try UDPSocket(
      loop: handle(loop), at: Address(numeric: address), configuration: settings)
  }
}

@c @implementation
public func eddy_udp_connect(
  _ udp: OpaquePointer!, _ peer: UnsafePointer<eddy_address>!
) -> Int32 {
  guard let udp else { return invalid }
  let address: eddy_address? = if let peer { peer.pointee } else { nil }
  return status { () throws(EddyError) in try (handle(udp) as UDPSocket).connect(to: address) }
}

@c @implementation
public func eddy_udp_receive_start(_ udp: OpaquePointer!) -> Int32 {
  guard let udp else { return invalid }
  return status { () throws(EddyError) in try (handle(udp) as UDPSocket).receiveStart() }
}

@c @implementation
public func eddy_udp_receive_stop(_ udp: OpaquePointer!) -> Int32 {
  guard let udp else { return invalid }
  (handle(udp) as UDPSocket).receiveStop()
  return 0
}

@c @implementation
public func eddy_udp_send(
  _ udp: OpaquePointer!, _ data: UnsafeRawPointer!, _ length: Int,
  _ peer: UnsafePointer<eddy_address>!
) -> Int32 {
  guard let udp, data != nil || length == 0, length >= 0 else { return invalid }
  return Unmanaged<UDPSocket>.fromOpaque(UnsafeRawPointer(udp))._withUnsafeGuaranteedRef { socket in
    status { () throws(EddyError) in
      try socket.send(UnsafeRawBufferPointer(start: data, count: length), to: peer)
    }
  }
}

@c @implementation
public func eddy_udp_send_batch(
  _ udp: OpaquePointer!, _ datagrams: UnsafePointer<eddy_datagram>!, _ count: Int
) -> Int {
  guard let udp, datagrams != nil || count == 0, count >= 0 else { return Int(invalid) }
  do throws(EddyError) {
    return try (handle(udp) as UDPSocket).send(
      UnsafeBufferPointer(start: datagrams, count: count))
  } catch {
    return Int(error.code)
  }
}

@c @implementation
public func eddy_udp_join(
  _ udp: OpaquePointer!, _ group: UnsafePointer<CChar>!, _ interface: UnsafePointer<CChar>!
) -> Int32 {
  guard let udp, let group else { return invalid }
  return status { () throws(EddyError) in
    try (handle(udp) as UDPSocket).join(group, interface: interface)
  }
}

@c @implementation
public func eddy_udp_leave(
  _ udp: OpaquePointer!, _ group: UnsafePointer<CChar>!, _ interface: UnsafePointer<CChar>!
) -> Int32 {
  guard let udp, let group else { return invalid }
  return status { () throws(EddyError) in
    try (handle(udp) as UDPSocket).leave(group, interface: interface)
  }
}

@c @implementation
public func eddy_udp_set_multicast(
  _ udp: OpaquePointer!, _ hops: Int32, _ loopback: Int32, _ interface: UnsafePointer<CChar>!
) -> Int32 {
  guard let udp, loopback == 0 || loopback == 1 else { return invalid }
  return status { () throws(EddyError) in
    try (handle(udp) as UDPSocket).setMulticast(
      hops: hops, loopback: loopback == 1, interface: interface)
  }
}

@c @implementation
public func eddy_udp_address(
  _ udp: OpaquePointer!, _ out_address: UnsafeMutablePointer<eddy_address>!
) -> Int32 {
  guard let udp, let out_address else { return invalid }
  out_address.pointee = (handle(udp) as UDPSocket).address
  return 0
}

@c @implementation
public func eddy_udp_fd(_ udp: OpaquePointer!) -> Int32 {
  guard let udp else { return invalid }
  let fd = (handle(udp) as UDPSocket).fd
  return fd >= 0 ? fd : invalid
}

@c @implementation
public func eddy_udp_close(_ udp: OpaquePointer!, _ callback: eddy_close_cb!) -> Int32 {
  guard let udp else { return invalid }
  let object: UDPSocket = handle(udp)
  return close(object) { object.close(callback) }
}
