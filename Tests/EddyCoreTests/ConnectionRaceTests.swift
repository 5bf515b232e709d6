import Glibc
import Testing

@testable import EddyCore

/// The outcome of a race, and what it took.
private final class Outcome {
  var fd: Int32 = -1
  var status: Int32?
  var race: ConnectionRace?

  func start(_ loop: Loop, _ addresses: [eddy_address], delay: UInt64) throws {
    let race = try addresses.withUnsafeBufferPointer { addresses in
      try ConnectionRace(
        loop: loop, addresses: addresses, attemptDelay: delay,
        owner: Unmanaged.passUnretained(self).toOpaque()
      ) { owner, fd, status in
        let outcome = Unmanaged<Outcome>.fromOpaque(owner).takeUnretainedValue()
        #expect(outcome.status == nil)
        outcome.fd = fd
        outcome.status = status
        outcome.race = nil
      }
    }
    self.race = race
    race.start()
  }
}

private func address(_ text: String) -> eddy_address {
  var address = eddy_address()
  #expect(eddy_address_parse(text, &address) == 0)
  return address
}

private func text(of address: eddy_address) -> String {
  var address = address
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
    #expect(eddy_address_format(&address, buffer.baseAddress, buffer.count) > 0)
    return String(cString: buffer.baseAddress!)
  }
}

/// A listening socket on 127.0.0.1 that answers, or none that does.
private final class Target {
  let fd: Int32
  let address: eddy_address
  private var fillers: [Int32] = []

  init(backlog: Int32 = 16) {
    fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let fd = fd
    let isBound = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(fd, $0, size) == 0 && getsockname(fd, $0, &size) == 0
      }
    }
    precondition(isBound && listen(fd, backlog) == 0)
    address = EddyCoreTests.address("127.0.0.1:\(UInt16(bigEndian: name.sin_port))")
  }

  /// One that leaves a SYN unanswered, because its backlog is full (tcp(7)).
  static func silent() -> Target {
    let target = Target(backlog: 0)
    for _ in 0..<4 {
      let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
      _ = Address(target.address).withSockaddr { connect(filler, $0, $1) }
      target.fillers.append(filler)
    }
    usleep(20_000)
    return target
  }

  /// An address that refuses: its port was free a moment ago.
  static func refusing() -> eddy_address {
    Target().address
  }

  /// How many connections wait to be accepted.
  var connections: Int {
    var count = 0
    while case let connection = accept(fd, nil, nil), connection >= 0 {
      close(connection)
      count += 1
    }
    return count
  }

  deinit {
    close(fd)
    for filler in fillers { close(filler) }
  }
}

private func milliseconds(_ count: UInt64) -> UInt64 { count * EDDY_MILLISECOND }

@Suite struct ConnectionRaceTests {
  @Test(arguments: [
    ("", ""), ("4a", "4a"), ("6a 6b 6c", "6a 6b 6c"), ("6a 6b 4a 4b", "6a 4a 6b 4b"),
    ("4a 6a 6b 6c", "4a 6a 6b 6c"), ("4a 4b 4c 6a", "4a 6a 4b 4c"),
    ("6a 4a 4b 4c 6b", "6a 4a 6b 4b 4c"),
  ])
  func familiesAreTriedByTurnsBeginningWithTheFirsts(_ given: String, _ expected: String) {
    let names = given.split(separator: " ").map(String.init)
    let addresses = names.map { name in
      let number = name.utf8.last! - UInt8(ascii: "a") + 1
      return name.hasPrefix("6") ? address("[::\(number)]:9") : address("127.0.0.\(number):9")
    }
    var order: [String] = []
    addresses.withUnsafeBufferPointer {
      ConnectionRace.interleave($0) { place, address in
        #expect(place == order.count)
        let index = addresses.firstIndex { text(of: $0) == text(of: address) }
        order.append(names[index!])
      }
    }
    #expect(order.joined(separator: " ") == expected)
  }

