/// A regular expression as a tree. Captures and greed do not matter to whether there is a match, so they are
/// not kept.
indirect enum PatternNode: Sendable {
  case empty
  /// Bytes of one or more whole characters.
  case literal([UInt8], ignoreCase: Bool)
  /// One character of the set (an empty set matches nothing).
  case set(ScalarSet)
  case assertion(Assertion)
  case concatenation([PatternNode])
  case alternation([PatternNode])
  /// nil: no upper bound.
  case repetition(PatternNode, min: Int, max: Int?)

  /// A condition on a place between two bytes.
  enum Assertion: UInt8, Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
    /// No byte of ``ByteSet256/word`` right before (or right after); no syntax, whole words need them.
    case tokenStart, tokenEnd
  }

  /// Whether a match can only begin at the start of the text.
  var isAnchored: Bool {
    switch self {
    case .assertion(.textStart): true
    case .concatenation(let parts): parts.first?.isAnchored ?? false
    case .alternation(let choices): choices.allSatisfy(\.isAnchored)
    case .repetition(let body, let min, _): min > 0 && body.isAnchored
    case .empty, .literal, .set, .assertion: false
    }
  }
}
