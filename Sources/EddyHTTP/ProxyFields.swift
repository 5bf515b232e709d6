import EddyHTTPCore

/// The lines of a request's head in which a proxy says who its client is.
struct ProxyFields: Sendable {
  var forwarded: [String] = []
  var forwardedFor: [String] = []
  var forwardedProto: [String] = []
  var realIP: [String] = []
  var scheme: [String] = []

  var isEmpty: Bool {
    forwarded.isEmpty && forwardedFor.isEmpty && forwardedProto.isEmpty && realIP.isEmpty
      && scheme.isEmpty
  }
}

extension ProxyFields {
  init(_ head: borrowing RequestHead) {
    for index in 0..<head.fieldCount {
      let (name, value) = head[field: index]
      switch name.count {
      case 8 where name.isName("x-scheme"): scheme.append(Self.text(value))
      case 9 where name.isName("forwarded"): forwarded.append(Self.text(value))
      case 9 where name.isName("x-real-ip"): realIP.append(Self.text(value))
      case 15 where name.isName("x-forwarded-for"): forwardedFor.append(Self.text(value))
      case 17 where name.isName("x-forwarded-proto"): forwardedProto.append(Self.text(value))
      default: break
      }
    }
  }

  private static func text(_ value: UnsafeRawBufferPointer) -> String {
    String(decoding: value, as: UTF8.self)
  }
}

extension UnsafeRawBufferPointer {
  /// - Parameter lowercaseName: of the same length.
  func isName(_ lowercaseName: StaticString) -> Bool {
    for index in 0..<count {
      let byte = self[index]
      let isUppercase = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      guard (isUppercase ? byte | 0x20 : byte) == lowercaseName.utf8Start[index] else {
        return false
      }
    }
    return true
  }
}

/// What one of the fields, or pair of fields, says about the way of a request.
struct ProxyClaim {
  /// A hop each, the nearest one last; nil for what is no address.
  var hops: [Endpoint?] = []
  /// As many as hops, or those of the nearest ones.
  var schemes: [String?] = []

  var isSilent: Bool { hops.isEmpty && schemes.isEmpty }

  /// The scheme that a hop used.
  func scheme(ofHop index: Int) -> String? {
    schemes.count == hops.count ? schemes[index] : schemes.last ?? nil
  }

  /// `Forwarded` (RFC 7239 §4).
  init(forwarded lines: [String]) {
    for line in lines {
      guard let elements = ForwardedElements.parse(line) else {
        // It can't be told where the proxy's own part of the line begins: an open quotation mark
        // of the client's swallows it. Nothing of it, and nothing before it, counts.
        hops = [nil]
        schemes = [nil]
        continue
      }
      for element in elements {
        hops.append(element.for.flatMap { Endpoint($0) })
        schemes.append(element.proto.flatMap(Self.scheme))
      }
    }
  }

  /// `X-Forwarded-For`, `X-Forwarded-Proto`: lists.
  init(addresses: [String], schemes: [String]) {
    hops = Self.members(addresses).map { Endpoint($0) }
    self.schemes = Self.members(schemes).map(Self.scheme)
  }

  /// `X-Real-IP`, `X-Scheme`: single values. Of several, it can't be told which is the proxy's.
  init(address: [String], scheme: [String]) {
    if !address.isEmpty { hops = [address.count == 1 ? Endpoint(address[0]) : nil] }
    if !scheme.isEmpty { schemes = [scheme.count == 1 ? Self.scheme(scheme[0]) : nil] }
  }

  private static func members(_ lines: [String]) -> [Substring] {
    lines.flatMap { $0.split(separator: ",") }
      .map { $0.trimmingBlanks }.filter { !$0.isEmpty }
  }

  private static func scheme(_ text: some StringProtocol) -> String? {
    let scheme = text.lowercased()
    return scheme == "http" || scheme == "https" ? scheme : nil
  }
}

extension Substring {
  fileprivate var trimmingBlanks: Substring {
    var part = self.drop { $0 == " " || $0 == "\t" }
    while let last = part.last, last == " " || last == "\t" { part.removeLast() }
    return part
  }
}
