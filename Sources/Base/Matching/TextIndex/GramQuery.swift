/// Three bytes in a row, ASCII letters in lower case: what gram filters hold.
struct Gram: Sendable, Hashable {
  let hash: UInt32
  /// Whether it is digits only, or hexadecimal digits only: a filter may say at once that it holds all of
  /// those.
  let isDigits: Bool
  let isHexadecimal: Bool

  init(_ first: UInt8, _ second: UInt8, _ third: UInt8) {
    let bytes = [first, second, third].map(\.asciiLowercased)
    hash = WordHash.hash(bytes)
    isDigits = bytes.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    isHexadecimal = bytes.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x61 && $0 <= 0x66 }
  }
}

/// The grams that every text a pattern matches has: words need no boundaries here, so that a page can be
/// passed over for a needle that starts or ends inside words. May ask for less than it could, never for more.
package struct GramQuery: Sendable {
  /// Grams asked for at one level of the tree; more tell no more.
  static let gramsMax = 64
  /// Choices looked at; a pattern with more is taken as if it had no alternation there.
  static let choicesMax = 64

  /// All of these.
  private(set) var required: [Gram] = []
  /// Of each of these at least one.
  private(set) var choices: [[GramQuery]] = []

  /// Whether every text is let through.
  package var isEmpty: Bool { required.isEmpty && choices.isEmpty }

  /// Asks for the grams of `text`.
  package init(text: [UInt8]) { add(text) }

  init(_ node: PatternNode) {
    var walk = GramWalk()
    self = walk.query(of: node)
  }

  fileprivate init() {}

  /// Whether a text may match among texts of which `mayContain` says what grams they may have.
  func passes<E: Error>(_ mayContain: (Gram) throws(E) -> Bool) throws(E) -> Bool {
    for gram in required where try !mayContain(gram) { return false }
    for choice in choices {
      var isOpen = false
      for query in choice where !isOpen { isOpen = try query.passes(mayContain) }
      if !isOpen { return false }
    }
    return true
  }

  fileprivate mutating func add(_ text: [UInt8]) {
    for start in text.indices.dropLast(2) {
      if required.count == GramQuery.gramsMax { return }
      let gram = Gram(text[start], text[start + 1], text[start + 2])
      if !required.contains(gram) { required.append(gram) }
    }
  }

  fileprivate mutating func add(choice: [GramQuery]) {
    if choice.count <= GramQuery.choicesMax, !choice.contains(where: \.isEmpty) { choices.append(choice) }
  }
}

/// Walks a pattern and joins the literals that follow each other in every match.
private struct GramWalk {
  /// A repetition is unrolled at most this often.
  static let copiesMax = 8
  /// Nested repetitions multiply: after this many nodes nothing more is collected.
  private var budget = 10_000

  /// What is collected at one level.
  private struct Level {
    var query = GramQuery()
    var run: [UInt8] = []

    mutating func close() {
      query.add(run)
      run = []
    }
  }

  mutating func query(of node: PatternNode) -> GramQuery {
    var level = Level()
    visit(node, &level)
    level.close()
    return level.query
  }

  private mutating func visit(_ node: PatternNode, _ level: inout Level) {
    budget -= 1
    guard budget > 0 else { return level.close() }
    switch node {
    // Neither takes up bytes: what is before and behind stays together.
    case .empty, .assertion: break
    case .literal(let bytes, _): level.run += bytes
    case .set: level.close()
    case .concatenation(let parts): for part in parts { visit(part, &level) }
    case .alternation(let parts):
      level.close()
      var choice: [GramQuery] = []
      for part in parts { choice.append(query(of: part)) }
      level.query.add(choice: choice)
    case .group(let body, _): visit(body, &level)
    case .repetition(let body, let min, let max, _):
      for _ in 0..<Swift.min(min, GramWalk.copiesMax) { visit(body, &level) }
      if max != min || min > GramWalk.copiesMax { level.close() }
    }
  }
}
