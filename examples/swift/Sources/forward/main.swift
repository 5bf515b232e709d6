// forward: hands each connection on to another address.
//
//   swift run forward 127.0.0.1:7009 127.0.0.1:80
//   swift run forward 127.0.0.1:7009 localhost:80
//
// It shows outgoing connections, also to a host of which only the name is known and any of whose
// addresses will do, backpressure from one stream to another, and half-close: each
// direction ends by itself, and the connection when both have.

import Eddy
import EddyCore
import Glibc

/// Where connections are handed on to.
enum Target {
  case address(String)
  case host(String, port: Int)

  init?(_ text: String) {
    var address = eddy_address()
    if eddy_address_parse(text, &address) == 0 {
      self = .address(text)
      return
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, let port = Int(parts[1]), (1...65535).contains(port)
    else { return nil }
    self = .host(String(parts[0]), port: port)
  }

  func connect(
    _ loop: Loop, _ configuration: StreamConfiguration
  ) throws(EddyError) -> EddyCore.Stream {
    switch self {
    case .address(let address):
      try .connect(loop: loop, address: address, configuration: configuration)
    case .host(let host, let port):
      try .connect(loop: loop, host: host, port: port, configuration: configuration)
    }
  }
}

/// Confined to the loop's thread, as are its links.
final class Server {
  private let loop: Loop
  private let target: Target
  private let targetText: String
  private var listener: Listener?
  private var links: [ObjectIdentifier: Link] = [:]

  init(_ loop: Loop, address: String, target: Target, _ targetText: String) throws {
    self.loop = loop
    self.target = target
    self.targetText = targetText
    var configuration = ListenerConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onAccept = { _, fd, context in
      Unmanaged<Server>.fromOpaque(context!).takeUnretainedValue().accepted(fd)
    }
    listener = try Listener(loop: loop, address: address, configuration: configuration)
  }

  var address: String { listener?.addressText ?? "" }

  private func accepted(_ fd: Int32) {
    let link = Link(of: self)
    links[ObjectIdentifier(link)] = link
    do {
      try link.open(loop, fd, target)
    } catch {
      warn("forward: \(targetText): \(error)")
      link.close()
    }
  }

  func targetFailed(_ error: EddyError) {
    warn("forward: \(targetText): \(error.message)")
  }

  func remove(_ link: Link) {
    links[ObjectIdentifier(link)] = nil
  }

  func close() {
    listener?.close()
    for link in links.values { link.close() }
  }
}

/// A connection that is handed on.
final class Link {
  private unowned let server: Server
  private let client = Side()
  private let target = Side()

  init(of server: Server) {
    self.server = server
    (client.link, client.other) = (self, target)
    (target.link, target.other) = (self, client)
  }

  func open(_ loop: Loop, _ fd: Int32, _ address: Target) throws {
    do {
      client.stream = try EddyCore.Stream(
        loop: loop, accepted: fd, configuration: client.configuration)
    } catch {
      _ = Glibc.close(fd)
      throw error
    }
    target.stream = try address.connect(loop, target.configuration)
  }

  /// Until now the client had to wait.
  func connected(_ status: Int32) {
    guard status == 0 else {
      server.targetFailed(EddyError(code: status))
      return close()
    }
    target.stream?.readStart()
    client.stream?.readStart()
  }

  /// Closing drops what is queued, so both queues must be empty.
  func closeIfDone() {
    if client.isDone && target.isDone { close() }
  }

  func close() {
    client.close()
    target.close()
    server.remove(self)
  }
}

/// One of the two streams of a link.
final class Side {
  unowned(unsafe) var link: Link!
  unowned(unsafe) var other: Side!
  var stream: EddyCore.Stream?
  /// Nothing more comes from it.
  private var hasEnded = false

  var isDone: Bool { hasEnded && stream?.queued == 0 }

  var configuration: StreamConfiguration {
    var configuration = StreamConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onRead = { _, bytes, count, context in
      Side.of(context).received(UnsafeRawBufferPointer(start: bytes, count: max(0, count)), count)
    }
    configuration.onDrain = { _, status, context in Side.of(context).drained(status) }
    configuration.onConnect = { _, status, context in Side.of(context).link.connected(status) }
    return configuration
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> Side {
    Unmanaged<Side>.fromOpaque(context!).takeUnretainedValue()
  }

  private func received(_ bytes: UnsafeRawBufferPointer, _ count: Int) {
    if count == EDDY_EOF {
      // The other side is told once its queue is written. Its own bytes go on coming back.
      hasEnded = true
      other.stream?.shutdown()
      return link.closeIfDone()
    }
    let queued = count < 0 ? count : other.stream?.write(bytes) ?? -1
    if queued < 0 {
      link.close()  // reset by either peer: no byte can arrive any more
    } else if queued > 0 {
      stream?.readStop()  // so that the sender is slowed down, not this program filled
    }
  }

  private func drained(_ status: Int32) {
    guard status == 0 else { return link.close() }
    if !other.hasEnded { other.stream?.readStart() }
    link.closeIfDone()
  }

  func close() {
    stream?.close()
    stream = nil
  }
}

func warn(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
  warn("usage: forward ADDRESS TARGET     for example 127.0.0.1:7009 localhost:80")
  exit(2)
}
let (address, targetText) = (arguments[1], arguments[2])
guard let target = Target(targetText) else {  // now, not at each connection
  warn("forward: \(targetText): \(EddyError(code: Int32(EDDY_EADDRFORMAT)).message)")
  exit(2)
}

do {
  try EventLoop.run { loop in
    let server = try Server(loop.core, address: address, target: target, targetText)
    print("listening on \(server.address); Ctrl-C ends")
    fflush(nil)
    for await _ in try loop.signals(SIGINT, SIGTERM) { break }
    server.close()
  }
} catch let error as EddyError {
  warn("forward: \(address): \(error.message)")
  exit(error.code == EDDY_EADDRFORMAT ? 2 : 1)
}
