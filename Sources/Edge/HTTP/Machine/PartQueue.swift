/// Parts of requests that wait, first in, first out: two stacks, so that neither end moves the rest.
struct PartQueue<Piece: RandomAccessCollection<UInt8> & Sendable> {
  private var arriving: [RequestPart<Piece>] = []
  /// Last is next.
  private var leaving: [RequestPart<Piece>] = []

  var count: Int { arriving.count + leaving.count }
  var isEmpty: Bool { arriving.isEmpty && leaving.isEmpty }

  /// Whether a request ends in it.
  var hasEnd: Bool {
    (arriving + leaving).contains { if case .end = $0 { true } else { false } }
  }

  mutating func append(_ part: RequestPart<Piece>) { arriving.append(part) }

  mutating func popFirst() -> RequestPart<Piece>? {
    if leaving.isEmpty {
      leaving = arriving.reversed()
      arriving = []
    }
    return leaving.popLast()
  }
}
