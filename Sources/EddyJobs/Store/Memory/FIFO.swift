/// A queue on an array: appends at the end, takes from the front, both in constant amortized time.
struct FIFO<Element> {
  private var elements: [Element] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { head == elements.count }
  var first: Element? { isEmpty ? nil : elements[head] }

  mutating func append(_ element: Element) { elements.append(element) }

  /// Puts an element before all others; constant time only if something was taken before.
  mutating func prepend(_ element: Element) {
    if head > 0 {
      head -= 1
      elements[head] = element
    } else {
      elements.insert(element, at: 0)
    }
  }

  mutating func popFirst() -> Element? {
    guard head < elements.count else { return nil }
    let element = elements[head]
    head += 1
    // The spent front is given back once it outweighs the rest.
    if head > 32, head * 2 > elements.count {
      elements.removeFirst(head)
      head = 0
    }
    return element
  }

  /// Keeps only what `isKept` says, in order.
  mutating func filter(_ isKept: (Element) -> Bool) {
    elements = elements[head...].filter(isKept)
    head = 0
  }
}
