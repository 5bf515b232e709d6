import EddyCore
import Testing

/// The text of an address.
func text(_ address: eddy_address) -> String {
  var address = address
  var buffer = [CChar](repeating: 0, count: 128)
  let length = eddy_address_format(&address, &buffer, buffer.count)
  precondition(length > 0)
  return String(decoding: buffer[..<Int(length)].map(UInt8.init(bitPattern:)), as: UTF8.self)
}

@Suite struct AddressTests {
  @Test(arguments: ["127.0.0.1:80", "[::1]:65535", "[fe80::1%4000000000]:0"])
  func whatIsReadIsWrittenAgain(_ original: String) {
    var address = eddy_address()
    #expect(eddy_address_parse(original, &address) == 0)
    #expect(text(address) == original)
  }

  @Test(arguments: ["127.0.0.1", "localhost:80", "[fe80::1%no-such-zone]:80", "unix:/tmp/x"])
  func textThatIsNoAddressIsRefused(_ original: String) {
    var address = eddy_address()
    #expect(eddy_address_parse(original, &address) == EDDY_EADDRFORMAT)
  }
}
