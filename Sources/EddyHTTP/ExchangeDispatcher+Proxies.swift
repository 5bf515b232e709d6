import EddyHTTPCore
import Logging

extension ExchangeDispatcher {
  /// Who has sent a request, if that is somebody else than the connection's other end.
  func forwardedClient(_ exchange: Exchange, _ head: borrowing RequestHead) -> ForwardedClient? {
    let fields = ProxyFields(head)
    guard !fields.isEmpty, let peer = peer(of: exchange) else { return nil }
    switch proxies.finding(fields, from: peer) {
    case .nothing: return nil
    case .client(let client): return client
    case .contradiction:
      reportContradiction()
      return nil
    }
  }

  /// Once: whoever sends forged fields must not be able to fill the log.
  private func reportContradiction() {
    guard !hasReportedContradiction else { return }
    hasReportedContradiction = true
    logger.warning(
      """
      Fields of a trusted proxy name different clients or schemes (Forwarded, X-Forwarded-*, \
      X-Real-IP, X-Scheme), so none is believed: one is the client's own. Let the proxy remove \
      those that it does not write, or say which it writes (TrustedProxies.fields; eddyd's \"proxyFields\").
      """)
  }
}
