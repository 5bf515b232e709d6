import Eddy
import Testing

@testable import EddyHTTP

/// Whose address and scheme a request has.
@Suite struct ForwardedClientTests {
  private static let proxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48", "unix:"]

  /// `address scheme`, or `none`, or `contradiction`.
  private func client(
    _ fields: ProxyFields, from peer: String = "127.0.0.1:5000",
    _ kind: TrustedProxies.Fields = .any
  ) throws -> String {
    switch try TrustedProxies(Self.proxies, fields: kind).finding(fields, from: peer) {
    case .nothing: "none"
    case .contradiction: "contradiction"
    case .client(let client): "\(client.address) \(client.scheme)"
    }
  }

  @Test func eachOfTheFieldsIsBelieved() throws {
    #expect(
      try client(ProxyFields(forwarded: ["for=192.0.2.1;proto=https"])) == "192.0.2.1 https")
    #expect(
      try client(ProxyFields(forwardedFor: ["192.0.2.1"], forwardedProto: ["HTTPS"]))
        == "192.0.2.1 https")
    #expect(
      try client(ProxyFields(realIP: ["2001:db8::1"], scheme: ["https"])) == "2001:db8::1 https")
    #expect(try client(ProxyFields(realIP: ["192.0.2.1"])) == "192.0.2.1 http")
    #expect(try client(ProxyFields(scheme: ["https"])) == "127.0.0.1:5000 https")
    #expect(try client(ProxyFields(scheme: ["gopher"])) == "127.0.0.1:5000 http")
    #expect(
      try client(ProxyFields(forwarded: [#"for="[2001:db8::1]:4711""#]), from: "unix:")
        == "[2001:db8::1]:4711 http")
  }

  @Test func anybodyElseIsNotBelieved() throws {
    let fields = ProxyFields(
      forwarded: ["for=192.0.2.1;proto=https"], forwardedFor: ["192.0.2.1"],
      forwardedProto: ["https"], realIP: ["192.0.2.1"], scheme: ["https"])
    #expect(try client(fields, from: "198.51.100.7:5000") == "none")
    #expect(try client(fields, from: "[2001:db8::5]:5000") == "none")
    #expect(try client(fields) == "192.0.2.1 https")
  }

  @Test func theListIsWalkedFromTheRightPastTrustedOnes() throws {
    func of(_ addresses: String...) throws -> String {
      try client(ProxyFields(forwardedFor: addresses))
    }
    #expect(try of("203.0.113.9, 192.0.2.1, 10.0.0.1") == "192.0.2.1 http")
    #expect(try of("203.0.113.9", "192.0.2.1,10.0.0.1", "10.0.0.2") == "192.0.2.1 http")
    #expect(try of("10.0.0.3, 10.0.0.2 ,,\t10.0.0.1") == "10.0.0.3 http")
    #expect(try of("203.0.113.9, unknown, 10.0.0.1") == "10.0.0.1 http")
    #expect(try of("192.0.2.1, garbage") == "127.0.0.1:5000 http")
    #expect(
      try client(
        ProxyFields(forwarded: [
          "for=203.0.113.9;proto=http, for=192.0.2.1;proto=https, for=10.0.0.1"
        ])
      ) == "192.0.2.1 https")
  }

  @Test func aSchemeBelongsToItsHopWhereEachHasOne() throws {
    #expect(
      try client(
        ProxyFields(forwardedFor: ["192.0.2.1, 10.0.0.1"], forwardedProto: ["https, http"]))
        == "192.0.2.1 https")
    #expect(
      try client(ProxyFields(forwardedFor: ["192.0.2.1, 10.0.0.1"], forwardedProto: ["https"]))
        == "192.0.2.1 https")
    #expect(
      try client(ProxyFields(forwardedFor: ["192.0.2.1"], forwardedProto: ["https, http"]))
        == "192.0.2.1 http")
  }

  @Test func fieldsThatAgreeHaveAPrecedence() throws {
    // nginx appends to X-Forwarded-For the address that it writes into X-Real-IP.
    #expect(
      try client(ProxyFields(forwardedFor: ["192.0.2.1, 10.0.0.1"], realIP: ["10.0.0.1"]))
        == "192.0.2.1 http")
    #expect(
      try client(
        ProxyFields(
          forwarded: ["for=198.51.100.1, for=10.0.0.1"], forwardedFor: ["192.0.2.1, 10.0.0.1"]))
        == "198.51.100.1 http")
  }

  @Test func fieldsThatContradictEachOtherAreNotBelieved() throws {
    let spoofed = "203.0.113.9"
    let real = "192.0.2.1"
    for fields in [
      ProxyFields(forwarded: ["for=\(spoofed)"], forwardedFor: [real], realIP: [real]),
      ProxyFields(forwardedFor: [spoofed], realIP: [real]),
      ProxyFields(forwardedFor: [real], realIP: [spoofed]),
      ProxyFields(forwarded: ["for=_hidden"], realIP: [real]),
      ProxyFields(forwarded: [#"for=""#], realIP: [real]),
      ProxyFields(forwardedProto: ["https"], realIP: [real], scheme: ["http"]),
    ] {
      #expect(try client(fields) == "contradiction", "\(fields)")
    }
  }

  @Test func withOneKindOfFieldsTheOthersAreNeverLookedAt() throws {
    let fields = ProxyFields(
      forwarded: ["for=192.0.2.1;proto=https"], forwardedFor: ["192.0.2.2"],
      forwardedProto: ["http"], realIP: ["192.0.2.3"], scheme: ["https"])
    #expect(try client(fields, .forwarded) == "192.0.2.1 https")
    #expect(try client(fields, .xForwarded) == "192.0.2.2 http")
    #expect(try client(fields, .xRealIP) == "192.0.2.3 https")
    #expect(try client(ProxyFields(forwarded: ["for=192.0.2.1"]), .xRealIP) == "none")
  }

  @Test func aClientsOpenQuotationMarkDoesNotSwallowTheProxysPart() throws {
    // On a line of its own the proxy's part counts.
    #expect(
      try client(ProxyFields(forwarded: [#"for=""#, "for=192.0.2.1"])) == "192.0.2.1 http")
    #expect(try client(ProxyFields(forwarded: [#"for=", for=192.0.2.1"#])) == "127.0.0.1:5000 http")
    #expect(
      try client(ProxyFields(forwarded: ["for=203.0.113.9", #"x=", for=192.0.2.1"#]))
        == "127.0.0.1:5000 http")
  }

  @Test func ofSeveralLinesOfARealAddressNoneIsBelieved() throws {
    #expect(try client(ProxyFields(realIP: ["203.0.113.9", "192.0.2.1"])) == "127.0.0.1:5000 http")
  }

  // MARK: Through a server

  private func server(_ proxies: TrustedProxies) async throws -> TestServer {
    try await TestServer(trustedProxies: proxies) { router, loop in
      router.get("/who") { request in
        .text("\(request.remoteAddress ?? "none") \(request.scheme)")
      }
      router.get("/late") { request in
        try await loop.sleep(for: .milliseconds(1))
        return .text("\(request.remoteAddress ?? "none") \(request.scheme)")
      }
      router.post("/who") { request in .text("\(request.remoteAddress ?? "none")") }
    }
  }

  @Test func aHandlerSeesTheClientOfATrustedProxy() async throws {
    let server = try await server(.loopback)
    let client = try server.client()
    let fields = ["x-fORWARDED-for: 203.0.113.9, 192.0.2.1", "X-Forwarded-Proto: https"]
    for path in ["/who", "/late"] {
      #expect(try await client.request("GET", path, fields: fields).text == "192.0.2.1 https")
    }
    #expect(
      try await client.request("POST", "/who", fields: ["Forwarded: for=192.0.2.7"], body: [1]).text
        == "192.0.2.7")
    // Nothing stays on the connection.
    #expect(try await client.request("GET", "/who").text.hasPrefix("127.0.0.1:"))
    #expect(server.log.entries.isEmpty)
  }

  @Test(arguments: [TrustedProxies.none, try! TrustedProxies(["10.0.0.0/8", "::1", "unix:"])])
  func aHandlerDoesNotSeeWhatAStrangerWrites(_ proxies: TrustedProxies) async throws {
    let server = try await server(proxies)
    let client = try server.client()
    let fields = [
      "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Real-IP: 192.0.2.1",
      "X-Scheme: https", "Forwarded: for=192.0.2.1;proto=https",
    ]
    let text = try await client.request("GET", "/who", fields: fields).text
    #expect(text.hasPrefix("127.0.0.1:") && text.hasSuffix(" http"))
  }

  @Test func aContradictionIsReportedOnce() async throws {
    let server = try await server(.loopback)
    let client = try server.client()
    for _ in 0..<3 {
      let text = try await client.request(
        "GET", "/who", fields: ["X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.2"]
      ).text
      #expect(text.hasPrefix("127.0.0.1:") && text.hasSuffix(" http"))
    }
    #expect(server.log.entries.count == 1)
    #expect(server.log.entries.first?.contains("TrustedProxies.fields") == true)
  }
}
