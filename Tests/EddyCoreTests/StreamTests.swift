import EddyCore
import Glibc
import Testing

/// A stream whose callbacks are closures; it keeps what it read.
private final class Peer {
  private(set) var stream: EddyCore.Stream?
  var received: [UInt8] = []
  var status: Int32 = 0
  var onConnect: (Int32) -> Void = { _ in }
  var onBytes: () -> Void = {}
  var onEnd: (Int32) -> Void = { _ in }
  var onDrain: (Int32) -> Void = { _ in }

  private func configuration(_ change: (inout StreamConfiguration) -> Void) -> StreamConfiguration {
    var configuration = StreamConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onConnect = { _, status, context in Peer.of(context).onConnect(status) }
    configuration.onRead = { _, data, length, context in
      let peer = Peer.of(context)
      guard length > 0 else {
        peer.onEnd(Int32(length))
        return
      }
      peer.received += UnsafeBufferPointer(start: data, count: length)
      peer.onBytes()
    }
    configuration.onDrain = { _, status, context in Peer.of(context).onDrain(status) }
    change(&configuration)
    return configuration
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> Peer {
    Unmanaged<Peer>.fromOpaque(context!).takeUnretainedValue()
  }

  func open(
    _ loop: Loop, fd: Int32, _ change: (inout StreamConfiguration) -> Void = { _ in }
  ) throws {
    stream = try EddyCore.Stream(loop: loop, fd: fd, configuration: configuration(change))
    stream?.readStart()
  }

  func connect(
    _ loop: Loop, _ address: String, _ change: (inout StreamConfiguration) -> Void = { _ in }
  ) throws {
    stream = try .connect(loop: loop, address: address, configuration: configuration(change))
  }

  func connect(_ loop: Loop, host: String, port: Int) throws {
    stream = try .connect(loop: loop, host: host, port: port, configuration: configuration { _ in })
  }

  /// Lets go of what the closures hold: most hold the peer itself.
  func forget() {
    onConnect = { _ in }
    onBytes = {}
    onEnd = { _ in }
    onDrain = { _ in }
    stream = nil
  }

  func write(_ bytes: [UInt8]) -> Int {
    bytes.withUnsafeBytes { stream!.write($0) }
  }
}

private func socketPair() -> (Int32, Int32) {
  var fds: [Int32] = [-1, -1]
  precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &fds) == 0)
  return (fds[0], fds[1])
}

@Suite struct StreamTests {
  @Test func whatIsWrittenIsReadInOrderThroughAQueueThatGrowsAndDrains() throws {
    let loop = try Loop()
    let (a, b) = socketPair()
    let writer = Peer()
    defer { writer.forget() }
    let reader = Peer()
    defer { reader.forget() }
    let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try writer.open(loop, fd: a) { $0.writeHighMark = 6_000_000 }
    try reader.open(loop, fd: b)
    var drained: [Int32] = []
    writer.onDrain = { drained.append($0) }
    writer.onEnd = { _ in writer.stream?.close() }
    reader.onEnd = { status in
      #expect(status == Int32(EDDY_EOF))
      reader.stream?.close()
    }
    #expect(writer.write(bytes) > 0)
    #expect(writer.stream?.shutdown() == 0)
    #expect(writer.write([1]) == EDDY_EPIPE)
    try loop.run()
    #expect(reader.received == bytes)
    #expect(drained == [0])
    try loop.destroy()
  }

  @Test func aWriteAtTheHighMarkIsRefusedUntilTheQueueHasDrained() throws {
    let loop = try Loop()
    let (a, b) = socketPair()
    let writer = Peer()
    defer { writer.forget() }
    let reader = Peer()
    defer { reader.forget() }
    try writer.open(loop, fd: a) { $0.writeHighMark = 100_000 }
    try reader.open(loop, fd: b)
    reader.stream?.readStop()
    let chunk = [UInt8](repeating: 7, count: 50_000)
    var accepted = 0
    while writer.write(chunk) >= 0 { accepted += chunk.count }
    #expect(writer.write(chunk) == EDDY_EAGAIN)
    #expect(writer.stream!.queued >= 100_000)
    #expect(writer.stream!.queued < 100_000 + chunk.count)
    writer.onDrain = { status in
      #expect(status == 0)
      #expect(writer.stream!.queued == 0)
      #expect(writer.write(chunk) >= 0)
      accepted += chunk.count
      writer.onDrain = { _ in }
      writer.stream?.shutdown()
    }
    reader.onEnd = { _ in
      reader.stream?.close()
      writer.stream?.close()
    }
    reader.stream?.readStart()
    try loop.run()
    #expect(reader.received.count == accepted)
    try loop.destroy()
  }

  @Test func aPeerThatIsGoneFailsTheWriteWithoutASignal() throws {
    signal(SIGPIPE, SIG_DFL)
    let loop = try Loop()
    let (a, b) = socketPair()
    var fds: [Int32] = [-1, -1]
    #expect(pipe(&fds) == 0)
    let socket = Peer()
    defer { socket.forget() }
    let pipe = Peer()
    defer { pipe.forget() }
    try socket.open(loop, fd: a)
    try pipe.open(loop, fd: fds[1])
    pipe.stream?.readStop()
    close(b)
    close(fds[0])
    #expect(socket.write([1]) == EDDY_EPIPE)
    #expect(pipe.write([1]) == EDDY_EPIPE)
    socket.stream?.close()
    pipe.stream?.close()
    try loop.run()
    try loop.destroy()
  }

