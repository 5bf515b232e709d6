// chat: what one client writes, all others read.
//
//   swift run chat 127.0.0.1:7008
//   nc 127.0.0.1 7008            then: /nick Ada
//
// It shows one event that goes to many streams, lines out of a byte stream, and a bound on what a
// client that does not read can cost: the write queue's high mark.

import Eddy
import EddyCore
import Glibc

/// Confined to the loop's thread, as are its clients.
final class Server {
  private let loop: Loop
  private var listener: Listener?
  private var clients: [ObjectIdentifier: Client] = [:]
  /// Given so far.
  private var names = 0
  private var lost: [Client] = []

  init(_ loop: Loop, address: String) throws {
    self.loop = loop
    var configuration = ListenerConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onAccept = { _, fd, context in
      Unmanaged<Server>.fromOpaque(context!).takeUnretainedValue().accepted(fd)
    }
    listener = try Listener(loop: loop, address: address, configuration: configuration)
  }

  var address: String { listener?.addressText ?? "" }

  private func accepted(_ fd: Int32) {
    names += 1
    let client = Client(of: self, name: "guest\(names)")
    do {
      try client.open(loop, fd)
    } catch {
      warn("chat: \(error)")
      _ = Glibc.close(fd)
      return
    }
    clients[ObjectIdentifier(client)] = client
    tell("* \(client.name) has come", except: client)
    dropLost()
  }

  /// Writes a line to all but one client. A write that is refused has found the queue above its high
  /// mark, or the client gone.
  func tell(_ line: String, except sender: Client) {
    let bytes = Array((line + "\n").utf8)
    for client in clients.values where client !== sender && !client.isLost {
      if !client.write(bytes) { lose(client) }
    }
  }

  /// Marks only: whoever walks through the clients is not to find them changed.
  func lose(_ client: Client) {
    client.isLost = true
    lost.append(client)
  }

  /// Closes the clients that are lost, and tells the others, which may lose some more.
  func dropLost() {
    while let client = lost.popLast() {
      clients[ObjectIdentifier(client)] = nil
      client.close()
      tell("* \(client.name) has left", except: client)
    }
  }

  func close() {
    listener?.close()
    for client in clients.values { client.close() }
    clients = [:]
  }
}

final class Client {
  /// Nobody types a longer line, in bytes.
  private static let lineLimit = 1024
  /// Bytes that may wait for a client. Who lags further behind than that is dropped.
  private static let highMark = 65_536
  private static let longestName = 31

  private(set) var name: String
  var isLost = false
  private unowned let server: Server
  private var stream: EddyCore.Stream?
  /// What has come of a line that has not ended.
  private var line: [UInt8] = []

  init(of server: Server, name: String) {
    self.server = server
    self.name = name
  }

  func open(_ loop: Loop, _ fd: Int32) throws {
    var configuration = StreamConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.writeHighMark = Self.highMark
    configuration.onRead = { _, bytes, count, context in
      Unmanaged<Client>.fromOpaque(context!).takeUnretainedValue()
        .received(UnsafeBufferPointer(start: bytes, count: max(0, count)), hasEnded: count < 0)
    }
    let stream = try EddyCore.Stream(loop: loop, accepted: fd, configuration: configuration)
    self.stream = stream
    stream.readStart()
  }

  /// A read brings part of a line, or several: lines are cut here.
  private func received(_ bytes: UnsafeBufferPointer<UInt8>, hasEnded: Bool) {
    if hasEnded { server.lose(self) }
    for byte in bytes where !isLost {
      if byte == UInt8(ascii: "\n") {
        handle(String(decoding: line, as: UTF8.self))
        line.removeAll(keepingCapacity: true)
      } else if line.count == Self.lineLimit {
        server.lose(self)
      } else if byte >= UInt8(ascii: " ") {  // no control characters for the others' terminals
        line.append(byte)
      }
    }
    server.dropLost()
  }

  private func handle(_ line: String) {
    let command = "/nick "
    if line.hasPrefix(command) {
      let newName = String(line.dropFirst(command.count).prefix(Self.longestName))
      server.tell("* \(name) is now \(newName)", except: self)
      name = newName
    } else {
      server.tell("\(name): \(line)", except: self)
    }
  }

  func write(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { stream?.write($0) ?? -1 } >= 0
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

guard CommandLine.arguments.count == 2 else {
  warn("usage: chat ADDRESS     for example 127.0.0.1:7008")
  exit(2)
}
let address = CommandLine.arguments[1]

do {
  try EventLoop.run { loop in
    let server = try Server(loop.core, address: address)
    print("listening on \(server.address); Ctrl-C ends")
    fflush(nil)
    for await _ in try loop.signals(SIGINT, SIGTERM) { break }
    server.close()
  }
} catch let error as EddyError {
  warn("chat: \(address): \(error.message)")
  exit(error.code == EDDY_EADDRFORMAT ? 2 : 1)
}
