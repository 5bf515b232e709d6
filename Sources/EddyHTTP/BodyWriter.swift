import Eddy
import EddyHTTPCore

/// Writes the content of an answer piece by piece.
public struct BodyWriter: Sendable {
  /// The client is gone, so that nothing can be written.
  public struct ClientGone: Error {}

  let dispatcher: ExchangeDispatcher
  let exchange: Exchange

  /// Sends `bytes`, and waits while the client is slower than what is written. Any thread.
  ///
  /// - Throws: ``ClientGone``.
  public func write(_ bytes: [UInt8]) async throws {
    guard !bytes.isEmpty else { return }
    if dispatcher.loop.isOnLoop {
      try await dispatcher.write(bytes, to: exchange)
    } else {
      try await withTaskExecutorPreference(dispatcher.loop) {
        try await dispatcher.write(bytes, to: exchange)
      }
    }
  }

  /// Sends `text` in UTF-8; otherwise as ``write(_:)-([UInt8])``.
  public func write(_ text: String) async throws {
    try await write(Array(text.utf8))
  }
}
