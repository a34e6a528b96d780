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

  /// The bytes if the pattern is nothing but one text whose case is ignored or counts throughout. nil: it is
  /// not.
  var exactLiteral: (bytes: [UInt8], ignoreCase: Bool)? {
    let parts: [PatternNode] = if case .concatenation(let parts) = self { parts } else { [self] }
    var text: [UInt8] = []
    var letterCase: Bool?
    for part in parts {
      guard case .literal(let bytes, let ignoreCase) = part else { return nil }
      text += bytes
      if bytes.contains(where: \.isASCIILetter) {
        guard letterCase == nil || letterCase == ignoreCase else { return nil }
        letterCase = ignoreCase
      }
    }
    return (text, letterCase ?? false)
  }
}
