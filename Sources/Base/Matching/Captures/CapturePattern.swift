import Records

/// A regular expression that is asked where it matches: in RE2's syntax, with at most one capture group, and
/// not for the empty text.
///
/// Of all matches the leftmost counts, of those that begin there the one that a backtracking engine would
/// find: alternatives in their order, repetitions as long as they can, lazy ones as short. `\w`, `\d`, `\s`,
/// `\b` and ignored case are ASCII only.
package struct CapturePattern: Sendable, Hashable {
  /// The longest expression in UTF-8 bytes.
  package static let bytesMax = 1 << 10

  /// What it was made of.
  package let text: String
  /// The states of its automaton; what a search costs for each byte grows with them.
  package let stateCount: Int
  let node: PatternNode
  let graph: ProgramGraph
  let hasGroup: Bool
  /// No shorter text matches.
  let bytesMin: Int
  /// What every matching text has, if anything is known.
  let literal: LiteralScan?

  /// - Throws: `.invalid` with a sentence for an expression that is broken, too long or too large, has two
  ///   capture groups, or matches the empty text. It does not quote the expression.
  package init(_ text: String) throws(StoreError) {
    guard text.utf8.count <= CapturePattern.bytesMax else {
      throw .invalid("the regular expression has more than \(CapturePattern.bytesMax) bytes")
    }
    let node = try PatternParser.parse(text, ignoreCase: false, groups: .one)
    bytesMin = node.bytesMin
    guard bytesMin > 0 else {
      throw .invalid("the regular expression matches the empty text")
    }
    self.text = text
    self.node = node
    hasGroup = node.hasGroup
    let program = try AutomatonProgram(node, isTraced: true)
    stateCount = program.cost
    graph = ProgramGraph(program)
    literal = PatternFactors(node).best.map {
      LiteralScan(finder: LiteralFinder($0.bytes, ignoreCase: $0.isFolded), isWholeWord: false)
    }
  }

  /// Byte by byte.
  package static func == (left: CapturePattern, right: CapturePattern) -> Bool {
    left.text.hasBytes(of: right.text)
  }

  /// Of the bytes.
  package func hash(into hasher: inout Hasher) { Name(text).hash(into: &hasher) }
}
