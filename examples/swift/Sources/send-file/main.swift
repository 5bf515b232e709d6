// send-file: sends one file to each client.
//
//   swift run send-file /etc/services 10 127.0.0.1:7011       (10: seconds of silence that it bears)
//   nc 127.0.0.1 7011
//   systemd-socket-activate -l 7011 send-file /etc/services 10
//
// It shows a file that the kernel sends by itself, behind a header that is not copied; a socket that
// a service manager has opened; an idle deadline, keep-alive, and half-close.

import Eddy
import EddyCore
import Glibc

/// Confined to the loop's thread, as are its clients.
final class Server {
  /// A peer that vanished without a word is found out after about this long.
  private static let keepAlive = 60 * EDDY_SECOND

  private let loop: Loop
  private let idleTimeout: UInt64
  private var listener: Listener?
  private var clients: [ObjectIdentifier: Client] = [:]
  let file: Int32

  /// - Parameter address: nil for the socket that a service manager has passed.
  init(_ loop: Loop, file: Int32, idleTimeout: UInt64, address: String?) throws(EddyError) {
    self.loop = loop
    self.file = file
    self.idleTimeout = idleTimeout
    var configuration = ListenerConfiguration()
    configuration.keepAlive = Self.keepAlive
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.onAccept = { _, fd, context in
      Unmanaged<Server>.fromOpaque(context!).takeUnretainedValue().accepted(fd)
    }
    if let address {
      listener = try Listener(loop: loop, address: address, configuration: configuration)
    } else {  // the first of them, if there are several
      listener = try Listener(
        loop: loop, adopting: Int32(EDDY_LISTEN_FDS_START), configuration: configuration)
    }
  }

  var address: String { listener?.addressText ?? "" }

  private func accepted(_ fd: Int32) {
    let client = Client(of: self)
    do {
      try client.open(loop, fd, idleTimeout)
    } catch {
      warn("send-file: \(error.message)")
      _ = Glibc.close(fd)
      return
    }
    clients[ObjectIdentifier(client)] = client
    client.sendAll()
  }

  func remove(_ client: Client) {
    clients[ObjectIdentifier(client)] = nil
  }

  func close() {
    listener?.close()
    for client in clients.values { client.end() }  // its header tells it what is missing
    _ = Glibc.close(file)
  }
}

final class Client {
  private unowned let server: Server
  private var stream: EddyCore.Stream?
  /// Stays as it is until it is written.
  private var header: UnsafeMutableBufferPointer<UInt8>?

  init(of server: Server) {
    self.server = server
  }

  func open(_ loop: Loop, _ fd: Int32, _ idleTimeout: UInt64) throws(EddyError) {
    var configuration = StreamConfiguration()
    configuration.context = Unmanaged.passUnretained(self).toOpaque()
    configuration.idleTimeout = idleTimeout
    configuration.onIdle = { _, context in
      warn("send-file: a client is idle")  // it neither takes what it is sent nor ends
      Client.of(context).end(byReset: true)
    }
    configuration.onRead = { _, _, count, context in
      // What it says is of no interest; that it ends is: it has got all then, or given up.
      if count < 0 { Client.of(context).end() }
    }
    stream = try EddyCore.Stream(loop: loop, accepted: fd, configuration: configuration)
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> Client {
    Unmanaged<Client>.fromOpaque(context!).takeUnretainedValue()
  }

  func sendAll() {
    var status = stat()
    guard let stream, fstat(server.file, &status) == 0 else { return end(byReset: true) }
    let header = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64)
    let length = header.update(fromContentsOf: Array("length \(status.st_size)\n".utf8))
    self.header = header
    let context = Unmanaged.passUnretained(self).toOpaque()
    let queued = withUnsafePointer(
      to: eddy_buffer(data: UnsafeRawPointer(header.baseAddress), length: length)
    ) {
      stream.write(
        buffers: UnsafeBufferPointer(start: $0, count: 1), context: context, done: Client.onWritten)
    }
    let isQueued =
      queued >= 0
      && stream.sendFile(
        server.file, from: 0, count: UInt64(status.st_size), context: context,
        done: Client.onSent) >= 0
    if !isQueued || stream.readStart() < 0 { end(byReset: true) }
  }

  private static let onWritten: eddy_write_cb = { status, context in
    guard status < 0, status != EDDY_ECANCELED else { return }
    warn("send-file: \(EddyError(code: status).message)")
    Client.of(context).end(byReset: true)
  }

  /// The end is sent only now: a file that has become shorter (`EDDY_EOF`) cannot be made good, and
  /// the client shall see a reset instead.
  private static let onSent: eddy_write_cb = { status, context in
    if status == 0 {
      Client.of(context).stream?.shutdown()
    } else {
      onWritten(status, context)
    }
  }

  /// The stream's callbacks know the client until the last of them, so that it stays until then.
  func end(byReset: Bool = false) {
    guard let stream else { return }
    self.stream = nil
    _ = Unmanaged.passRetained(self)
    let onClosed: eddy_close_cb = { Unmanaged<Client>.fromOpaque($0!).release() }
    if byReset {
      stream.reset(onClosed)
    } else {
      stream.close(onClosed)
    }
    server.remove(self)
  }

  deinit {
    header?.deallocate()
  }
}

func warn(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

func fail(_ what: String, _ message: String, status: Int32 = 1) -> Never {
  warn("send-file: \(what): \(message)")
  exit(status)
}

let arguments = CommandLine.arguments
let isActivated: Bool
do {
  isActivated = try !Listener.passedDescriptors().isEmpty
} catch {
  fail("LISTEN_FDS", error.message)
}
guard arguments.count == (isActivated ? 3 : 4), let seconds = Double(arguments[2]), seconds > 0,
  seconds < 1e6
else {
  warn("usage: send-file FILE SECONDS [ADDRESS]     ADDRESS unless LISTEN_FDS is set")
  exit(2)
}
let path = arguments[1]
let address = isActivated ? nil : arguments[3]
let file = open(path, O_RDONLY | O_CLOEXEC)
guard file >= 0 else { fail(path, String(cString: strerror(errno))) }

do {
  try EventLoop.run { loop in
    let server = try Server(
      loop.core, file: file, idleTimeout: UInt64(seconds * Double(EDDY_SECOND)), address: address)
    print("listening on \(server.address); Ctrl-C ends")
    fflush(nil)
    for await _ in try loop.signals(SIGINT, SIGTERM) { break }
    server.close()
  }
} catch let error as EddyError {
  fail(
    address ?? "LISTEN_FDS", error.message, status: error.code == EDDY_EADDRFORMAT ? 2 : 1)
}
