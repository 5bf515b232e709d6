import Testing

@testable import EddyHTTP

@Suite struct TrustedProxiesTests {
  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:80", "192.0.2.1:80"), ("2001:DB8:0::1", "2001:db8::1"),
    ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:80", "[2001:db8::1]:80"),
    ("[::ffff:192.0.2.1]:80", "192.0.2.1:80"), ("[fe80::1%1]:9", "[fe80::1]:9"),
    ("192.0.2.1:_port", "192.0.2.1"),
  ])
  func endpointsAreRead(_ text: String, _ want: String) {
    #expect(Endpoint(text)?.text == want)
  }

  @Test(arguments: [
    "", "unknown", "_hidden", "192.0.2", "192.0.2.256", "192.0.2.1 ", "1:2:3", "[192.0.2.1]:80",
    "[2001:db8::1", "[2001:db8::1]x", ":80", "example.org", "192.0.2.1/8", "010.0.0.1",
  ])
  func whatIsNoEndpointIsNone(_ text: String) {
    #expect(Endpoint(text) == nil)
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1:1", true), ("10.0.0.0/8", "11.0.0.1:1", false),
    ("10.0.0.0/8", "[::ffff:10.0.0.1]:1", true), ("::ffff:10.0.0.0/104", "10.9.9.9:1", true),
    ("0.0.0.0/0", "[2001:db8::1]:1", false), ("::/0", "10.0.0.1:1", false),
    ("192.0.2.1", "192.0.2.1:5", true), ("192.0.2.1", "192.0.2.2:5", false),
    ("fd00::/8", "[fdff::1]:1", true), ("fd00::/8", "[fe00::1]:1", false),
    ("2001:db8::1/128", "[2001:db8::1]:1", true), ("2001:db8::1/128", "[2001:db8::2]:1", false),
    ("unix:", "unix:", true), ("unix:", "unix:/run/x", true), ("unix:", "127.0.0.1:1", false),
    ("127.0.0.1", "unix:", false),
  ])
  func networksHoldTheirOwn(_ network: String, _ peer: String, _ isTrusted: Bool) throws {
    #expect(try TrustedProxies([network]).contains(peer: peer) == isTrusted)
  }

  @Test func theLoopbackIsThisMachine() {
    let loopback = TrustedProxies.loopback
    for peer in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix:"] {
      #expect(loopback.contains(peer: peer), "\(peer)")
    }
    for peer in ["128.0.0.1:1", "[::2]:1", "192.168.0.1:1"] {
      #expect(!loopback.contains(peer: peer), "\(peer)")
    }
    #expect(TrustedProxies.none.isEmpty && !loopback.isEmpty)
  }

  @Test(arguments: [
    ("localhost", "write an address"), ("10.0.0.0/33", "0 to 32"), ("::/129", "0 to 128"),
    ("10.0.0.0/", "0 to 32"), ("10.0.0.0/-1", "0 to 32"), ("10.0.0.1/8", "own address"),
    ("unix:/run/x", "unix: for"), ("fe80::1%lo", "write an address"), ("", "write an address"),
    ("::ffff:10.0.0.0/8", "96 to 128"), ("10.0.0.0:80", "write an address"),
  ])
  func aFlawSaysWhatWouldBeRight(_ network: String, _ advice: String) {
    let flaw = #expect(throws: TrustedProxies.Flaw.self) { try TrustedProxies([network]) }
    #expect(flaw?.description.contains("'\(network)'") == true || network.contains("/"))
    #expect(flaw?.description.contains(advice) == true, "\(flaw?.description ?? "")")
  }

  @Test func forwardedElementsAreRead() {
    typealias Element = ForwardedElements.Element
    #expect(
      ForwardedElements.parse(
        #"for="[2001:db8:cafe::17]:4711";PROTO=https;by=203.0.113.43 , FOR=192.0.2.60,, host=a;for=_x"#
      )
        == [
          Element(for: "[2001:db8:cafe::17]:4711", proto: "https"), Element(for: "192.0.2.60"),
          Element(for: "_x"),
        ])
    #expect(ForwardedElements.parse(#"for="a\"b,c;d""#) == [Element(for: #"a"b,c;d"#)])
    #expect(ForwardedElements.parse("for=192.0.2.1:80") == [Element(for: "192.0.2.1:80")])
    #expect(ForwardedElements.parse("for=a;;proto=http;") == [Element(for: "a", proto: "http")])
    #expect(ForwardedElements.parse("") == [])
    #expect(ForwardedElements.parse(" , ,") == [])
  }

  @Test(arguments: [
    #"for=""#, #"for="a"#, #"for="a\"#, "for", "for=", "=a", "for = a", "for=a for=b",
    "for=a;for=b",
    #"for="a"b"#, "192.0.2.1", ";", "for=a, proto",
  ])
  func aMalformedLineOfForwardedIsNone(_ line: String) {
    #expect(ForwardedElements.parse(line) == nil)
  }
}
