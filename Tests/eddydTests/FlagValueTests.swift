import Testing

@testable import eddyd

@Suite struct FlagValueTests {
  @Test(arguments: [
    ("0", Duration.zero), ("30", .seconds(30)), ("0.25", .milliseconds(250)),
    ("1.5", .seconds(1.5)),
  ])
  func secondsAreDecimal(_ text: String, _ expected: Duration) {
    #expect(Seconds(text)?.duration == expected)
  }

  @Test(arguments: [
    "", "-1", "+1", "1s", "1e3", "0x1", ".5", "1.", "1.2.3", "nan", "inf", "1e999",
    " 1", "99999999999999999999", "１",
  ])
  func whatIsNoTimeIsRefused(_ text: String) {
    #expect(Seconds(text) == nil)
  }

  @Test(arguments: [
    ("0", 0), ("1048576", 1 << 20), ("64K", 64 << 10), ("50M", 50 << 20), ("2g", 2 << 30),
  ])
  func bytesHaveUnits(_ text: String, _ expected: Int) {
    #expect(ByteCount(text)?.bytes == expected)
  }

  @Test(arguments: [
    "", "K", "-1", "1.5M", "1T", "M1", "9223372036854775807K", "99999999999999999999",
  ])
  func whatIsNoNumberOfBytesIsRefused(_ text: String) {
    #expect(ByteCount(text) == nil)
  }

  @Test(arguments: [
    "127.0.0.1:8888", "[::1]:0", "localhost:65535", "unix:/run/s", "0.0.0.0:1", "unix:relative",
  ])
  func anAddressHasAHostAndAPortOrAPath(_ text: String) throws {
    #expect(try ListenAddress(text).text == text)
  }

  @Test(arguments: [
    "", "8888", ":8888", "localhost", "localhost:", "localhost:x", "localhost:65536", "a:-1",
    "::1:8888", "unix:", "unix:" + String(repeating: "a", count: 108), "[::1]", "[]:1",
  ])
  func whatIsNoAddressIsRefused(_ text: String) {
    #expect(throws: ListenAddress.Flaw.self) { try ListenAddress(text) }
  }

  @Test func aHostNeedsNoBrackets() throws {
    #expect(try ListenAddress(host: "::1", port: 80).text == "[::1]:80")
    #expect(try ListenAddress(host: "[::1]", port: 80).text == "[::1]:80")
  }

  @Test func anAddressIsResolvedToWhatTheReactorTakes() throws {
    #expect(try ListenAddress("127.0.0.1:80").resolved() == ["127.0.0.1:80"])
    #expect(try ListenAddress("[0:0::1]:80").resolved() == ["[::1]:80"])
    #expect(try ListenAddress("unix:/run/s").resolved() == ["unix:/run/s"])
    #expect(try ListenAddress("localhost:80").resolved().contains("127.0.0.1:80"))
  }
}
