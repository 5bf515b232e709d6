import EddyCore

/// The end, with grace or without.
extension HTTPEngine {
  /// Stops gracefully: stops listening; closes idle connections at once; gives the others
  /// `Connection: close` with their next answer.
  ///
  /// - Parameters:
  ///   - deadline: nanoseconds from now, after which what is left is closed, and its exchanges are
  ///     abandoned.
  ///   - done: called once from the loop when no connection is left. Not called if ``close()``
  ///     comes first. A second `drain` does nothing.
  public func drain(
    deadline: UInt64, context: UnsafeMutableRawPointer?,
    done: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void
  ) {
    guard !isDraining, !isClosed else { return }
    isDraining = true
    drainCallback = done
    drainContext = context
    closeListeners()
    forEachConnection { $0.beginDraining() }
    guard connections.count > 0 else { return postDrained() }
    let timer = Timer(loop: loop, context: Unmanaged.passUnretained(self).toOpaque()) {
      _, context in
      let engine = Unmanaged<HTTPEngine>.fromOpaque(context.unsafelyUnwrapped)
        .takeUnretainedValue()
      engine.forEachConnection { $0.tearDown() }
    }
    drainTimer = timer
    timer.start(delay: deadline)
  }

  /// Closes everything at once: listeners, connections, timers. Exchanges that wait for an answer
  /// are abandoned. Call it before the engine is freed; a second call does nothing.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    closeListeners()
    drainTimer?.close()
    drainTimer = nil
    drainCallback = nil
    forEachConnection { $0.tearDown() }
    for list in [headDeadlines, idleDeadlines, bodyDeadlines, writeDeadlines, lingerDeadlines] {
      list.close()
    }
  }

  private func closeListeners() {
    for listener in listeners { listener.close() }
    listeners.removeAll()
  }

  private func forEachConnection(_ body: (Connection) -> Void) {
    for slot in 0..<connections.slotCount {
      if let connection = connections.connection(at: slot) { body(connection) }
    }
  }

  /// The callback comes from the loop, not from inside whatever closed the last connection.
  func postDrained() {
    guard drainCallback != nil else { return }
    loop.post(
      { context, _ in
        Unmanaged<HTTPEngine>.fromOpaque(context!).takeRetainedValue().finishDraining()
      }, Unmanaged.passRetained(self).toOpaque())
  }

  private func finishDraining() {
    guard let done = drainCallback, connections.count == 0 else { return }
    drainCallback = nil
    drainTimer?.close()
    drainTimer = nil
    done(drainContext)
  }
}

extension Connection {
  fileprivate func beginDraining() {
    guard phase == .head, !isHeadPartial, input.isEmpty else { return }
    if hasUnwritten { linger() } else if isIdle { close() }
  }
}
