/// Finds what somebody meant who wrote something else.
enum Spelling {
  /// The candidate nearest to `word`, if it is near enough to be meant by it.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    let lowercased = word.lowercased()
    let measured = candidates.map { ($0, distance(lowercased, $0.lowercased())) }
    guard let best = measured.min(by: { $0.1 < $1.1 }), best.1 <= max(1, word.count / 3) else {
      return nil
    }
    return best.0
  }

  /// How many letters have to be inserted, left out or replaced (Levenshtein).
  static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var previous = Array(0...right.count)
    for (row, letter) in left.enumerated() {
      var current = [row + 1]
      for (column, other) in right.enumerated() {
        current.append(
          min(
            previous[column + 1] + 1, current[column] + 1,
            previous[column] + (letter == other ? 0 : 1)))
      }
      previous = current
    }
    return previous[right.count]
  }
}
