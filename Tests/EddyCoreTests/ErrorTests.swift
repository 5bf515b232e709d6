import EddyCore
import Testing

@Suite struct ErrorTests {
  @Test func aCodeHasItsNameAndItsMeaning() {
    let error = EddyError(code: Int32(EDDY_EADDRINUSE))
    #expect(error.name == "EDDY_EADDRINUSE")
    #expect(error.description == "EDDY_EADDRINUSE: address already in use")
  }

  @Test func aNumberThatIsNoCodeIsSaidToBeUnknown() {
    #expect(EddyError(code: -9999).name == "EDDY_EUNKNOWN")
    #expect(EddyError(code: 7).name == "EDDY_OK")
  }
}
