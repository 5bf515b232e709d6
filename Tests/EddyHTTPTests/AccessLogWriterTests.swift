import FoundationEssentials
import Glibc
import Testing

@testable import EddyHTTP

/// How lines reach their file.
@Suite struct AccessLogWriterTests {
  private let directory = AccessLogDirectory()
  private var reports: [String] { directory.reports.entries }

  private func append(_ log: AccessLog, _ lines: String...) {
    for line in lines { log.queue.append(Array("\(line)\n".utf8)) }
  }

  @Test func linesAreWrittenSoon() async throws {
    let log = try directory.open()
    append(log, "a", "b")
    #expect(try await directory.eventually { directory.lines() == ["a", "b"] })
    append(log, "c")
    #expect(log.close(within: .seconds(5)))
    #expect(directory.lines() == ["a", "b", "c"])
    #expect(log.droppedLines == 0)
  }

  @Test func anExistingFileIsAppendedTo() throws {
    for line in ["a", "b"] {
      let log = try directory.open()
      append(log, line)
      #expect(log.close(within: .seconds(5)))
    }
    #expect(directory.lines() == ["a", "b"])
  }

  @Test func whatComesAfterTheEndIsDropped() throws {
    let log = try directory.open()
    #expect(log.close(within: .seconds(5)))
    append(log, "a")
    #expect(log.droppedLines == 1)
    #expect(log.close(within: .seconds(5)))
  }

  @Test func aLogThatNobodyHoldsWritesItsLines() async throws {
    append(try directory.open(), "a")
    #expect(try await directory.eventually { directory.lines() == ["a"] })
  }

  @Test func afterARotationLinesGoToTheNewFile() async throws {
    let log = try directory.open()
    append(log, "a")
    #expect(try await directory.eventually { directory.lines() == ["a"] })
    rename(directory.file, "\(directory.path)/access.log.1")
    append(log, "b")
    #expect(try await directory.eventually { directory.lines(of: "access.log.1") == ["a", "b"] })
    append(log, "c")
    log.reopen()
    #expect(try await directory.eventually { access(directory.file, F_OK) == 0 })
    append(log, "d")
    #expect(log.close(within: .seconds(5)))
    #expect(directory.lines(of: "access.log.1") + directory.lines() == ["a", "b", "c", "d"])
    #expect(directory.lines().contains("d"))
    #expect(reports == [])
  }

  @Test func aDeletedFileIsMadeAnew() async throws {
    let log = try directory.open()
    append(log, "a")
    #expect(try await directory.eventually { directory.lines() == ["a"] })
    unlink(directory.file)
    append(log, "b")
    #expect(try await directory.eventually { directory.lines() == ["b"] })
    #expect(log.close(within: .seconds(5)))
  }

  @Test func aVanishedDirectoryIsReportedOnceAndRecovers() async throws {
    let log = try directory.open()
    append(log, "a")
    #expect(try await directory.eventually { directory.lines() == ["a"] })
    try FileManager.default.removeItem(atPath: directory.path)
    append(log, "b")
    #expect(try await directory.eventually { !directory.reports.entries.isEmpty })
    append(log, "c")
    log.reopen()
    try await Task.sleep(for: .milliseconds(1200))
    #expect(reports.count == 1 && reports[0].hasPrefix("error "))
    #expect(reports[0].contains("make its directory") && reports[0].contains(directory.file))
    mkdir(directory.path, 0o755)
    #expect(try await directory.eventually { directory.lines() == ["b", "c"] })
    #expect(log.close(within: .seconds(5)))
    #expect(reports.count == 2 && reports[1].hasPrefix("notice "))
    #expect(log.droppedLines == 0)
  }

  @Test func aRotationThatFailsKeepsTheOldFile() async throws {
    let log = try directory.open()
    let moved = AccessLogDirectory()
    rename(directory.file, "\(moved.path)/access.log")
    try FileManager.default.removeItem(atPath: directory.path)
    log.reopen()
    append(log, "a")
    #expect(try await directory.eventually { moved.lines() == ["a"] })
    #expect(try await directory.eventually { directory.reports.entries.count == 1 })
    mkdir(directory.path, 0o755)
    #expect(try await directory.eventually { access(directory.file, F_OK) == 0 })
    append(log, "b")
    #expect(log.close(within: .seconds(5)))
    #expect(moved.lines() == ["a"] && directory.lines() == ["b"])
  }

