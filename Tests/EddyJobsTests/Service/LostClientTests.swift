import Glibc
import Testing

@testable import EddyJobs

/// A client that goes away takes its poll with it, and not its job.
@Suite struct LostClientTests {
  @Test(arguments: [true, false])
  func aPollThatOutlivesItsConnectionFindsItsResult(_ isReset: Bool) throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let location = try server.submit("gate", "x")
    let client = try server.client()
    try client.send("GET", location + "/result?wait=30")
    #expect(server.eventually { $0.waiting == 1 })
    if isReset { client.reset() } else { client.close() }
    #expect(server.eventually { $0.waiting == 0 && $0.pollsAbandoned == 1 })
    #expect(server.statistics.running == 1 && server.statistics.cancelled == 0)
    gate.open()
    #expect(try server.request("GET", location + "/result?wait=30").text == "x")
    #expect(server.statistics.pollsAnswered <= 1)
  }

  @Test func aSubmissionWhoseClientGoesIsDoneAllTheSame() throws {
    let gate = Gate()
    let server = try JobServer(tasks: { _ in [gate.task()] })
    let key = ["Idempotency-Key": "k", "Prefer": "wait=30"]
    let client = try server.client()
    try client.send("POST", "/tasks/gate", headers: key, body: "x")
    #expect(server.eventually { $0.waiting == 1 })
    client.reset()
    #expect(server.eventually { $0.waiting == 0 })
    gate.open()
    #expect(server.eventually { $0.succeeded == 1 })
    let again = try server.request("POST", "/tasks/gate", headers: key, body: "x")
    #expect(again.status == 200 && again.text == "x")
    #expect(gate.entered == 1)
  }

  @Test func aTaskMaySayThatNobodyWaitingMeansNobodyWanting() throws {
    let server = try JobServer(tasks: {
      [BuiltinTasks.sleep(on: $0).with { $0.cancelsWhenAbandoned = true }]
    })
    let location = try server.submit("sleep", "60")
    let clients = try (0..<2).map { _ in try server.client() }
    for client in clients { try client.send("GET", location + "?wait=30") }
    #expect(server.eventually { $0.waiting == 2 })
    clients[0].reset()
    #expect(server.eventually { $0.waiting == 1 })
    usleep(50_000)
    #expect(server.statistics.cancelled == 0)
    clients[1].reset()
    #expect(server.eventually { $0.cancelled == 1 })
    #expect(try server.request("GET", location).string("state") == "cancelled")
  }

  /// Connections come and go, so that descriptors and slots are used again: everybody gets the
  /// digest of the own input, and nobody that of another.
  @Test func aReusedDescriptorNeverGetsSomebodyElsesResult() throws {
    let server = try JobServer()
    var random = SeededGenerator(seed: 30)
    var open: [(client: RawClient, nonce: String)] = []
    for round in 0..<400 {
      let nonce = "nonce-\(round)"
      let client = try server.client()
      let location = try {
        try client.send("POST", "/tasks/sha256", body: nonce)
        return try #require(try client.receive()["location"])
      }()
      try client.send("GET", location + "/result?wait=30")
      open.append((client, nonce))
      while open.count > 8 {
        let (client, nonce) = open.remove(at: Int.random(in: 0..<open.count, using: &random))
        if Bool.random(using: &random) {
          client.reset()
        } else {
          #expect(try client.receive().text == Digest(of: Array(nonce.utf8)).hex)
        }
      }
    }
  }
}
