import EddyCore
import Testing

/// A UDP socket with what it has received.
private final class End {
  private(set) var udp: UDPSocket?
  private(set) var received: [(text: String, peer: eddy_address)] = []
  private(set) var errors: [Int32] = []
  var onReceive: () -> Void = {}

  init(_ loop: Loop, _ address: String = "127.0.0.1:0") throws {
    var configuration = UDPConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onReceive = { _, datagrams, count, context in
      let end = End.of(context)
      for datagram in UnsafeBufferPointer(start: datagrams, count: count) {
        let bytes = UnsafeRawBufferPointer(start: datagram.data, count: datagram.length)
        end.received.append((String(decoding: bytes, as: UTF8.self), datagram.peer))
      }
      end.onReceive()
    }
    configuration.onError = { _, error, context in End.of(context).errors.append(error) }
    udp = try UDPSocket(loop: loop, address: address, configuration: configuration)
    try udp?.receiveStart()
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> End {
    Unmanaged<End>.fromOpaque(context!).takeUnretainedValue()
  }

  func send(_ text: String, to peer: eddy_address? = nil) throws {
    try text.withCString { bytes in
      let bytes = UnsafeRawBufferPointer(start: bytes, count: text.utf8.count)
      if var peer {
        try udp!.send(bytes, to: &peer)
      } else {
        try udp!.send(bytes)
      }
    }
  }
}

@Suite struct UDPTests {
  @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
  func aDatagramGoesThereAndBack(_ address: String) throws {
    let loop = try Loop()
    let server = try End(loop, address)
    let client = try End(loop, address)
    server.onReceive = { [unowned server] in
      #expect(throws: Never.self) {
        try server.send("pong", to: server.received.last!.peer)
      }
      server.udp?.close()
    }
    client.onReceive = { [unowned client] in client.udp?.close() }
    try client.send("ping", to: server.udp!.address)
    try loop.run()
    #expect(server.received.map(\.text) == ["ping"])
    #expect(client.received.map(\.text) == ["pong"])
    try loop.destroy()
  }

  @Test func aConnectedSocketNeedsNoPeerAndHearsOfAClosedPort() throws {
    let loop = try Loop()
    let peer = try End(loop)
    let end = try End(loop)
    let address = peer.udp!.address
    #expect(throws: EddyError(code: Int32(EDDY_EDESTADDRREQ))) { try end.send("x") }
    try end.udp?.connect(to: address)
    peer.udp?.close()
    try end.send("anybody?")
    while end.errors.isEmpty { try loop.run(.once) }
    #expect(end.errors == [Int32(EDDY_ECONNREFUSED)])
    end.udp?.close()
    try loop.run()
    try loop.destroy()
  }

  @Test func aBatchArrivesInOrder() throws {
    let loop = try Loop()
    let receiver = try End(loop)
    let sender = try End(loop)
    receiver.onReceive = { [unowned receiver, unowned sender] in
      guard receiver.received.count == 100 else { return }
      receiver.udp?.close()
      sender.udp?.close()
    }
    let texts = (0..<100).map { String($0) }
    let bytes = texts.map { Array($0.utf8) }
    var datagrams: [eddy_datagram] = []
    for text in bytes {
      var datagram = eddy_datagram()
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
      copy.copyBytes(from: text)
      datagram.data = UnsafeRawPointer(copy.baseAddress)
      datagram.length = text.count
      datagram.peer = receiver.udp!.address
      datagrams.append(datagram)
    }
    defer { for datagram in datagrams { datagram.data.deallocate() } }
    #expect(try datagrams.withUnsafeBufferPointer { try sender.udp!.send($0) } == 100)
    try loop.run()
    #expect(receiver.received.map(\.text) == texts)
    try loop.destroy()
  }

  @Test func aGroupIsJoinedOnceAndLeftOnce() throws {
    let loop = try Loop()
    let end = try End(loop, "0.0.0.0:0")
    try end.udp?.join("239.1.2.3", interface: "lo")
    #expect(throws: EddyError(code: Int32(EDDY_EADDRINUSE))) {
      try end.udp?.join("239.1.2.3", interface: "lo")
    }
    try end.udp?.leave("239.1.2.3", interface: "lo")
    #expect(throws: EddyError(code: Int32(EDDY_EADDRNOTAVAIL))) {
      try end.udp?.leave("239.1.2.3", interface: "lo")
    }
    #expect(throws: EddyError(code: Int32(EDDY_EINVAL))) { try end.udp?.join("127.0.0.1") }
    end.udp?.close()
    try loop.run()
    try loop.destroy()
  }

  @Test(arguments: ["127.0.0.1", "unix:/tmp/eddy-udp-test.sock", "localhost:80"])
  func textThatIsNoAddressIsRefused(_ address: String) throws {
    let loop = try Loop()
    #expect(throws: EddyError(code: Int32(EDDY_EADDRFORMAT))) { try End(loop, address) }
    try loop.destroy()
  }
}