  @Test func aFullDiskIsReportedOnceAndRecovers() async throws {
    symlink("/dev/full", directory.file)
    let log = try directory.open(capacity: 100)
    append(log, "a")
    #expect(try await directory.eventually { !directory.reports.entries.isEmpty })
    append(log, "b")
    try await Task.sleep(for: .milliseconds(1200))
    #expect(reports.count == 1 && reports[0].contains("make room"), "\(reports)")
    for number in 0..<100 { append(log, "line \(number)") }
    #expect(log.droppedLines > 0)
    unlink(directory.file)
    log.reopen()
    #expect(
      try await directory.eventually { directory.lines().starts(with: ["a", "b", "line 0"]) })
    #expect(try await directory.eventually { directory.reports.entries.count == 2 })
    #expect(log.close(within: .seconds(5)))
    #expect(reports[1].contains("written again") && reports[1].contains("\(log.droppedLines)"))
    #expect(directory.lines().count + log.droppedLines == 102)
  }

  @Test func aFullDiskDoesNotHoldUpTheEnd() async throws {
    symlink("/dev/full", directory.file)
    let log = try directory.open()
    append(log, "a", "b")
    #expect(log.close(within: .seconds(5)))
    #expect(log.droppedLines == 2)
  }

  @Test func aSlowReaderCostsLinesAndNeverTheLoopsTime() async throws {
    mkfifo(directory.file, 0o600)
    let reader = Glibc.open(directory.file, O_RDONLY | O_NONBLOCK)
    defer { Glibc.close(reader) }
    let log = try directory.open(capacity: 10_000)
    let line = String(repeating: "x", count: 99)
    let begin = ContinuousClock.now
    // 1 MB: a pipe holds 64 KiB (pipe(7)).
    let total = 10_000
    for _ in 0..<total { append(log, line) }
    #expect(ContinuousClock.now - begin < .seconds(5))
    #expect(log.droppedLines > 0)
    var received = 0
    var buffer = [UInt8](repeating: 0, count: 65_536)
    func drain() {
      while true {
        let count = read(reader, &buffer, buffer.count)
        guard count > 0 else { return }
        received += buffer[..<count].count { $0 == UInt8(ascii: "\n") }
      }
    }
    for _ in 0..<500 where received + log.droppedLines < total {
      drain()
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(received + log.droppedLines == total)
    #expect(log.close(within: .seconds(5)))
    #expect(reports.contains { $0.contains("dropped") }, "\(reports)")
  }

  @Test func aReaderThatIsGoneDoesNotEndTheProcess() async throws {
    mkfifo(directory.file, 0o600)
    let reader = Glibc.open(directory.file, O_RDONLY | O_NONBLOCK)
    let log = try directory.open()
    Glibc.close(reader)
    append(log, "a")
    #expect(try await directory.eventually { directory.reports.entries.count == 1 })
    #expect(reports[0].contains("start it again"), "\(reports)")
    #expect(log.close(within: .seconds(5)))
  }

  @Test func whatCannotBeOpenedIsSaidAtOnce() throws {
    let failure = #expect(throws: AccessLog.OpenFailure.self) {
      try AccessLog(.file("/nonexistent/access.log"))
    }
    #expect(
      failure?.description
        == "cannot open the access log '/nonexistent/access.log': No such file or directory; "
        + "make its directory, or name a path in one that exists")
    #expect(throws: AccessLog.OpenFailure.self) { try AccessLog(.file(directory.path)) }
  }

  @Test func othersMayNotReadTheFile() throws {
    let log = try directory.open()
    #expect(log.close(within: .seconds(5)))
    var status = stat()
    #expect(stat(directory.file, &status) == 0)
    #expect(status.st_mode & 0o007 == 0)
  }
}
