// ping: measures the time that a datagram takes there and back, and how many are lost.
//
//   swift run ping serve 127.0.0.1:7010 &
//   swift run ping 127.0.0.1:7010 10
//
// It shows UDP, bound and connected, answers in batches, and timing with `sleep`.

import Eddy
import EddyCore
import Glibc
import Synchronization

/// Sends each datagram back to whom it came from.
final class Server {
  private let socket: UDPSocket

  init(_ loop: Loop, address: String) throws {
    var configuration = UDPConfiguration()
    configuration.onReceive = { socket, datagrams, count, _ in
      // Each holds the peer that sent it, so what came can go back as it is. What the kernel has no
      // room for is dropped, as UDP does anyway.
      _ = eddy_udp_send_batch(socket, datagrams, count)
    }
    socket = try UDPSocket(loop: loop, address: address, configuration: configuration)
    try socket.receiveStart()
  }

  var address: String { text(socket.address) }

  func close() {
    socket.close()
  }
}

final class Client {
  /// What travels. Only the sender reads it, so its own byte order will do.
  private struct Ping: BitwiseCopyable {
    var sentAt: UInt64
    var number: Int
  }

  private let loop: Loop
  private var socket: UDPSocket!
  private(set) var times: [UInt64] = []
  /// UDP may double a datagram, too.
  private var answered: Set<Int> = []
  private(set) var sent = 0

  init(_ loop: Loop, server: eddy_address, isIPv6: Bool) throws {
    self.loop = loop
    var configuration = UDPConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onReceive = { _, datagrams, count, context in
      let client = Unmanaged<Client>.fromOpaque(context!).takeUnretainedValue()
      for datagram in UnsafeBufferPointer(start: datagrams, count: count) {
        client.received(UnsafeRawBufferPointer(start: datagram.data, count: datagram.length))
      }
    }
    // Nobody listens there, for example. Somebody may yet: what is lost is counted in the end.
    configuration.onError = { _, error, _ in warn("ping: \(EddyError(code: error).message)") }
    socket = try UDPSocket(
      loop: loop, address: isIPv6 ? "[::]:0" : "0.0.0.0:0", configuration: configuration)
    try socket.connect(to: server)
    try socket.receiveStart()
  }

  func send() {
    loop.updateNow()  // the clock, not the beginning of the turn
    var ping = Ping(sentAt: loop.now, number: sent)
    sent += 1
    do {
      try withUnsafeBytes(of: &ping) { try socket.send($0) }
    } catch {
      warn("ping: \(error)")
    }
  }

  private func received(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == MemoryLayout<Ping>.size else { return }
    let ping = bytes.loadUnaligned(as: Ping.self)
    guard (0..<sent).contains(ping.number), answered.insert(ping.number).inserted else { return }
    let time = loop.now - ping.sentAt
    times.append(time)
    print("\(ping.number): \(milliseconds(time)) ms")
  }

  func close() {
    socket.close()
  }

  func printStatistics() {
    let lost = sent == 0 ? 0 : (sent - times.count) * 100 / sent
    print("\(sent) sent, \(times.count) received, \(lost) % lost")
    guard let least = times.min(), let most = times.max() else { return }
    let mean = times.reduce(0, +) / UInt64(times.count)
    print(
      "\(milliseconds(least)) / \(milliseconds(mean)) / \(milliseconds(most)) ms least / mean / most"
    )
  }
}

/// A signal asks for the end: no more is sent, and the statistics come.
let isInterrupted = Atomic(false)
let interval = Duration.milliseconds(50)
/// How long the last answer is waited for.
let patience = Duration.milliseconds(500)

func warn(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

/// With three places, as a number of nanoseconds is best read.
func milliseconds(_ nanoseconds: UInt64) -> String {
  let microseconds = nanoseconds / EDDY_MICROSECOND
  let fraction = String(microseconds % 1000)
  return "\(microseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
}

func text(_ address: eddy_address) -> String {
  withUnsafePointer(to: address) { address in
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
      _ = eddy_address_format(address, buffer.baseAddress, buffer.count)
      return String(cString: buffer.baseAddress!)
    }
  }
}

func serve(at address: String) throws {
  try EventLoop.run { loop in
    let server = try Server(loop.core, address: address)
    print("listening on \(server.address); Ctrl-C ends")
    fflush(nil)
    for await _ in try loop.signals(SIGINT, SIGTERM) { break }
    server.close()
  }
}

/// Whether any answer came.
func ping(_ address: String, count: Int) throws -> Bool {
  var server = eddy_address()
  let status = eddy_address_parse(address, &server)
  guard status == 0 else { throw EddyError(code: status) }
  return try EventLoop.run { [server] loop in
    let client = try Client(loop.core, server: server, isIPv6: address.hasPrefix("["))
    let signals = Task(executorPreference: loop) {
      for await _ in try loop.signals(SIGINT, SIGTERM) {
        isInterrupted.store(true, ordering: .relaxed)
      }
    }
    for number in 0..<count {
      if isInterrupted.load(ordering: .relaxed) { break }
      client.send()
      try await loop.sleep(for: number == count - 1 ? patience : interval)
    }
    signals.cancel()
    client.close()
    client.printStatistics()
    return !client.times.isEmpty
  }
}

let arguments = CommandLine.arguments
let count = arguments.count == 3 ? Int(arguments[2]) ?? 0 : 0
let serves = arguments.count == 3 && arguments[1] == "serve"
guard serves || (1...100_000).contains(count) else {
  warn("usage: ping serve ADDRESS\n       ping ADDRESS COUNT")
  exit(2)
}
do {
  if serves {
    try serve(at: arguments[2])
  } else {
    exit(try ping(arguments[1], count: count) ? 0 : 1)
  }
} catch let error as EddyError {
  warn("ping: \(arguments[serves ? 2 : 1]): \(error.message)")
  exit(error.code == EDDY_EADDRFORMAT ? 2 : 1)
}
