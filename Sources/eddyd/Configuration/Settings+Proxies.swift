import EddyHTTP

extension Settings {
  /// `trustedProxies` and `proxyFields`.
  mutating func applyProxies(_ root: ConfigurationSection) throws {
    let what =
      "an array of addresses and networks, such as [\"127.0.0.1\", \"10.0.0.0/8\", \"unix:\"]; "
      + "[] for none"
    let kinds = TrustedProxies.Fields.allCases.map(\.rawValue)
    let choice = "one of \(kinds.joined(separator: ", "))"
    if let networks = try root.strings("trustedProxies", what) {
      do {
        trustedProxies = try TrustedProxies(networks)
      } catch {
        throw root.flaw("trustedProxies", "\(error)")
      }
    }
    if let name = try root.string("proxyFields", choice) {
      guard let fields = TrustedProxies.Fields(rawValue: name) else {
        throw root.wrong("proxyFields", "write \(choice)")
      }
      trustedProxies.fields = fields
    }
  }
}
