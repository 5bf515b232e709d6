import EddyHTTP
import EddyJobs
import Glibc
import Logging
import Testing

@testable import eddyd

/// Files are read from a directory of each test's own.
@Suite final class SettingsTests {
  private let directory: String

  init() throws {
    var template = Array("/tmp/eddyd-tests.XXXXXX".utf8CString)
    directory = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit {
    unlink("\(directory)/c.json")
    rmdir(directory)
  }

  private func settings(_ text: String, bodyLimit: Int? = nil) async throws -> Settings {
    let path = "\(directory)/c.json"
    let file = try #require(fopen(path, "we"))
    fputs(text, file)
    fclose(file)
    var settings = Settings(threads: 2)
    try settings.apply(try await ConfigurationFile(path: path).root, bodyLimit: bodyLimit)
    return settings
  }

  private func flaw(_ text: String) async -> String {
    do {
      _ = try await settings(text)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func anEmptyObjectChangesNothing() async throws {
    let settings = try await settings("{}")
    #expect(settings.addresses == [])
    #expect(settings.drain == .seconds(30))
    #expect(settings.limits.body == 50 << 20)
    #expect(settings.builtins == [.sleep, .sha256])
    #expect(settings.tasks.isEmpty)
  }

  @Test func everyKeyOfTheServerIsTakenOver() async throws {
    let settings = try await settings(
      """
      {"listen": ["[::1]:80", "unix:/s"], "threads": 7, "drain": 0.5, "logLevel": "debug",
       "builtins": ["sha256"],
       "jobs": {"maximumQueued": 1, "memory": 6, "resultTimeToLive": 2, "tombstoneTimeToLive": 3,
         "defaultWait": 4, "maximumWait": 5},
       "limits": {"requestLine": 1, "fieldsSize": 2, "fieldCount": 3, "body": 4,
         "minimumBodyRate": 5, "requestsPerConnection": 6, "connections": 7, "headTimeout": 8,
         "bodyRateWindow": 9, "idleTimeout": 10, "writeTimeout": 0.25}}
      """)
    #expect(settings.addresses.map(\.text) == ["[::1]:80", "unix:/s"])
    #expect(settings.threads == 7)
    #expect(settings.drain == .milliseconds(500))
    #expect(settings.logLevel == .debug)
    #expect(settings.builtins == [.sha256])
    #expect(settings.jobs.maximumQueued == 1)
    #expect(settings.store.heldBytes == 6)
    #expect(settings.jobs.resultTimeToLive == .seconds(2))
    #expect(settings.jobs.tombstoneTimeToLive == .seconds(3))
    #expect(settings.jobs.defaultWait == .seconds(4))
    #expect(settings.jobs.maximumWait == .seconds(5))
    let limits = settings.limits
    #expect(
      [limits.requestLine, limits.fieldsSize, limits.fieldCount, limits.body] == [1, 2, 3, 4])
    #expect([limits.minimumBodyRate, limits.requestsPerConnection] == [5, 6])
    #expect(settings.connections == 7)
    #expect(limits.headTimeout == 8_000_000_000)
    #expect(limits.bodyRateWindow == 9_000_000_000)
    #expect(limits.idleTimeout == 10_000_000_000)
    #expect(limits.writeTimeout == 250_000_000)
  }

  @Test func theAccessLogIsOffUnlessTheFileNamesIt() async throws {
    #expect(try await settings("{}").accessLog == nil)
    #expect(
      try await settings(#"{"accessLog": {"path": "-"}}"#).accessLog
        == AccessLogSettings(destination: .standardOutput))
    #expect(
      try await settings(#"{"accessLog": {"path": "/a", "format": "json"}}"#).accessLog
        == AccessLogSettings(destination: .file("/a"), format: .json))
    for (text, advice) in [
      (#"{"accessLog": {}}"#, "accessLog has no \"path\"; write a path"),
      (#"{"accessLog": {"path": ""}}"#, "write a path"),
      (#"{"accessLog": {"path": "/a", "format": "common"}}"#, "write one of combined, json"),
      (#"{"accessLog": {"path": "/a", "formt": "json"}}"#, "did you mean \"format\""),
      (#"{"accessLog": "/a"}"#, "write an object"),
    ] {
      let flaw = await flaw(text)
      #expect(flaw.contains(advice), "\(flaw)")
    }
  }

  @Test func thisMachineIsTrustedUnlessTheFileSaysOtherwise() async throws {
    #expect(try await settings("{}").trustedProxies == .loopback)
    #expect(try await settings(#"{"trustedProxies": []}"#).trustedProxies.isEmpty)
    let settings = try await settings(
      #"{"trustedProxies": ["10.0.0.0/8", "unix:"], "proxyFields": "x-real-ip"}"#)
    #expect(
      settings.trustedProxies == (try TrustedProxies(["10.0.0.0/8", "unix:"], fields: .xRealIP)))
    let flaw = await flaw("{\n\"trustedProxies\": [\"10.0.0.1/8\"]}")
    #expect(flaw.contains("c.json:2: trustedProxies: '10.0.0.1/8' names"), "\(flaw)")
    let kind = await self.flaw(#"{"proxyFields": "x-client-ip"}"#)
    #expect(kind.contains("write one of any, forwarded, x-forwarded, x-real-ip"), "\(kind)")
  }

  @Test func everyKeyOfATaskIsTakenOver() async throws {
    let settings = try await settings(
      """
      {"tasks": {"a.b-c_1": {"command": ["sort", "-n"], "contentType": "text/plain",
        "timeLimit": 1.5, "graceTime": 0, "concurrency": 3, "queueLimit": 0, "bodyLimit": 4,
        "outputLimit": 5, "cancelsWhenAbandoned": true}}}
      """)
    let task = try #require(settings.tasks.first)
    #expect(task.name == "a.b-c_1")
    #expect(task.contentType == "text/plain")
    #expect(task.timeLimit == .milliseconds(1500))
    #expect([task.concurrency, task.queueLimit, task.bodyLimit, task.outputLimit] == [3, 0, 4, 5])
    #expect(task.cancelsWhenAbandoned)
  }

  @Test func foldersAreOpenedAndTheirPathsHaveNoSlashAtTheEnd() async throws {
    let settings = try await settings(
      #"{"static": {"/": "/tmp", "/a/": "/usr", "/a/b": "/usr/share"}, "builtins": []}"#)
    #expect(settings.folders.map(\.prefix) == ["/", "/a", "/a/b"])
    #expect(settings.folders.map(\.root) == ["/tmp", "/usr", "/usr/share"])
  }

  @Test(arguments: [
    (#"{"static": {"a": "/tmp"}}"#, "static.a: that is no path"),
    (#"{"static": {"/a{b}": "/tmp"}}"#, "that is no path"),
    (#"{"static": {"/a//b": "/tmp"}}"#, "that is no path"),
    (#"{"static": {"//": "/tmp"}}"#, "that is no path"),
    (#"{"static": {"/../a": "/tmp"}}"#, "that is no path"),
    (#"{"static": {"/a%20b": "/tmp"}}"#, "that is no path"),
    (#"{"static": {"": "/tmp"}}"#, "that is no path"),
    (#"{"static": {"/a": "/tmp", "/a/": "/usr"}}"#, "\"/a\" is there already"),
    (#"{"static": {"/tasks": "/tmp"}}"#, "/tasks is where eddyd's jobs are"),
    (#"{"static": {"/jobs/a": "/tmp"}}"#, "/jobs is where eddyd's jobs are"),
    (#"{"static": {"/a": "/nonexistent"}}"#, "/nonexistent can't be served: no such file"),
    (#"{"static": {"/a": "/etc/passwd"}}"#, "/etc/passwd can't be served: not a directory"),
    (#"{"static": {"/a": 1}}"#, "is 1, a number; write the path of the folder"),
    (#"{"static": ["/a"]}"#, "static holds an array"),
  ])
  func aFolderThatCannotBeServedIsAFlaw(_ text: String, _ expected: String) async {
    let flaw = await flaw(text)
    #expect(flaw.contains("c.json:1: static") && flaw.contains(expected), "\(flaw)")
  }

  @Test func aWaitThatIsNotGivenStaysWithinTheLongest() async throws {
    #expect(try await settings(#"{"jobs": {"maximumWait": 10}}"#).jobs.defaultWait == .seconds(10))
  }

  @Test func theBodyLimitOfAFlagCountsForTheTasks() async throws {
    let text = #"{"tasks": {"a": {"command": ["sort"], "bodyLimit": 1000}}}"#
    #expect(try await settings(text, bodyLimit: 1000).tasks.first?.bodyLimit == 1000)
    await #expect(throws: ConfigurationError.self) { try await self.settings(text, bodyLimit: 999) }
    let silent = #"{"tasks": {"a": {"command": ["sort"]}}}"#
    #expect(try await settings(silent, bodyLimit: 10).tasks.first?.bodyLimit == 10)
  }

  @Test func anAbsentProgramIsAFlawUnlessTheTaskIsOptional() async throws {
    let settings = try await settings(
      #"{"tasks": {"a": {"command": ["/nonexistent/a"], "optional": true}}}"#)
    #expect(settings.tasks.isEmpty)
    #expect(settings.remarks == ["task 'a' is left out: '/nonexistent/a' does not exist"])
    let flaw = await flaw(#"{"tasks": {"a": {"command": ["/nonexistent/a"]}}}"#)
    #expect(flaw.contains("c.json:1: tasks.a.command: '/nonexistent/a' does not exist"))
  }

  @Test func aFlawNamesFileLineKeyValueAndWhatWouldBeRight() async {
    let flaw = await flaw(
      "{\n \"tasks\": {\n  \"a\": {\"command\": [\"sort\"],\n   \"timeLimit\": \"10s\"}}}")
    #expect(
      flaw == "\(directory)/c.json:4: tasks.a.timeLimit is \"10s\", a string; "
        + "write seconds above 0, such as 10 or 0.5")
  }

  @Test func aKeyWithDotsIsNotTheNestedOne() async {
    let flaw = await flaw(#"{"jobs.maximumQueued": 1}"#)
    #expect(flaw.contains("unknown key"))
  }

  @Test func anArrayOfTasksIsAFlawOfItsOwn() async {
    let flaw = await flaw(#"{"tasks": [{"name": "a", "command": ["sort"]}]}"#)
    #expect(flaw.contains("tasks holds an array; write an object"))
  }
}
