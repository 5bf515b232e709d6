import EddyHTTPCore

/// The records of a server's requests whose answers are not finished. On the loop's thread.
final class AccessRecords {
  private let log: AccessLog
  private var records: [Exchange: AccessRecord] = [:]
  private var clock = AccessLogClock()
  /// The memory that lines are rendered in.
  private var line: [UInt8] = []
  /// The address of the last connection: that of the next request, as often as not.
  private var lastClient: (connection: UInt64, address: String)?

  /// nginx's status for a client that went away before it got an answer.
  private static let clientClosedRequest = 499

  init(log: AccessLog) {
    self.log = log
  }

  /// - Parameters:
  ///   - forwarded: what a trusted proxy says of the client.
  ///   - peer: gives the connection's other end.
  func begin(
    _ exchange: Exchange, _ head: borrowing RequestHead, _ forwarded: ForwardedClient?,
    peer: () -> String?
  ) {
    let client =
      forwarded.map { Self.withoutPort($0.address) } ?? address(of: exchange, peer: peer)
    records[exchange] = AccessRecord(client: client, begin: AccessLogClock.monotonic, head: head)
  }

  /// The answer's head is written, or about to be.
  func answer(_ exchange: Exchange, status: Int, bytes: Int = 0) {
    guard records[exchange]?.status == nil else { return }
    // As the engine does with a status that is none.
    records[exchange]?.status = (200...599).contains(status) ? status : 500
    records[exchange]?.bytes = bytes
  }

  func wrote(_ exchange: Exchange, _ count: Int) {
    records[exchange]?.bytes += count
  }

  /// Nothing more will be written: the answer is whole, or will never be.
  func end(_ exchange: Exchange) {
    guard let record = records.removeValue(forKey: exchange) else { return }
    write(record)
  }

  /// The engine has answered, perhaps before it could read a head.
  func refused(_ exchange: Exchange, status: Int, bytes: Int, peer: () -> String?) {
    var record =
      records.removeValue(forKey: exchange)
      ?? AccessRecord(
        client: address(of: exchange, peer: peer), begin: AccessLogClock.monotonic)
    record.status = status
    record.bytes = bytes
    write(record)
  }

  private func write(_ record: AccessRecord) {
    var record = record
    record.status = record.status ?? Self.clientClosedRequest
    line.removeAll(keepingCapacity: true)
    record.append(
      log.format, end: AccessLogClock.monotonic, time: clock.text(for: log.format), to: &line)
    log.queue.append(line)
  }

  private func address(of exchange: Exchange, peer: () -> String?) -> String {
    if let lastClient, lastClient.connection == exchange.connectionNumber {
      return lastClient.address
    }
    guard let peer = peer() else { return "-" }
    let address = Self.withoutPort(peer)
    lastClient = (exchange.connectionNumber, address)
    return address
  }

  private static func withoutPort(_ text: String) -> String {
    Endpoint(text)?.address.text ?? text
  }
}