  @Test(arguments: ["127.0.0.1:0", "[::1]:0", "unix:/tmp/eddy-stream-test.sock"])
  func aListenerAcceptsWhatConnects(_ address: String) throws {
    let loop = try Loop()
    let server = Peer()
    defer { server.forget() }
    let client = Peer()
    defer { client.forget() }
    let accepted = Shared<(Int32) -> Void>({ _ in })
    defer { accepted.value = { _ in } }
    var configuration = ListenerConfiguration()
    configuration.context = Unmanaged.passUnretained(accepted).toOpaque()
    configuration.onAccept = { _, fd, context in
      Unmanaged<Shared<(Int32) -> Void>>.fromOpaque(context!).takeUnretainedValue().value(fd)
    }
    let listener = try Listener(loop: loop, address: address, configuration: configuration)
    accepted.value = { fd in
      try? server.open(loop, fd: fd)
      listener.close()
    }
    server.onEnd = { _ in
      _ = server.write(server.received.reversed())
      server.stream?.shutdown()
    }
    client.onConnect = { status in
      #expect(status == 0)
      client.stream?.readStart()
      _ = client.write([1, 2, 3])
      client.stream?.shutdown()
    }
    client.onEnd = { _ in
      client.stream?.close()
      server.stream?.close()
    }
    try client.connect(loop, listener.addressText)
    try loop.run()
    #expect(client.received == [3, 2, 1])
    try loop.destroy()
  }

  @Test func aRefusedConnectionIsToldFromTheLoop() throws {
    let loop = try Loop()
    let client = Peer()
    defer { client.forget() }
    var status: Int32?
    client.onConnect = {
      status = $0
      client.stream?.close()
    }
    // Port 1 of the loopback interface: nothing listens there.
    try client.connect(loop, "127.0.0.1:1")
    #expect(status == nil)
    try loop.run()
    #expect(status == Int32(EDDY_ECONNREFUSED))
    try loop.destroy()
  }

  @Test func aHostIsConnectedByItsName() throws {
    let loop = try Loop()
    var configuration = ListenerConfiguration()
    configuration.onAccept = { listener, fd, _ in
      close(fd)
      Unmanaged<Listener>.fromOpaque(UnsafeRawPointer(listener!)).takeUnretainedValue().close()
    }
    let listener = try Listener(loop: loop, address: "127.0.0.1:0", configuration: configuration)
    let client = Peer()
    defer { client.forget() }
    var status: Int32?
    client.onConnect = {
      status = $0
      client.stream?.close()
    }
    let port = Int(listener.addressText.split(separator: ":")[1])!
    try client.connect(loop, host: "localhost", port: port)
    try loop.run()
    #expect(status == 0)
    try loop.destroy()
  }

  @Test func aConnectionThatTakesTooLongTimesOut() throws {
    let loop = try Loop()
    // A listener whose backlog is full drops the handshake's packets.
    var configuration = ListenerConfiguration()
    configuration.onAccept = { _, fd, _ in close(fd) }
    configuration.backlog = 1
    let listener = try Listener(loop: loop, address: "127.0.0.1:0", configuration: configuration)
    listener.pause()
    let peers = (0..<8).map { _ in Peer() }
    defer { for peer in peers { peer.forget() } }
    var timedOut = 0
    for peer in peers {
      peer.onConnect = { status in
        if status == Int32(EDDY_ETIMEDOUT) { timedOut += 1 }
        peer.stream?.close()
      }
      try peer.connect(loop, listener.addressText) { $0.connectTimeout = 50_000_000 }
    }
    try loop.run()
    #expect(timedOut > 0)
    listener.close()
    try loop.run()
    try loop.destroy()
  }

  @Test(arguments: ["", "127.0.0.1", "localhost:80", "127.0.0.1:70000", "[::1", "unix:", "1:2:3"])
  func textThatIsNoAddressIsRefused(_ address: String) throws {
    let loop = try Loop()
    let client = Peer()
    defer { client.forget() }
    #expect(throws: EddyError(code: Int32(EDDY_EADDRFORMAT))) {
      try client.connect(loop, address)
    }
    try loop.destroy()
  }

  @Test func aResetIsSeenByThePeerAsOne() throws {
    let loop = try Loop()
    let server = Peer()
    defer { server.forget() }
    let client = Peer()
    defer { client.forget() }
    let accepted = Shared<(Int32) -> Void>({ _ in })
    defer { accepted.value = { _ in } }
    var configuration = ListenerConfiguration()
    configuration.context = Unmanaged.passUnretained(accepted).toOpaque()
    configuration.onAccept = { _, fd, context in
      Unmanaged<Shared<(Int32) -> Void>>.fromOpaque(context!).takeUnretainedValue().value(fd)
    }
    let listener = try Listener(loop: loop, address: "127.0.0.1:0", configuration: configuration)
    accepted.value = { fd in
      try? server.open(loop, fd: fd)
      listener.close()
      client.stream?.reset()
    }
    var status: Int32 = 0
    server.onEnd = {
      status = $0
      server.stream?.close()
    }
    try client.connect(loop, listener.addressText)
    try loop.run()
    #expect(status == Int32(EDDY_ECONNRESET))
    try loop.destroy()
  }

  @Test func aSocketFileThatNobodyListensOnIsReplacedAndALiveOneIsNot() throws {
    let path = "/tmp/eddy-stale-test.sock"
    unlink(path)
    let loop = try Loop()
    var configuration = ListenerConfiguration()
    configuration.onAccept = { _, fd, _ in close(fd) }
    let first = try Listener(loop: loop, address: "unix:\(path)", configuration: configuration)
    #expect(throws: EddyError(code: Int32(EDDY_EADDRINUSE))) {
      try Listener(loop: loop, address: "unix:\(path)", configuration: configuration)
    }
    first.close()
    #expect(access(path, F_OK) != 0)
    let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(stale, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    close(stale)
    let second = try Listener(loop: loop, address: "unix:\(path)", configuration: configuration)
    second.close()
    try loop.run()
    try loop.destroy()
  }
}
