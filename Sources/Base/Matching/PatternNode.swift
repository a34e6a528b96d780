/// A regular expression as a tree. Groups are kept only for those who ask where they are.
indirect enum PatternNode: Sendable {
  case empty
  /// Bytes of one or more whole characters; `ignoreCase` is about those of ASCII.
  case literal([UInt8], ignoreCase: Bool)
  /// One character of the set (an empty set matches nothing).
  case set(ScalarSet)
  case assertion(Assertion)
  case concatenation([PatternNode])
  case alternation([PatternNode])
  /// nil: no upper bound. A lazy one prefers fewer.
  case repetition(PatternNode, min: Int, max: Int?, isLazy: Bool)
  /// A capture group, by its number from 0.
  case group(PatternNode, Int)

  /// A condition on a place between two bytes.
  enum Assertion: UInt8, Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
    /// Nothing of a word (``WordCharacters``) right before (or right after); no syntax, whole words need
    /// them. Programs, which read bytes, know it of ASCII alone (``AutomatonProgram/tokenBytes``).
    case tokenStart, tokenEnd
  }

  /// One character as it is, or in any case: letters beyond ASCII are sets then.
  static func character(_ scalar: UInt32, ignoreCase: Bool) -> PatternNode {
    guard ignoreCase else { return .literal(ScalarSet.utf8(scalar), ignoreCase: false) }
    let cases = LetterCases.all(of: scalar)
    if scalar < 0x80 || cases.count == 1 {
      return .literal(ScalarSet.utf8(scalar), ignoreCase: cases.count > 1)
    }
    return .set(ScalarSet(cases.map { $0...$0 }))
  }

  /// A text as it is, or in any case.
  static func text(_ text: String, ignoreCase: Bool) -> PatternNode {
    guard ignoreCase else { return .literal(Array(text.utf8), ignoreCase: false) }
    var parts: [PatternNode] = []
    var run: [UInt8] = []
    for scalar in text.unicodeScalars {
      switch character(scalar.value, ignoreCase: true) {
      case .literal(let bytes, _): run += bytes
      case let letter:
        if !run.isEmpty { parts.append(.literal(run, ignoreCase: true)) }
        run = []
        parts.append(letter)
      }
    }
    if !run.isEmpty || parts.isEmpty { parts.append(.literal(run, ignoreCase: true)) }
    return parts.count == 1 ? parts[0] : .concatenation(parts)
  }

  /// Whether a match can only begin at the start of the text.
  var isAnchored: Bool {
    switch self {
    case .assertion(.textStart): true
    case .concatenation(let parts): parts.first?.isAnchored ?? false
    case .alternation(let choices): choices.allSatisfy(\.isAnchored)
    case .repetition(let body, let min, _, _): min > 0 && body.isAnchored
    case .group(let body, _): body.isAnchored
    case .empty, .literal, .set, .assertion: false
    }
  }

  /// The bytes of the shortest match, or fewer; 0 only if a match can be without any. Assertions read none.
  var bytesMin: Int {
    switch self {
    case .empty, .assertion: 0
    case .literal(let bytes, _): bytes.count
    case .set(let scalars): scalars.ranges.first.map { ScalarSet.utf8($0.lowerBound).count } ?? 1
    case .concatenation(let parts): Swift.min(parts.reduce(0) { $0 + $1.bytesMin }, PatternNode.bytesMinMost)
    case .alternation(let choices): choices.map(\.bytesMin).min() ?? 0
    case .repetition(let body, let min, _, _): Swift.min(min * body.bytesMin, PatternNode.bytesMinMost)
    case .group(let body, _): body.bytesMin
    }
  }

  /// Nested repetitions multiply.
  private static let bytesMinMost = 1 << 20

  var hasGroup: Bool {
    switch self {
    case .empty, .assertion, .literal, .set: false
    case .concatenation(let parts), .alternation(let parts): parts.contains(where: \.hasGroup)
    case .repetition(let body, _, _, _): body.hasGroup
    case .group: true
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

  /// What a plain search can look for: the ``exactLiteral``, or one between the ends of tokens.
  var searchedLiteral: (bytes: [UInt8], ignoreCase: Bool, isWholeWord: Bool)? {
    if case .concatenation(let parts) = self, parts.count == 3,
      case .assertion(.tokenStart) = parts[0], case .assertion(.tokenEnd) = parts[2]
    {
      return parts[1].exactLiteral.map { ($0.bytes, $0.ignoreCase, true) }
    }
    return exactLiteral.map { ($0.bytes, $0.ignoreCase, false) }
  }
}
