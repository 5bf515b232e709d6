/// Who has sent a request that came through a trusted proxy.
///
/// A class, so that a request that came straight pays for no more than a nil.
final class ForwardedClient: Sendable {
  /// As text; with the port if the proxy has told it.
  let address: String
  let scheme: String

  init(address: String, scheme: String) {
    self.address = address
    self.scheme = scheme
  }
}

extension TrustedProxies {
  /// What the fields of a request come to.
  enum Finding {
    /// They say nothing, or come from somebody who is not believed.
    case nothing
    case client(ForwardedClient)
    /// One of them is forged, and it can't be told which.
    case contradiction
  }

  /// - Parameter peer: the connection's other end, as text.
  func finding(_ lines: ProxyFields, from peer: String) -> Finding {
    guard contains(peer: peer) else { return .nothing }
    let claims = claims(lines).filter { !$0.isSilent }
    guard !claims.isEmpty else { return .nothing }
    guard
      Self.agree(claims.filter { !$0.hops.isEmpty }.map { $0.hops.last.flatMap { $0?.address } }),
      Self.agree(claims.compactMap { $0.schemes.last ?? nil })
    else { return .contradiction }

    var address = peer
    var scheme: String?
    if let claim = claims.first(where: { !$0.hops.isEmpty }) {
      let client = client(of: claim)
      if let endpoint = client.endpoint { address = endpoint.text }
      scheme = claim.scheme(ofHop: client.hop)
    }
    scheme = scheme ?? claims.lazy.compactMap { $0.schemes.last ?? nil }.first
    return .client(ForwardedClient(address: address, scheme: scheme ?? "http"))
  }

  /// In the order of their precedence.
  private func claims(_ lines: ProxyFields) -> [ProxyClaim] {
    var claims: [ProxyClaim] = []
    if fields == .any || fields == .forwarded {
      claims.append(ProxyClaim(forwarded: lines.forwarded))
    }
    if fields == .any || fields == .xForwarded {
      claims.append(ProxyClaim(addresses: lines.forwardedFor, schemes: lines.forwardedProto))
    }
    if fields == .any || fields == .xRealIP {
      claims.append(ProxyClaim(address: lines.realIP, scheme: lines.scheme))
    }
    return claims
  }

  private static func agree(_ values: [some Equatable]) -> Bool {
    values.dropFirst().allSatisfy { $0 == values[0] }
  }

  /// Walks from the nearest hop past the trusted ones.
  private func client(of claim: ProxyClaim) -> (endpoint: Endpoint?, hop: Int) {
    var found: (endpoint: Endpoint?, hop: Int) = (nil, claim.hops.count - 1)
    for index in claim.hops.indices.reversed() {
      guard let hop = claim.hops[index] else { break }
      found = (hop, index)
      guard contains(hop.address) else { break }
    }
    return found
  }
}
