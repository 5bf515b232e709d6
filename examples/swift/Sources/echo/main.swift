// echo: sends back whatever each client sends.
//
//   swift run echo 127.0.0.1:7007        (or unix:/tmp/echo.sock)
//   nc 127.0.0.1 7007
//
// It shows the reactor's own listener and streams, backpressure, and a program that waits for a
// signal with `for await`.

import Eddy
import EddyCore
import Glibc

/// Confined to the loop's thread, as are its clients.
final class Server {
  private let loop: Loop
  private var listener: Listener?
  private var clients: [ObjectIdentifier: Client] = [:]

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

  /// The descriptor is ours: it becomes a stream, or is closed.
  private func accepted(_ fd: Int32) {
    let client = Client(of: self)
    do {
      try client.open(loop, fd)
      clients[ObjectIdentifier(client)] = client
    } catch {
      warn("echo: \(error)")
      _ = Glibc.close(fd)
    }
  }

  /// The server's hold on a client is what keeps it alive.
  func remove(_ client: Client) {
    clients[ObjectIdentifier(client)] = nil
  }

  func close() {
    listener?.close()
    for client in clients.values { client.close() }
  }
}

final class Client {
  private unowned let server: Server
  private var stream: EddyCore.Stream?
  /// The peer has sent its last byte.
  private var hasEnded = false

  init(of server: Server) {
    self.server = server
  }

  func open(_ loop: Loop, _ fd: Int32) throws {
    var configuration = StreamConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onRead = { _, bytes, count, context in
      Client.of(context).received(UnsafeRawBufferPointer(start: bytes, count: max(0, count)), count)
    }
    configuration.onDrain = { _, status, context in Client.of(context).drained(status) }
    let stream = try EddyCore.Stream(loop: loop, accepted: fd, configuration: configuration)
    self.stream = stream
    stream.readStart()
  }

  /// The callbacks of C know the client by a pointer.
  private static func of(_ context: UnsafeMutableRawPointer?) -> Client {
    Unmanaged<Client>.fromOpaque(context!).takeUnretainedValue()
  }

  private func received(_ bytes: UnsafeRawBufferPointer, _ count: Int) {
    guard let stream else { return }
    if count < 0 {
      // EDDY_EOF ends the client's side; what is still queued for it goes out first.
      hasEnded = true
      if count != EDDY_EOF || stream.queued == 0 { close() }
      return
    }
    let queued = stream.write(bytes)
    if queued < 0 {
      close()
    } else if queued > 0 {
      // The client reads more slowly than it writes: take nothing more until it has drained.
      stream.readStop()
    }
  }

  private func drained(_ status: Int32) {
    if status < 0 || hasEnded {
      close()
    } else {
      stream?.readStart()
    }
  }

  /// No callback comes after this, so the client may go.
  func close() {
    stream?.close()
    stream = nil
    server.remove(self)
  }
}

func warn(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

guard CommandLine.arguments.count == 2 else {
  warn("usage: echo ADDRESS     for example 127.0.0.1:7007 or unix:/tmp/echo.sock")
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
  warn("echo: \(address): \(error.message)")
  exit(error.code == EDDY_EADDRFORMAT ? 2 : 1)
}
