import Testing

@testable import eddyd

@Suite struct DescriptorLimitTests {
  @Test func connectionsLeaveTheCommandsTheirDescriptors() {
    #expect(DescriptorLimit(count: 1024).connections(besides: 0) == 1000)
    #expect(DescriptorLimit(count: 1024).connections(besides: 4) == 972)
  }

  @Test func commandsLeaveHalfToTheConnections() {
    #expect(DescriptorLimit(count: 1024).connections(besides: 10_000) == 512)
    #expect(DescriptorLimit(count: 40).connections(besides: 2) == 20)
  }

  @Test func aConnectionMayTakeAFileToo() {
    #expect(DescriptorLimit(count: 1024).connections(besides: 0, descriptorsEach: 2) == 500)
  }
}
