import CLibev

/// An option of a socket that is a number (setsockopt(2)).
struct SocketOption {
  let level: Int32
  let name: Int32

  private init(_ level: Int32, _ name: Int32) {
    self.level = level
    self.name = name
  }

  /// - Returns: false, with errno, if the socket is of a kind that lacks the option.
  @discardableResult
  func set(on fd: Int32, to value: Int32) -> Bool {
    var value = value
    return setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
  }

  /// - Returns: nil, with errno, if the socket is of a kind that lacks the option.
  func get(from fd: Int32) -> Int32? {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(fd, level, name, &value, &size) == 0 ? value : nil
  }

  /// Small writes are sent at once (tcp(7)): the loop collects them itself.
  static var noDelay: SocketOption { SocketOption(Int32(IPPROTO_TCP), TCP_NODELAY) }
  static var reuseAddress: SocketOption { SocketOption(SOL_SOCKET, SO_REUSEADDR) }
  static var reusePort: SocketOption { SocketOption(SOL_SOCKET, SO_REUSEPORT) }
  /// The address family.
  static var domain: SocketOption { SocketOption(SOL_SOCKET, SO_DOMAIN) }
  static var type: SocketOption { SocketOption(SOL_SOCKET, SO_TYPE) }
  static var error: SocketOption { SocketOption(SOL_SOCKET, SO_ERROR) }
  static var isListening: SocketOption { SocketOption(SOL_SOCKET, SO_ACCEPTCONN) }
  /// An IPv6 socket leaves IPv4 alone (ipv6(7)).
  static var ipv6Only: SocketOption { SocketOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
  static var keepAlive: SocketOption { SocketOption(SOL_SOCKET, SO_KEEPALIVE) }
  /// Seconds of silence before the first probe (tcp(7)).
  static var keepAliveIdle: SocketOption { SocketOption(Int32(IPPROTO_TCP), TCP_KEEPIDLE) }
  /// Seconds between probes.
  static var keepAliveInterval: SocketOption { SocketOption(Int32(IPPROTO_TCP), TCP_KEEPINTVL) }
  /// Probes without an answer after which the connection is lost.
  static var keepAliveCount: SocketOption { SocketOption(Int32(IPPROTO_TCP), TCP_KEEPCNT) }
}

/// How the kernel finds out whether a silent TCP peer is still there (tcp(7)).
struct KeepAlive {
  /// Linux takes no more than 32,767 s for TCP_KEEPIDLE (MAX_TCP_KEEPIDLE).
  static let maximum: UInt64 = 32_767 * EDDY_SECOND

  private static let probes: Int32 = 3
  /// Probes come this many times as often as the silence lasts before the first.
  private static let probesEachSilence: Int32 = 10

  private let seconds: Int32

  /// - Parameter silence: nanoseconds, at most `maximum`; 0 turns the probes off.
  init(silence: UInt64) {
    seconds = Int32((silence + EDDY_SECOND - 1) / EDDY_SECOND)
  }

  /// - Returns: false, with errno, if it is no TCP socket.
  func apply(to fd: Int32) -> Bool {
    guard seconds > 0 else {
      return SocketOption.keepAliveIdle.get(from: fd) != nil
        && SocketOption.keepAlive.set(on: fd, to: 0)
    }
    return SocketOption.keepAliveIdle.set(on: fd, to: seconds)
      && SocketOption.keepAliveInterval.set(
        on: fd, to: max(1, seconds / Self.probesEachSilence))
      && SocketOption.keepAliveCount.set(on: fd, to: Self.probes)
      && SocketOption.keepAlive.set(on: fd, to: 1)
  }
}
