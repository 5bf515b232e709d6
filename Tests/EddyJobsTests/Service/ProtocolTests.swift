import Glibc
import Testing

@testable import EddyJobs

/// DESIGN §6's table, line by line, over real sockets.
@Suite struct ProtocolTests {
  // MARK: POST /tasks/{name}

  @Test func aSubmissionIsAnswered202AtOnce() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let response = try server.request("POST", "/tasks/gate", body: "hello")
    #expect(response.status == 202)
    let location = try #require(response["location"])
    #expect(location.hasPrefix("/jobs/") && location.count == 6 + 32)
    #expect(response["retry-after"] == "1")
    #expect(response["cache-control"] == "no-store")
    #expect(response["preference-applied"] == nil)
    #expect(response.string("id") == String(location.dropFirst(6)))
    #expect(response.string("state") == "running")
    gate.open()
    let result = try server.request("GET", location + "/result")
    #expect(result.status == 200 && result.text == "hello")
    #expect(result["content-type"] == "text/plain")
    #expect(result["x-content-type-options"] == "nosniff")
  }

  @Test func aClientThatWaitsGetsItsResultInOneRequest() throws {
    let server = try JobServer()
    let response = try server.request(
      "POST", "/tasks/sha256", headers: ["Prefer": "respond-async, wait=10"], body: "abc")
    #expect(response.status == 200)
    #expect(
      response.text == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let location = try #require(response["content-location"])
    #expect(location.hasSuffix("/result"))
    #expect(response["preference-applied"] == "respond-async, wait=10")
    #expect(try server.request("GET", location).text == response.text)
  }

  @Test func aClientThatHasWaitedLongEnoughGets202() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let clock = ContinuousClock()
    let start = clock.now
    let response = try server.request(
      "POST", "/tasks/gate", headers: ["Prefer": "wait=1"], body: "x")
    #expect(clock.now - start >= .seconds(1))
    #expect(response.status == 202 && response["location"] != nil)
    #expect(response["preference-applied"] == "wait=1")
    gate.open()
    #expect(try server.request("GET", response["location"]! + "/result").text == "x")
  }

  @Test func aPreferenceForALongerWaitThanAllowedIsHonouredInPart() throws {
    let server = try JobServer()
    let response = try server.request(
      "POST", "/tasks/sha256", headers: ["Prefer": "wait=9999"], body: "x")
    #expect(response.status == 200 && response["preference-applied"] == "wait=180")
  }

  @Test func badPreferencesAreIgnored() throws {
    let server = try JobServer()
    let response = try server.request(
      "POST", "/tasks/sleep", headers: ["Prefer": "wait=abc, \"x"], body: "0")
    #expect(response.status == 202 && response["preference-applied"] == nil)
  }

  @Test func theSameKeyIsTheSameJobEvenWhileItRuns() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let key = ["Idempotency-Key": "8e03978e-40d5"]
    let location = try server.submit("gate", "x", headers: key)
    #expect(try server.submit("gate", "x", headers: key) == location)
    let other = try server.request("POST", "/tasks/gate", headers: key, body: "y")
    #expect(other.isProblem(422, type: "idempotency-key-reused"))
    gate.open()
    let ended = try server.request(
      "POST", "/tasks/gate", headers: key.merging(["Prefer": "wait=10"]) { $1 }, body: "x")
    #expect(ended.status == 200 && ended.text == "x")
    #expect(ended["content-location"] == location + "/result")
    #expect(gate.entered == 1)
    #expect(server.statistics.submitted == 1 && server.statistics.replayed == 2)
  }

  @Test func theSameKeyOnManyConnectionsAtOnceIsOneJob() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let clients = try (0..<20).map { _ in try server.client() }
    // Above 64 KiB the digest is made in pieces, so that they overtake each other.
    let body = String(repeating: "x", count: 100_000)
    for client in clients {
      try client.send("POST", "/tasks/gate", headers: ["Idempotency-Key": "k"], body: body)
    }
    let locations = try clients.map { try $0.receive()["location"] }
    #expect(Set(locations).count == 1 && locations[0] != nil)
    gate.open()
    #expect(gate.entered == 1)
  }

  @Test func aLargeBodyWithAKeyDoesNotWaitForTheBusyPool() throws {
    let release = CancellationFlag()
    let server = try JobServer(tasks: { _ in
      [
        .function("long") { context in
          while !release.isRaised { usleep(1_000) }
          return TaskOutput(context.input)
        }
      ]
    })
    defer { release.raise() }
    for number in 0..<2 { _ = try server.submit("long", "\(number)") }
    let body = String(repeating: "x", count: 1_000_000)
    let clock = ContinuousClock()
    let start = clock.now
    let location = try server.submit("long", body, headers: ["Idempotency-Key": "k"])
    #expect(clock.now - start < .seconds(10))
    #expect(try server.submit("long", body, headers: ["Idempotency-Key": "k"]) == location)
  }

  @Test(arguments: ["", String(repeating: "k", count: 256), "a b", "ä"])
  func aBadKeyIsRefused(_ key: String) throws {
    let server = try JobServer()
    let response = try server.request(
      "POST", "/tasks/sha256", headers: ["Idempotency-Key": key], body: "x")
    #expect(response.isProblem(400, type: "bad-idempotency-key"))
    #expect(server.statistics.submitted == 0)
  }

  @Test func anUnknownTaskIs404AndAnotherVerb405() throws {
    let server = try JobServer()
    #expect(
      try server.request("POST", "/tasks/nothing", body: "x").isProblem(404, type: "unknown-task"))
    let get = try server.request("GET", "/tasks/sha256")
    #expect(get.isProblem(405))
    #expect(get["allow"]?.contains("POST") == true)
    let put = try server.request("PUT", "/jobs/\(JobID().hex)", body: "x")
    #expect(put.isProblem(405) && put["allow"]?.contains("DELETE") == true)
  }

  @Test func anInputThatIsSeenToBeWrongIsNoJob() throws {
    let server = try JobServer()
    for body in ["abc", "", "-1", "3601", "1 2"] {
      #expect(try server.request("POST", "/tasks/sleep", body: body).isProblem(422))
    }
    #expect(server.statistics.submitted == 0)
    #expect(
      try server.request(
        "POST", "/tasks/sleep", headers: ["Prefer": "wait=5"], body: " 0.01\n"
      ).text == "slept 0.01 s\n")
  }

  @Test func aBodyOverTheTasksLimitIs413() throws {
    let server = try JobServer()
    let response = try server.request(
      "POST", "/tasks/sleep", body: String(repeating: "1", count: 1_025))
    #expect(response.isProblem(413))
    #expect(server.statistics.submitted == 0)
  }

  @Test func whenTooManyWaitTheAnswerIs429() throws {
    let gate = Gate()
    let server = try JobServer(
      tasks: { _ in
        [
          gate.task("narrow", concurrency: 1).with { $0.queueLimit = 2 },
          gate.task("other", concurrency: 1),
        ]
      }, configure: { $0.maximumQueued = 3 })
    for _ in 0..<3 { _ = try server.submit("narrow", "x") }
    let narrow = try server.request("POST", "/tasks/narrow", body: "x")
    #expect(narrow.isProblem(429, type: "queue-full"))
    #expect(narrow["retry-after"] == "1")
    for _ in 0..<2 { _ = try server.submit("other", "x") }
    let total = try server.request("POST", "/tasks/other", body: "x")
    #expect(total.isProblem(429) && total.string("detail")?.contains("3 jobs") == true)
    #expect(server.statistics.refusedFull == 2)
    gate.open()
    #expect(server.eventually { $0.succeeded == 5 })
    _ = try server.submit("narrow", "x")
  }

  // MARK: GET /jobs/{id}

  @Test func aPollIsHeldUntilTheJobEnds() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let location = try server.submit("gate", "x")
    let client = try server.client()
    try client.send("GET", location + "?wait=30")
    #expect(client.isSilent(milliseconds: 200))
    #expect(server.statistics.waiting == 1)
    gate.open()
    let response = try client.receive()
    #expect(response.status == 200 && response.string("state") == "succeeded")
    #expect(response["etag"] == "\"2\"" && response["cache-control"] == "no-store")
    #expect(response["content-type"] == "application/json")
    #expect(server.statistics.waiting == 0 && server.statistics.pollsAnswered == 1)
    // It ended: the next one need not wait.
    #expect(try server.request("GET", location).string("state") == "succeeded")
  }

  @Test func aPollWhoseWaitIsOverGetsTheStateAsItIs() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let location = try server.submit("gate", "x")
    let clock = ContinuousClock()
    let start = clock.now
    let response = try server.request("GET", location + "?wait=0.3")
    #expect(clock.now - start >= .milliseconds(300))
    #expect(response.status == 200 && response.string("state") == "running")
    #expect(try server.request("GET", location + "?wait=0").string("state") == "running")
    gate.open()
  }

  @Test func jitterShortensWaitsByDifferentAmounts() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] }, configure: { $0.waitJitter = 0.5 })
    let location = try server.submit("gate", "x")
    let clock = ContinuousClock()
    let start = clock.now
    let clients = try (0..<20).map { _ in try server.client() }
    for client in clients { try client.send("GET", location + "?wait=1") }
    // Between a half and the whole; that all 20 come in the last tenth happens once in 10^14 runs.
    #expect(server.eventually { $0.pollsAnswered >= 1 })
    let first = clock.now - start
    #expect(first >= .milliseconds(500) && first < .milliseconds(950))
    #expect(server.statistics.waiting > 0)
    for client in clients { #expect(try client.receive().string("state") == "running") }
    gate.open()
  }

  @Test func anEntityTagWaitsForAChange() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task("narrow", concurrency: 1)] })
    let first = try server.submit("narrow", "x")
    let second = try server.submit("narrow", "y")
    let state = try server.request("GET", second + "?wait=0")
    #expect(state.string("state") == "queued" && state["etag"] == "\"1\"")
    // Unchanged until the wait is over: 304.
    let same = try server.request(
      "GET", second + "?wait=0.2", headers: ["If-None-Match": "\"1\""])
    #expect(same.status == 304 && same["etag"] == "\"1\"" && same.body.isEmpty)
    // Any change answers, not only the end.
    let client = try server.client()
    try client.send("GET", second + "?wait=30", headers: ["If-None-Match": "\"1\""])
    #expect(client.isSilent(milliseconds: 100))
    _ = try server.request("DELETE", second)
    #expect(try client.receive().string("state") == "cancelled")
    // A tag that is not the present one does not wait.
    let other = try server.request(
      "GET", first + "?wait=30", headers: ["If-None-Match": "\"7\", W/\"9\""])
    #expect(other.status == 200 && other.string("state") == "running")
    // A final state cannot change any more.
    let final = try server.request(
      "GET", second + "?wait=30", headers: ["If-None-Match": "W/\"2\""])
    #expect(final.status == 304)
    gate.open()
  }

  @Test func aClaimIsAChangeToo() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task("narrow", concurrency: 1)] })
    let first = try server.submit("narrow", "x")
    let second = try server.submit("narrow", "y")
    let client = try server.client()
    try client.send("GET", second + "?wait=30", headers: ["If-None-Match": "*"])
    #expect(client.isSilent(milliseconds: 100))
    gate.open()
    let response = try client.receive()
    #expect(response.string("state") == "running" && response.integer("attempt") == 1)
    #expect(try server.request("GET", first + "?wait=5").string("state") == "succeeded")
  }

  @Test(arguments: ["abc", "-1", "99999", "", "180.5", "1e1", "0x1"])
  func aBadWaitIs400(_ wait: String) throws {
    let server = try JobServer()
    let client = try server.client()
    for path in ["/jobs/\(JobID().hex)", "/jobs/\(JobID().hex)/result"] {
      try client.send("GET", path + "?wait=\(wait)")
      let response = try client.receive()
      #expect(response.isProblem(400, type: "bad-wait"))
      #expect(response.string("detail")?.contains("wait=0 to wait=180") == true)
    }
  }

  @Test func anUnknownJobIs404() throws {
    let server = try JobServer()
    let client = try server.client()
    for id in [JobID().hex, "1", JobID().hex.uppercased() + "A", "x%2Fy"] {
      for (method, path) in [
        ("GET", "/jobs/\(id)?wait=0"), ("GET", "/jobs/\(id)?wait=30"), ("DELETE", "/jobs/\(id)"),
        ("GET", "/jobs/\(id)/result?wait=30"), ("DELETE", "/jobs/\(id)/result"),
      ] {
        try client.send(method, path)
        let response = try client.receive()
        #expect(response.isProblem(404, type: "unknown-job"), "\(method) \(path)")
        #expect(response["cache-control"] == "no-store")
      }
    }
  }

  @Test func headIsGetWithoutTheBody() throws {
    let server = try JobServer()
    let location = try server.submit("sha256", "x")
    let client = try server.client()
    try client.send("HEAD", location + "/result?wait=10")
    let head = try client.receive(toHead: true)
    #expect(head.status == 200 && head["content-length"] == "64")
    try client.send("GET", location)
    #expect(try client.receive().string("state") == "succeeded")
  }

  // MARK: GET /jobs/{id}/result

  @Test func aResultThatIsNotThereYetIs202() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let location = try server.submit("gate", "x")
    let response = try server.request("GET", location + "/result?wait=0.1")
    #expect(response.status == 202 && response["location"] == location)
    #expect(response["retry-after"] == "1" && response.string("state") == "running")
    gate.open()
  }

  @Test func readingDoesNotConsume() throws {
    let server = try JobServer()
    let location = try server.submit("sha256", "x")
    let first = try server.request("GET", location + "/result")
    for _ in 0..<3 {
      let again = try server.request("GET", location + "/result")
      #expect(again.status == 200 && again.body == first.body)
    }
  }

  @Test func twoPollersOfOneJobBothGetIt() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let location = try server.submit("gate", "x")
    let clients = try (0..<5).map { _ in try server.client() }
    for client in clients { try client.send("GET", location + "/result?wait=30") }
    let watcher = try server.client()
    try watcher.send("GET", location + "?wait=30")
    #expect(server.eventually { $0.waiting == 6 })
    // One in the middle goes away.
    clients[2].reset()
    #expect(server.eventually { $0.waiting == 5 })
    gate.open()
    for (index, client) in clients.enumerated() where index != 2 {
      #expect(try client.receive().text == "x")
    }
    #expect(try watcher.receive().string("state") == "succeeded")
    #expect(server.statistics.waiting == 0)
  }

  // MARK: DELETE

  @Test func cancellingWhatRunsIs202AndThenDone() throws {
    let server = try JobServer()
    let location = try server.submit("sleep", "60")
    let client = try server.client()
    try client.send("GET", location + "/result?wait=30")
    #expect(client.isSilent(milliseconds: 100))
    let cancel = try server.request("DELETE", location)
    #expect(cancel.status == 202 && cancel.member("cancelRequested") as? Bool == true)
    #expect(try client.receive().isProblem(409, type: "job-cancelled"))
    let again = try server.request("DELETE", location)
    #expect(again.status == 200 && again.string("state") == "cancelled")
    #expect(server.statistics.cancelled == 1)
  }

  @Test func cancellingWhatWaitsIs200() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task("narrow", concurrency: 1)] })
    _ = try server.submit("narrow", "x")
    let location = try server.submit("narrow", "y")
    let client = try server.client()
    try client.send("GET", location + "/result?wait=30")
    #expect(client.isSilent(milliseconds: 100))
    let cancel = try server.request("DELETE", location)
    #expect(cancel.status == 200 && cancel.string("state") == "cancelled")
    #expect(try client.receive().isProblem(409, type: "job-cancelled"))
    gate.open()
    #expect(server.eventually { $0.succeeded == 1 })
    #expect(gate.entered == 1)
  }

  @Test func aJobThatHasEndedStaysAsItIs() throws {
    let server = try JobServer()
    let location = try server.submit("sha256", "x")
    _ = try server.request("GET", location)
    let cancel = try server.request("DELETE", location)
    #expect(cancel.status == 200 && cancel.string("state") == "succeeded")
    #expect(try server.request("GET", location + "/result").status == 200)
  }

  @Test func acknowledgementIs204AndIdempotent() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let location = try server.submit("gate", "x")
    #expect(
      try server.request("DELETE", location + "/result").isProblem(409, type: "job-not-final"))
    gate.open()
    _ = try server.request("GET", location)
    for _ in 0..<3 {
      let response = try server.request("DELETE", location + "/result")
      #expect(response.status == 204 && response.body.isEmpty)
    }
    #expect(
      try server.request("GET", location + "/result").isProblem(410, type: "job-acknowledged"))
    #expect(try server.request("GET", location).isProblem(410, type: "job-acknowledged"))
    #expect(try server.request("DELETE", location).isProblem(410))
  }

  @Test func expiryIs410AndThen404() throws {
    let server = try JobServer(configure: {
      $0.resultTimeToLive = .milliseconds(400)
      $0.tombstoneTimeToLive = .milliseconds(400)
      $0.sweepInterval = .milliseconds(50)
    })
    let location = try server.submit("sha256", "x")
    #expect(try server.request("GET", location + "/result").status == 200)
    usleep(500_000)
    #expect(try server.request("GET", location).isProblem(410, type: "job-expired"))
    #expect(try server.request("GET", location + "/result").isProblem(410, type: "job-expired"))
    #expect(try server.request("DELETE", location + "/result").isProblem(410))
    usleep(600_000)
    #expect(try server.request("GET", location).isProblem(404, type: "unknown-job"))
  }
}
