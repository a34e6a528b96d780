/// A string that every match of a pattern contains.
struct PatternFactor: Sendable {
  /// With `isFolded` ASCII letters are lower case and stand for both.
  var bytes: [UInt8] = []
  var isFolded = false
  var before = Neighbour.any
  var after = Neighbour.any

  /// What can come right before (or after) it.
  enum Neighbour {
    case any
    /// Characters of no word, or nothing.
    case gap
    /// Nothing, or a line feed.
    case end
  }

  /// Words (ASCII lower-cased) that lie in the factor and that nothing around it makes longer, as `split`
  /// splits texts.
  func words(_ split: WordSplit) -> [[UInt8]] {
    func isBounded(_ neighbour: Neighbour) -> Bool {
      switch neighbour {
      case .any: false
      // The gap may be a character beyond ASCII.
      case .gap: split == .characters
      case .end: true
      }
    }
    return split.words(of: bytes).filter {
      ($0.lowerBound > 0 || isBounded(before)) && ($0.upperBound < bytes.count || isBounded(after))
    }.map { bytes[$0].map(\.asciiLowercased) }
  }
}

extension UInt8 {
  /// The lower-case letter for an ASCII upper-case one, else the byte itself.
  var asciiLowercased: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
  var isASCIILetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }
}

/// Walks a pattern and collects the strings every match contains.
struct PatternFactors {
  /// A repetition is unrolled at most this often: longer factors find no more.
  static let copiesMax = 8
  /// Short literals are put together to no more than this.
  static let bytesMax = LiteralFinder.needleBytesMax

  private(set) var factors: [PatternFactor] = []
  private var run = PatternFactor()
  /// Nested repetitions multiply: after this many nodes nothing more is collected.
  private var budget = 10_000

  init(_ node: PatternNode) {
    visit(node)
    close()
  }

  /// The factor to search for first: the longest.
  var best: PatternFactor? { factors.max { $0.bytes.count < $1.bytes.count } }

  private mutating func close() {
    if !run.bytes.isEmpty {
      if run.isFolded { run.bytes = run.bytes.map(\.asciiLowercased) }
      factors.append(run)
    }
    run = PatternFactor()
  }

  private mutating func visit(_ node: PatternNode) {
    budget -= 1
    guard budget > 0 else {
      close()
      return
    }
    switch node {
    case .empty: break
    case .literal(let bytes, let ignoreCase):
      if !run.bytes.isEmpty, run.bytes.count + bytes.count > PatternFactors.bytesMax { close() }
      run.bytes += bytes
      if ignoreCase { run.isFolded = true }
    case .set, .alternation: close()
    case .assertion(let assertion): visit(assertion)
    case .concatenation(let parts): for part in parts { visit(part) }
    case .group(let body, _): visit(body)
    case .repetition(let body, let min, let max, _):
      for _ in 0..<Swift.min(min, PatternFactors.copiesMax) { visit(body) }
      if max != min || min > PatternFactors.copiesMax { close() }
    }
  }

  private mutating func visit(_ assertion: PatternNode.Assertion) {
    switch assertion {
    case .textStart, .lineStart: if run.bytes.isEmpty { run.before = .end }
    case .tokenStart: if run.bytes.isEmpty { run.before = .gap }
    case .textEnd, .lineEnd:
      run.after = .end
      close()
    case .tokenEnd:
      run.after = .gap
      close()
    case .wordBoundary, .notWordBoundary: break
    }
  }
}
