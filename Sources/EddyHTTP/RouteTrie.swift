import HTTPTypes

/// The routes as a tree of path segments.
///
/// Literals are compared one after the other: below one path there are few, and a comparison of
/// two short runs of bytes costs less than a hash of one.
final class RouteTrie<Endpoint> {
  private final class Node {
    var literals: [(segment: [UInt8], node: Node)] = []
    var parameter: Node?
    var endpoints: [(method: HTTPRequest.Method, value: Endpoint)] = []
    /// The routes that end in `{name...}` here.
    var rest: [(method: HTTPRequest.Method, value: Endpoint)] = []
  }

  enum Outcome {
    /// The route, and what its parameters matched, decoded.
    case found(Endpoint, [String])
    /// Routes match the path, with these methods only.
    case otherMethods([HTTPRequest.Method])
    case notFound
    /// A percent sign is not followed by two hexadecimal digits, or a parameter is not UTF-8.
    case malformed
  }

  private let root = Node()

  /// - Precondition: no route has the method and a pattern that matches the same paths.
  func insert(_ pattern: RoutePattern, _ method: HTTPRequest.Method, _ endpoint: Endpoint) {
    var node = root
    var endsInRest = false
    for segment in pattern.segments {
      switch segment {
      case .literal(let bytes):
        if let known = node.literals.first(where: { $0.segment == bytes }) {
          node = known.node
        } else {
          let next = Node()
          node.literals.append((bytes, next))
          node = next
        }
      case .parameter:
        let next = node.parameter ?? Node()
        node.parameter = next
        node = next
      case .rest:
        endsInRest = true
      }
    }
    let taken = endsInRest ? node.rest : node.endpoints
    precondition(
      !taken.contains { $0.method == method },
      "There is a route for \(method) \(pattern.text) already.")
    if endsInRest {
      node.rest.append((method, endpoint))
    } else {
      node.endpoints.append((method, endpoint))
    }
  }

  /// The route for a path. A literal goes before a parameter, a parameter before the rest; of
  /// those that match, the first that has the method is taken.
  ///
  /// - Parameters:
  ///   - path: as it was sent. Its segments are split first and decoded then, so that an encoded
  ///     slash does not separate, and `%61` matches `a` (RFC 3986 §6.2.2.2).
  ///   - alternative: the method to take if there is no route with `method`: GET for HEAD.
  func find(
    _ method: HTTPRequest.Method, or alternative: HTTPRequest.Method? = nil,
    path: UnsafeRawBufferPointer
  ) -> Outcome {
    guard path.first == UInt8(ascii: "/") else { return .notFound }
    var search = Search(path: path, method: method, alternative: alternative)
    if let endpoint = search.visit(root, from: 1) {
      guard let values = search.decodedCaptures() else { return .malformed }
      return .found(endpoint, values)
    }
    if search.isMalformed { return .malformed }
    return search.methods.isEmpty ? .notFound : .otherMethods(search.methods)
  }

  private struct Search {
    let path: UnsafeRawBufferPointer
    let method: HTTPRequest.Method
    let alternative: HTTPRequest.Method?
    var captures: [Range<Int>] = []
    /// Of the routes that match the path but have another method.
    var methods: [HTTPRequest.Method] = []
    var isMalformed = false

    /// - Parameter start: where the next segment begins; past the end when there is none.
    mutating func visit(_ node: Node, from start: Int) -> Endpoint? {
      guard start <= path.count else { return choose(node.endpoints) }
      let slash = path[start...].firstIndex(of: UInt8(ascii: "/"))
      let segment = start..<(slash ?? path.count)
      if !node.literals.isEmpty, let next = literal(segment, in: node),
        let found = visit(next, from: segment.upperBound + 1)
      {
        return found
      }
      if let next = node.parameter, !segment.isEmpty {
        captures.append(segment)
        if let found = visit(next, from: segment.upperBound + 1) { return found }
        captures.removeLast()
      }
      if !node.rest.isEmpty, let found = choose(node.rest) {
        captures.append(start..<path.count)
        return found
      }
      return nil
    }

    private mutating func literal(_ segment: Range<Int>, in node: Node) -> Node? {
      let sent = path[segment]
      guard sent.contains(UInt8(ascii: "%")) else {
        return node.literals.first {
          $0.segment.count == sent.count && $0.segment.elementsEqual(sent)
        }?.node
      }
      guard let decoded = PercentDecoding.decode(sent) else {
        isMalformed = true
        return nil
      }
      return node.literals.first { $0.segment == decoded }?.node
    }

    private mutating func choose(
      _ endpoints: [(method: HTTPRequest.Method, value: Endpoint)]
    ) -> Endpoint? {
      if let exact = endpoints.first(where: { $0.method == method }) { return exact.value }
      if let alternative, let other = endpoints.first(where: { $0.method == alternative }) {
        return other.value
      }
      for endpoint in endpoints where !methods.contains(endpoint.method) {
        methods.append(endpoint.method)
      }
      return nil
    }

    func decodedCaptures() -> [String]? {
      var values: [String] = []
      values.reserveCapacity(captures.count)
      for capture in captures {
        guard let value = PercentDecoding.decodeText(path[capture]) else { return nil }
        values.append(value)
      }
      return values
    }
  }
}
