import CLibev

/// What a UDP socket may be told. The C header `eddy/udp.h` documents each callback.
public struct UDPConfiguration {
  public var context: UnsafeMutableRawPointer?
  /// Required before `receiveStart`.
  public var onReceive: eddy_udp_receive_cb?
  public var onError: eddy_udp_error_cb?
  public var onWritable: eddy_udp_writable_cb?
  /// The longest datagram that is received whole, in bytes: above what an Ethernet frame carries.
  public var datagramSize = 2048
  /// SO_REUSEPORT (socket(7)): several processes share the port.
  public var reusePort = false
  /// SO_REUSEADDR: several programs of this host receive one multicast (ip(7)).
  public var reuseAddress = false
  /// An IPv6 socket leaves IPv4 alone (IPV6_V6ONLY).
  public var isIPv6Only = false
  /// May send to broadcast addresses (SO_BROADCAST).
  public var broadcast = false

  public init() {}
}

/// A UDP socket. The loop's thread.
public final class UDPSocket: Handle {
  /// The longest datagram there is: 16 bits count it (RFC 768).
  static let maximumDatagramSize = 65535

  /// The descriptor, which the socket owns; -1 once it is closed.
  public private(set) var fd: Int32
  let onReceive: eddy_udp_receive_cb?
  let onError: eddy_udp_error_cb?
  private let onWritable: eddy_udp_writable_cb?
  let datagramSize: Int
  let isIPv6Only: Bool
  /// As it was bound, with the port that the system chose.
  let boundAddress: Address

  /// The loop's; nil until the socket first receives.
  private var batch: Unmanaged<DatagramBatch>?

  private var reading = ev_io()
  private var writing = ev_io()
  @inline(__always)
  private var readWatcher: UnsafeMutablePointer<ev_io> {
    withUnsafeMutablePointer(to: &reading) { $0 }
  }
  @inline(__always)
  private var writeWatcher: UnsafeMutablePointer<ev_io> {
    withUnsafeMutablePointer(to: &writing) { $0 }
  }

  /// Opens a socket and binds it.
  /// - Parameter address: "127.0.0.1:53" or "[::]:53"; port 0 lets the system choose.
  /// - Throws: `EDDY_EADDRFORMAT`; what socket(2) and bind(2) say; `EDDY_EINVAL` for a datagram size
  ///   of 0, above 65,535 or above the loop's read buffer.
  public convenience init(
    loop: Loop, address: String, configuration: UDPConfiguration
  ) throws(EddyError) {
    let address = try Address(parsing: address)
    guard address.family != AF_UNIX else { throw EddyError(EDDY_EADDRFORMAT) }
    try self.init(loop: loop, at: address, configuration: configuration)
  }

  /// - Parameter address: of IPv4 or IPv6.
  convenience init(
    loop: Loop, at address: Address, configuration: UDPConfiguration
  ) throws(EddyError) {
    guard configuration.datagramSize > 0,
      configuration.datagramSize <= min(Self.maximumDatagramSize, loop.readBuffer.count)
    else { throw EddyError(EDDY_EINVAL) }
    let fd = try Self.open(at: address, configuration)
    self.init(loop: loop, bound: fd, configuration)
  }

