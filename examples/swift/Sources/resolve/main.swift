// resolve: looks up host names, all at once, within a time limit.
//
//   swift run resolve 5 443 localhost example.org example.net
//
// It shows lookups that run beside each other, each with a deadline, and how a callback of the
// reactor becomes an `async` function. The answers are printed in the order of the names, whichever
// came first.

import Eddy
import EddyCore
import Glibc

/// One lookup. It keeps itself until its callback comes.
final class Query {
  private let continuation: CheckedContinuation<[eddy_address], any Error>
  private var lookup: Lookup?

  private init(_ continuation: CheckedContinuation<[eddy_address], any Error>) {
    self.continuation = continuation
  }

  /// The addresses of a host, the best first. The loop's thread.
  /// - Throws: ``EddyError``; `EDDY_ETIMEDOUT` when the time limit is over.
  static func addresses(
    of host: String, port: Int, within limit: Duration, on loop: EventLoop
  ) async throws -> [eddy_address] {
    try await withCheckedThrowingContinuation { continuation in
      Query(continuation).start(host, port, limit, loop)
    }
  }

  private func start(_ host: String, _ port: Int, _ limit: Duration, _ loop: EventLoop) {
    let own = Unmanaged.passRetained(self)  // given back by `done`, or below
    var configuration = LookupConfiguration()
    configuration.context = own.toOpaque()
    configuration.timeout = limit.clampedNanoseconds
    configuration.onDone = { _, status, addresses, count, context in
      Unmanaged<Query>.fromOpaque(context!).takeRetainedValue().done(
        status, UnsafeBufferPointer(start: addresses, count: count))
    }
    do {
      lookup = try Lookup(loop: loop.core, host: host, port: port, configuration: configuration)
    } catch {  // no lookup at all, such as an empty name
      own.release()
      continuation.resume(throwing: error)
    }
  }

  /// The addresses are only lent, but are plain values: copied, they are ours.
  private func done(_ status: Int32, _ addresses: UnsafeBufferPointer<eddy_address>) {
    lookup?.close()
    if status == 0 {
      continuation.resume(returning: Array(addresses))
    } else {
      continuation.resume(throwing: EddyError(code: status))
    }
  }
}

/// As a program would give it to connect(2): with the port.
func text(_ address: eddy_address) -> String {
  var address = address
  return String(unsafeUninitializedCapacity: 128) { buffer in
    buffer.withMemoryRebound(to: CChar.self) {
      Int(eddy_address_format(&address, $0.baseAddress, $0.count))
    }
  }
}

func warn(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

let arguments = CommandLine.arguments
guard arguments.count > 3, let seconds = Double(arguments[1]), seconds > 0, seconds < 1e6,
  let port = Int(arguments[2]), (1...65535).contains(port)
else {
  warn("usage: resolve SECONDS PORT NAME...     for example 5 443 localhost")
  exit(2)
}
let names = Array(arguments[3...])

let hasAll = try EventLoop.run { loop in
  // All of them are under way before the first is waited for.
  let lookups = names.map { name in
    Task(executorPreference: loop) {
      try await Query.addresses(of: name, port: port, within: .seconds(seconds), on: loop)
    }
  }
  var hasAll = true
  for (name, lookup) in zip(names, lookups) {
    switch await lookup.result {
    case .success(let addresses):
      for address in addresses { print(name, text(address)) }
    case .failure(let error as EddyError):
      warn("resolve: \(name): \(error.message)")
      hasAll = false
    case .failure(let error): throw error
    }
  }
  return hasAll
}
exit(hasAll ? 0 : 1)
