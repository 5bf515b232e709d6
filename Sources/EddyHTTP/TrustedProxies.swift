/// The proxies whose word about their clients is believed.
///
/// A proxy writes who its client is into fields of the request that it passes on. Anybody can
/// write such fields, so they count only in requests whose connection comes from a proxy of this
/// list; in all others they are ignored.
///
/// ```swift
/// let proxies = try TrustedProxies(["127.0.0.0/8", "::1", "unix:"])
/// ```
///
/// ## Which field counts
///
/// | ``Fields`` | the client's address | the scheme |
/// | --- | --- | --- |
/// | `forwarded` | `for` in `Forwarded` (RFC 7239) | `proto` in `Forwarded` |
/// | `xForwarded` | `X-Forwarded-For` | `X-Forwarded-Proto` |
/// | `xRealIP` | `X-Real-IP` | `X-Scheme` |
/// | `any` | the first of the three that is there | the first of the three that is there |
///
/// A proxy passes on what it does not know: one that writes only `X-Real-IP` leaves in place the
/// `Forwarded` that its client has made up. With `any`, therefore, all that are there have to name
/// the same nearest client, and the same scheme; if they do not, one of them is forged and none is
/// believed. An operator who knows which fields the proxy writes says so, and the others are never
/// looked at.
///
/// A list is read from its end, where the proxy has added what it saw itself: addresses of trusted
/// proxies are passed over, and the first other one is the client. What stands further to the left
/// is that client's own claim. If there is no other one, the leftmost counts; and a name that is no
/// address (`unknown`, `_hidden`) ends the walk at the proxy that gave it.
public struct TrustedProxies: Sendable, Equatable {
  /// Which fields the proxies write.
  public enum Fields: String, CaseIterable, Sendable {
    case any
    case forwarded
    case xForwarded = "x-forwarded"
    case xRealIP = "x-real-ip"
  }

  /// What is wrong with a network, and what would be right.
  public struct Flaw: Error, CustomStringConvertible, Equatable {
    public let description: String
  }

  private struct Network: Equatable {
    let address: IPAddress
    let prefixLength: Int

    func contains(_ other: IPAddress) -> Bool {
      guard other.width == address.width else { return false }
      let hostBits = address.width - prefixLength
      return (other.bits ^ address.bits) >> UInt128(hostBits) == 0
    }
  }

  private static let unixSocket = "unix:"

  private var networks: [Network] = []
  private var includesUnixSockets = false
  /// Which fields they write.
  public var fields = Fields.any

  /// Nobody is believed.
  public static let none = TrustedProxies()

  /// This machine: its loopback addresses, and Unix sockets.
  ///
  /// Right where every program of the machine that can connect may be believed.
  public static var loopback: TrustedProxies {
    var proxies = TrustedProxies()
    proxies.networks = ["127.0.0.0/8", "::1/128"].compactMap { text in
      let parts = text.split(separator: "/")
      return IPAddress(parts[0]).map {
        Network(address: $0, prefixLength: Int(parts[1]) ?? $0.width)
      }
    }
    proxies.includesUnixSockets = true
    return proxies
  }

  private init() {}

  /// - Parameters:
  ///   - networks: each an address (`192.0.2.1`, `2001:db8::1`), a network in CIDR notation
  ///     (`10.0.0.0/8`, `fd00::/8`), or `unix:` for whoever connects through a Unix socket.
  ///   - fields: which of the fields the proxies write.
  public init(_ networks: [String], fields: Fields = .any) throws(Flaw) {
    self.fields = fields
    for text in networks {
      if text == Self.unixSocket {
        includesUnixSockets = true
      } else {
        self.networks.append(try Self.network(text))
      }
    }
  }

  private static func network(_ text: String) throws(Flaw) -> Network {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard !text.contains("%"), let address = IPAddress(parts[0]) else {
      throw Flaw(
        description:
          "'\(text)' is no network; write an address such as 192.0.2.1, a network such as "
          + "10.0.0.0/8 or fd00::/8, or unix: for Unix sockets")
    }
    guard parts.count == 2 else { return Network(address: address, prefixLength: address.width) }
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
    let isMapped = address.width == 32 && parts[0].contains(":")
    let offset = isMapped ? 96 : 0
    let digits = parts[1]
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let written = Int(digits),
      (offset...offset + address.width).contains(written)
    else {
      throw Flaw(
        description: "'\(digits)' in '\(text)' is no prefix length; write \(offset) to "
          + "\(offset + address.width)")
    }
    let network = Network(address: address, prefixLength: written - offset)
    let hostBits = UInt128(address.width - network.prefixLength)
    guard (address.bits >> hostBits) << hostBits == address.bits else {
      throw Flaw(
        description: "'\(text)' names an address inside of a network; write the network's own "
          + "address, or \(parts[0]) alone")
    }
    return network
  }

  /// True if nobody is believed.
  public var isEmpty: Bool { networks.isEmpty && !includesUnixSockets }

  func contains(_ address: IPAddress) -> Bool {
    networks.contains { $0.contains(address) }
  }

  /// - Parameter peer: a connection's other end, as text: `127.0.0.1:40112`, `unix:`.
  func contains(peer: String) -> Bool {
    if peer.hasPrefix(Self.unixSocket) { return includesUnixSockets }
    return Endpoint(peer).map { contains($0.address) } ?? false
  }
}