  private init(loop: Loop, bound fd: Int32, _ configuration: UDPConfiguration) {
    var bound = Address()
    _ = bound.fill { getsockname(fd, $0, $1) }
    self.fd = fd
    onReceive = configuration.onReceive
    onError = configuration.onError
    onWritable = configuration.onWritable
    datagramSize = configuration.datagramSize
    isIPv6Only = configuration.isIPv6Only
    boundAddress = bound
    super.init(loop: loop, context: configuration.context)
    let data = Unmanaged.passUnretained(self).toOpaque()
    clibev_io_init(
      readWatcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<UDPSocket>.fromOpaque(data)._withUnsafeGuaranteedRef {
          if clibev_io_active(watcher) == 0 { return $0.loop.watchAnew($0.readWatcher) }
          $0.readable()
        }
      }, fd, Int32(EV_READ))
    readWatcher.pointee.data = data
    clibev_io_init(
      writeWatcher,
      { _, watcher, _ in
        let data = watcher.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
        Unmanaged<UDPSocket>.fromOpaque(data)._withUnsafeGuaranteedRef {
          if clibev_io_active(watcher) == 0 { return $0.loop.watchAnew($0.writeWatcher) }
          $0.writable()
        }
      }, fd, Int32(EV_WRITE))
    writeWatcher.pointee.data = data
  }

  private static func open(
    at address: Address, _ configuration: UDPConfiguration
  ) throws(EddyError) -> Int32 {
    let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fd = socket(address.family, type, 0)
    guard fd >= 0 else { throw .current }
    do throws(EddyError) {
      if address.family == AF_INET6 {
        // Said either way: the system's default may be another (ipv6(7), bindv6only).
        try setOption(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, configuration.isIPv6Only ? 1 : 0)
      }
      if configuration.reusePort { try setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1) }
      if configuration.reuseAddress { try setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1) }
      if configuration.broadcast { try setOption(fd, SOL_SOCKET, SO_BROADCAST, 1) }
      guard address.withSockaddr({ bind(fd, $0, $1) }) == 0 else { throw EddyError.current }
    } catch {
      _ = CLibev.close(fd)
      throw error
    }
    return fd
  }

  /// setsockopt(2) with a value of any fixed size.
  static func setOption<Value>(
    _ fd: Int32, _ level: Int32, _ option: Int32, _ value: Value
  ) throws(EddyError) {
    let result = withUnsafePointer(to: value) {
      setsockopt(fd, level, option, $0, socklen_t(MemoryLayout<Value>.size))
    }
    guard result == 0 else { throw .current }
  }

  /// The address that it is bound to, with the port that the system chose.
  public var address: eddy_address { boundAddress.value ?? eddy_address() }

  /// Sends to one peer and receives from it alone (connect(2)), or, with nil, no longer.
  public func connect(to peer: eddy_address?) throws(EddyError) {
    guard !isClosing else { throw EddyError(EDDY_EALREADY) }
    guard let peer else { return try disconnect() }
    guard peer.isValid else { throw EddyError(EDDY_EINVAL) }
    guard Address(peer).withSockaddr({ CLibev.connect(fd, $0, $1) }) == 0 else { throw .current }
  }

  private func disconnect() throws(EddyError) {
    var none = sockaddr()
    none.sa_family = sa_family_t(AF_UNSPEC)
    guard CLibev.connect(fd, &none, socklen_t(MemoryLayout<sockaddr>.size)) == 0 else {
      throw .current
    }
    // Linux then gives up a port that the system has chosen itself; EINVAL: it still has one.
    guard
      boundAddress.withSockaddr({ bind(fd, $0, $1) }) == 0 || clibev_errno() == EINVAL
    else { throw .current }
  }

  /// Starts to receive.
  /// - Throws: `EDDY_EINVAL` without `onReceive`; `EDDY_EALREADY` when closing; `EDDY_ENOMEM`.
  public func receiveStart() throws(EddyError) {
    guard !isClosing else { throw EddyError(EDDY_EALREADY) }
    guard onReceive != nil else { throw EddyError(EDDY_EINVAL) }
    if batch == nil { batch = .passUnretained(try loop.datagramBatch()) }
    loop.start(readWatcher)
  }

  /// Stops receiving; what arrives waits in the kernel.
  public func receiveStop() {
    loop.stop(readWatcher)
  }

  /// Closes the socket.
  public func close(_ callback: eddy_close_cb? = nil) {
    guard !isClosing else { return }
    loop.stop(readWatcher)
    loop.stop(writeWatcher)
    _ = CLibev.close(fd)
    fd = -1
    beginClosing(callback, context)
    finishClosing()
  }

  // MARK: Events

  /// Has `onWritable` called once the kernel has room again.
  func awaitRoom() {
    if onWritable != nil { loop.start(writeWatcher) }
  }

  private func writable() {
    unmanagedLoop._withUnsafeGuaranteedRef { loop in
      loop.stop(writeWatcher)
      guard let onWritable else { return }
      loop.dispatch(.write, onWritable, context) { onWritable(opaque, context) }
    }
  }

  // Nothing here is retained: the loop outlives the socket, and the batch lives as long as the loop.
  private func readable() {
    guard let batch, let onReceive else { return }
    let count = batch._withUnsafeGuaranteedRef { $0.receive(fd, slotSize: datagramSize) }
    guard count > 0 else { return fail(clibev_errno()) }
    let datagrams = batch._withUnsafeGuaranteedRef { $0.datagrams }
    unmanagedLoop._withUnsafeGuaranteedRef {
      $0.dispatch(.datagram, onReceive, context) {
        onReceive(opaque, datagrams, count, context)
      }
    }
  }

  private func fail(_ error: Int32) {
    switch error {
    case EAGAIN, EINTR: return
    case EBADF, ENOTSOCK, EINVAL, EFAULT: loop.stop(readWatcher)  // it would come at once again
    default: break
    }
    guard let onError else { return }
    loop.dispatch(.datagram, onError, context) {
      onError(opaque, eddy_error_from_errno(error), context)
    }
  }
}