  @Test func theFirstThatAnswersIsTheOnlyOneThatIsTried() throws {
    let loop = try Loop()
    let (first, second) = (Target(), Target())
    let outcome = Outcome()
    try outcome.start(loop, [first.address, second.address], delay: milliseconds(10_000))
    try loop.run()
    #expect(outcome.status == 0)
    #expect(outcome.fd >= 0)
    #expect(fcntl(outcome.fd, F_GETFL) & O_NONBLOCK != 0)
    #expect(first.connections == 1)
    #expect(second.connections == 0)
    close(outcome.fd)
    try loop.destroy()
  }

  @Test func afterARefusalTheNextIsTriedAtOnce() throws {
    let loop = try Loop()
    let target = Target()
    let outcome = Outcome()
    let start = Loop.readClock()
    let refusing = (0..<50).map { _ in Target.refusing() }
    try outcome.start(loop, refusing + [target.address], delay: milliseconds(10_000))
    try loop.run()
    #expect(outcome.status == 0)
    #expect(Loop.readClock() - start < milliseconds(5_000))
    #expect(target.connections == 1)
    close(outcome.fd)
    try loop.destroy()
  }

  @Test func besideASilentOneTheNextIsTriedAfterTheDelay() throws {
    let loop = try Loop()
    let (silent, target) = (Target.silent(), Target())
    let outcome = Outcome()
    let start = Loop.readClock()
    try outcome.start(
      loop, [silent.address, silent.address, target.address], delay: milliseconds(30))
    try loop.run()  // ends: the attempts that lost have been ended, too
    #expect(outcome.status == 0)
    #expect(Loop.readClock() - start >= milliseconds(60))
    #expect(target.connections == 1)
    close(outcome.fd)
    try loop.destroy()
  }

  @Test func aSilentOneMayStillWin() throws {
    let loop = try Loop()
    let silent = Target.silent()
    let outcome = Outcome()
    try outcome.start(loop, [silent.address, Target.refusing()], delay: milliseconds(10))
    func makeRoom() {  // for the next copy of the SYN
      _ = silent.connections
      if outcome.status == nil { loop.after(milliseconds(20), makeRoom) }
    }
    loop.after(milliseconds(50), makeRoom)
    try loop.run()
    #expect(outcome.status == 0)
    close(outcome.fd)
    try loop.destroy()
  }

  @Test func ifAllRefuseTheLastErrorIsTold() throws {
    let loop = try Loop()
    let outcome = Outcome()
    try outcome.start(
      loop, [Target.refusing(), address("127.0.0.1:1"), Target.refusing()],
      delay: milliseconds(10_000))
    try loop.run()
    #expect(outcome.status == Int32(EDDY_ECONNREFUSED))
    #expect(outcome.fd == -1)
    try loop.destroy()
  }

  @Test func anAddressThatCanNotBeTriedIsPassedOver() throws {
    let loop = try Loop()
    let target = Target()
    let outcome = Outcome()
    // Multicast has no connections: connect(2) fails at once.
    try outcome.start(
      loop, [address("224.0.0.1:9"), target.address], delay: milliseconds(10_000))
    try loop.run()
    #expect(outcome.status == 0)
    close(outcome.fd)
    try loop.destroy()
  }

  @Test(arguments: [0, 20, 80] as [UInt64])
  func aRaceThatIsCancelledTellsNothingAndLeavesNothingOpen(_ delay: UInt64) throws {
    let loop = try Loop()
    let silent = Target.silent()
    let outcome = Outcome()
    try outcome.start(
      loop, [silent.address, silent.address, silent.address], delay: milliseconds(30))
    loop.after(milliseconds(delay)) {
      outcome.race?.cancel()
      outcome.race?.cancel()  // harmless
      outcome.race = nil
    }
    try loop.run()  // ends: nothing is left that waits
    #expect(outcome.status == nil)
    try loop.destroy()
  }
}
