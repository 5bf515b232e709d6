import EddyCore
import Testing

/// A lookup with what it has told.
private final class Query {
  private(set) var lookup: Lookup?
  private(set) var statuses: [Int32] = []
  private(set) var addresses: [String] = []
  var onDone: () -> Void = {}

  func start(
    _ loop: Loop, _ host: String, port: Int = 80,
    _ change: (inout LookupConfiguration) -> Void = { _ in }
  ) throws {
    var configuration = LookupConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onDone = { _, status, addresses, count, context in
      let query = Unmanaged<Query>.fromOpaque(context!).takeUnretainedValue()
      query.statuses.append(status)
      query.addresses = UnsafeBufferPointer(start: addresses, count: count).map(text)
      query.onDone()
    }
    change(&configuration)
    lookup = try Lookup(loop: loop, host: host, port: port, configuration: configuration)
  }
}

@Suite struct LookupTests {
  @Test(arguments: [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")])
  func anAddressIsItsOwnAnswer(_ host: String, _ expected: String) throws {
    let loop = try Loop()
    let query = Query()
    try query.start(loop, host)
    #expect(query.statuses.isEmpty)
    #expect(query.lookup!.isRunning)
    try loop.run()
    #expect(query.statuses == [0])
    #expect(query.addresses == [expected])
    #expect(!query.lookup!.isRunning)
    query.lookup?.close()
    try loop.destroy()
  }

  @Test func localhostIsKnownToTheSystem() throws {
    let loop = try Loop()
    let queries = (0..<100).map { _ in Query() }
    for query in queries {
      query.onDone = { [unowned query] in query.lookup?.close() }
      try query.start(loop, "localhost") { $0.family = Int32(EDDY_FAMILY_IPV4) }
    }
    try loop.run()
    for query in queries {
      #expect(query.statuses == [0])
      #expect(query.addresses.first == "127.0.0.1:80")
    }
    try loop.destroy()
  }

  @Test func aClosedLookupTellsNothing() throws {
    let loop = try Loop()
    let queries = (0..<20).map { _ in Query() }
    for query in queries {
      try query.start(loop, "localhost") { $0.family = Int32(EDDY_FAMILY_IPV4) }
    }
    for query in queries { query.lookup?.close() }
    try loop.run()
    try loop.destroy()
    #expect(queries.allSatisfy { $0.statuses.isEmpty })
  }

  @Test func whatCannotBeAskedForIsRefused() throws {
    let loop = try Loop()
    let query = Query()
    let invalid = EddyError(code: Int32(EDDY_EINVAL))
    #expect(throws: invalid) { try query.start(loop, "") }
    #expect(throws: invalid) { try query.start(loop, "localhost", port: -1) }
    #expect(throws: invalid) { try query.start(loop, "localhost", port: 65536) }
    #expect(throws: invalid) { try query.start(loop, "localhost") { $0.family = 5 } }
    #expect(throws: invalid) { try query.start(loop, "localhost") { $0.onDone = nil } }
    #expect(throws: EddyError(code: Int32(EDDY_ENAMETOOLONG))) {
      try query.start(loop, String(repeating: "a", count: 254))
    }
    #expect(!loop.isAlive)
    try loop.destroy()
  }
}
