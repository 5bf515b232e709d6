/// The path of a route: literal segments, `{name}` for any one segment, and at the end
/// `{name...}` for all that is left.
struct RoutePattern {
  enum Segment: Equatable {
    case literal([UInt8])
    case parameter
    case rest
  }

  let text: String
  let segments: [Segment]
  /// Of the parameters, from left to right.
  let names: [String]

  /// - Precondition: `text` begins with `/`; names are there, differ, and fill their segment; the
  ///   rest comes last. A route is part of the program, so anything else is a mistake in it.
  init(_ text: String) {
    precondition(text.hasPrefix("/"), "The route \(text) does not begin with a slash.")
    var segments: [Segment] = []
    var names: [String] = []
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      precondition(segments.last != .rest, "In the route \(text), something follows the rest.")
      guard part.hasPrefix("{"), part.hasSuffix("}") else {
        precondition(
          !part.contains { $0 == "{" || $0 == "}" },
          "In the route \(text), braces stand for a whole segment; \(part) is more.")
        segments.append(.literal(Array(part.utf8)))
        continue
      }
      let isRest = part.hasSuffix("...}")
      let name = String(part.dropFirst().dropLast(isRest ? 4 : 1))
      precondition(!name.isEmpty, "In the route \(text), a parameter has no name.")
      precondition(!names.contains(name), "The route \(text) has two parameters \(name).")
      names.append(name)
      segments.append(isRest ? .rest : .parameter)
    }
    self.text = text
    self.segments = segments
    self.names = names
  }
}
