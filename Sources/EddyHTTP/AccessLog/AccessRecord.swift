import EddyHTTPCore

/// What a line is made of.
struct AccessRecord {
  /// The client's address, without the port.
  var client: String
  /// The request's head as it was sent; empty if it could not be read.
  var head: [UInt8] = []
  var method = ByteRange()
  var target = ByteRange()
  var minorVersion: UInt8 = 1
  var referer: ByteRange?
  var userAgent: ByteRange?
  /// Monotonic, in nanoseconds.
  var begin: UInt64
  /// Nil before the answer begins.
  var status: Int?
  /// Of the answer's content.
  var bytes = 0

  subscript(range: ByteRange) -> ArraySlice<UInt8> {
    head[Int(range.start)..<Int(range.start + range.count)]
  }

  /// Of a request whose head could not be read.
  init(client: String, begin: UInt64) {
    self.client = client
    self.begin = begin
  }

  init(client: String, begin: UInt64, head view: borrowing RequestHead) {
    self.init(client: client, begin: begin)
    head = Array(view.bytes)
    method = view.methodRange
    target = view.targetRange
    minorVersion = view.minorVersion
    for index in 0..<view.fieldCount {
      let ranges = view.fieldRanges(index)
      switch ranges.name.count {
      case 7 where referer == nil && view[ranges.name].isName("referer"): referer = ranges.value
      case 10 where userAgent == nil && view[ranges.name].isName("user-agent"):
        userAgent = ranges.value
      default: break
      }
    }
  }
}

// MARK: - Lines

extension AccessRecord {
  /// Appends the line, with its end.
  ///
  /// - Parameters:
  ///   - end: when the answer ended, on the clock of `begin`.
  ///   - time: the same moment in the format's notation.
  func append(_ format: AccessLog.Format, end: UInt64, time: String, to line: inout [UInt8]) {
    switch format {
    case .combined: appendCombined(time, to: &line)
    case .json: appendJSON(time, duration: end &- begin, to: &line)
    }
  }

  private func appendCombined(_ time: String, to line: inout [UInt8]) {
    AccessLogText.append(client.utf8, to: &line)
    line += " - - [\(time)] \"".utf8
    if head.isEmpty {
      line += "-".utf8
    } else {
      AccessLogText.append(self[method], to: &line)
      line += " ".utf8
      AccessLogText.append(AccessLogText.shortened(self[target]), to: &line)
      line += " HTTP/1.\(minorVersion)".utf8
    }
    line += "\" \(status ?? 0) \(bytes)".utf8
    for part in [referer, userAgent] {
      line += " \"".utf8
      if let part {
        AccessLogText.append(AccessLogText.shortened(self[part]), to: &line)
      } else {
        line += "-".utf8
      }
      line += "\"".utf8
    }
    line += "\n".utf8
  }

  private func appendJSON(_ time: String, duration: UInt64, to line: inout [UInt8]) {
    func member(_ name: String, _ range: ByteRange?) {
      line += ",\"\(name)\":".utf8
      guard let range, !head.isEmpty else {
        line += "null".utf8
        return
      }
      AccessLogText.appendJSON(AccessLogText.shortened(self[range]), to: &line)
    }
    line += "{\"time\":\"\(time)\",\"client\":".utf8
    AccessLogText.appendJSON(client.utf8, to: &line)
    member("method", method)
    member("target", target)
    line += ",\"protocol\":".utf8
    line += (head.isEmpty ? "null" : "\"HTTP/1.\(minorVersion)\"").utf8
    let microseconds = duration / 1000
    let fraction = String(microseconds % 1_000_000 + 1_000_000).dropFirst()
    line += ",\"status\":\(status ?? 0),\"bytes\":\(bytes)".utf8
    line += ",\"duration\":\(microseconds / 1_000_000).\(fraction)".utf8
    member("referer", referer)
    member("userAgent", userAgent)
    line += "}\n".utf8
  }
}
