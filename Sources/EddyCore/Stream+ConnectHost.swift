import CLibev

extension Stream {
  /// Starts to connect to a host by its name: looks it up, and tries its addresses, IPv6 and IPv4 by
  /// turns, each a little after the last, until one is connected (Happy Eyeballs, RFC 8305).
  /// `onConnect` tells the outcome, always from the loop; `connectTimeout` holds for all of it.
  /// - Parameters:
  ///   - host: a name, or an address as text without brackets.
  ///   - port: 1 to 65,535.
  /// - Throws: `EDDY_EINVAL`, also without `onConnect`; what `Lookup` throws.
  public static func connect(
    loop: Loop, host: String, port: Int, configuration: StreamConfiguration
  ) throws(EddyError) -> Stream {
    let stream = host.withCString { host in
      Result { () throws(EddyError) in
        try connect(loop: loop, to: host, port: port, configuration: configuration)
      }
    }
    return try stream.get()
  }

  static func connect(
    loop: Loop, to host: UnsafePointer<CChar>, port: Int, configuration: StreamConfiguration
  ) throws(EddyError) -> Stream {
    guard port > 0 else { throw EddyError(EDDY_EINVAL) }
    return try makeConnecting(loop, fd: -1, configuration) { pending throws(EddyError) in
      var lookup = LookupConfiguration()
      lookup.context = UnsafeMutableRawPointer(pending)
      lookup.timeout = Timer.maximumDelay  // the stream's own timer ends it
      lookup.onDone = { _, status, addresses, count, pending in
        pending.unsafelyUnwrapped.assumingMemoryBound(to: PendingConnection.self)
          .pointee.stream?._withUnsafeGuaranteedRef {
            $0.hostWasFound(status, UnsafeBufferPointer(start: addresses, count: count))
          }
      }
      let started = try Lookup(loop: loop, host: host, port: port, configuration: lookup)
      pending.pointee.lookup = .passUnretained(started)
    }
  }

  private func hostWasFound(_ status: Int32, _ addresses: UnsafeBufferPointer<eddy_address>) {
    guard let connection, status == 0 else { return report(status) }
    do throws(EddyError) {
      let race = try ConnectionRace(
        loop: loop, addresses: addresses,
        attemptDelay: connection.pointee.configuration.attemptDelay,
        owner: UnsafeMutableRawPointer(opaque)
      ) { stream, fd, status in
        Unmanaged<Stream>.fromOpaque(stream)._withUnsafeGuaranteedRef {
          $0.raceHasEnded(fd, status)
        }
      }
      connection.pointee.race = race
      connection.pointee.lookup?._withUnsafeGuaranteedRef { $0.close() }
      connection.pointee.lookup = nil
      race.start()
    } catch {
      report(error.code)
    }
  }

  private func raceHasEnded(_ fd: Int32, _ status: Int32) {
    if fd >= 0 {
      connection?.pointee.configuration.applyOptions(to: fd)
      adopt(fd)
    }
    report(status)
  }
}
