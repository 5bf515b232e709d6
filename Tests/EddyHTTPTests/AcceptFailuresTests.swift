import Eddy
import Logging
import Testing

@testable import EddyHTTP

@Suite struct AcceptFailuresTests {
  @Test func failuresAreReportedAtOnceAndThenOnceAMinute() {
    let log = Log()
    var failures = AcceptFailures(logger: Logger(label: "test") { _ in LogRecorder(log: log) })
    let second: UInt64 = 1_000_000_000
    let noDescriptors = EddyError(code: -10)
    failures.add(noDescriptors, now: 5 * second)
    #expect(log.entries.count == 1)
    #expect(
      log.entries[0].hasPrefix(
        "warning Accepting a connection failed: out of file descriptors in this process."))
    for tenth in 1..<600 {
      failures.add(noDescriptors, now: 5 * second + UInt64(tenth) * second / 10)
    }
    #expect(log.entries.count == 1)
    failures.add(noDescriptors, now: 65 * second)
    #expect(log.entries.count == 2)
    #expect(log.entries[1].contains("600"))
  }
}
