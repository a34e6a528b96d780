import Records

/// Reads regular expressions in RE2's syntax: what backtracking alone can do (back-references, look-around,
/// possessive and atomic groups) is refused.
struct PatternParser {
  /// The deepest nesting of groups.
  static let depthMax = 200
  /// The largest bound of a counted repetition.
  static let repetitionMax = 1000

  struct Flags {
    var ignoreCase: Bool
    /// `^` and `$` match at line feeds too.
    var multiline = false
    /// `.` matches a line feed too.
    var dotAll = false
    /// Repetitions prefer fewer, with a `?` behind them more.
    var isUngreedy = false
  }

  /// What becomes of capture groups: where they are does not matter to whether there is a match.
  enum Groups {
    case dropped
    /// At most one, with or without a name.
    case one
    /// Those with names, each name once, none within another.
    case named
  }

  let groups: Groups
  /// Of the groups that are kept; empty: it has none.
  private var names: [String] = []
  private var isWithinGroup = false
  let scalars: [Unicode.Scalar]
  var index = 0
  var depth = 0
  var flags: Flags

  private init(_ pattern: String, ignoreCase: Bool, groups: Groups) {
    self.groups = groups
    scalars = Array(pattern.unicodeScalars)
    flags = Flags(ignoreCase: ignoreCase)
  }

  /// - Throws: `.invalid` with what is wrong and where; the pattern itself is not quoted.
  static func parse(
    _ pattern: String, ignoreCase: Bool, groups: Groups = .dropped
  ) throws(StoreError) -> PatternNode {
    try parseGroups(pattern, ignoreCase: ignoreCase, groups: groups).node
  }

  /// - Returns: With the names of the groups that are kept, by their numbers.
  /// - Throws: As ``parse(_:ignoreCase:groups:)``.
  static func parseGroups(
    _ pattern: String, ignoreCase: Bool, groups: Groups
  ) throws(StoreError) -> (node: PatternNode, names: [String]) {
    var parser = PatternParser(pattern, ignoreCase: ignoreCase, groups: groups)
    let node = try parser.parseAlternation()
    if parser.index < parser.scalars.count { throw parser.failure("has a closing parenthesis too many") }
    return (node, parser.names)
  }

  func failure(_ what: String) -> StoreError {
    .invalid("the regular expression \(what) at character \(index + 1)")
  }

  var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

  func follows(_ text: String) -> Bool {
    let wanted = text.unicodeScalars
    return scalars[index...].prefix(wanted.count).elementsEqual(wanted)
  }

  mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    index += 1
    return true
  }

  // MARK: Structure

  mutating func parseAlternation() throws(StoreError) -> PatternNode {
    var choices = [try parseConcatenation()]
    while skip("|") { choices.append(try parseConcatenation()) }
    return choices.count == 1 ? choices[0] : .alternation(choices)
  }

  private mutating func parseConcatenation() throws(StoreError) -> PatternNode {
    var parts: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      let atom = try parseAtom()
      parts.append(try parseRepetitions(of: atom))
    }
    return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .concatenation(parts)
  }

  private mutating func parseRepetitions(of atom: PatternNode) throws(StoreError) -> PatternNode {
    var node = atom
    var isRepeated = false
    while let scalar = next {
      let bounds: (min: Int, max: Int?)
      switch scalar {
      case "*": bounds = (0, nil)
      case "+": bounds = (1, nil)
      case "?": bounds = (0, 1)
      case "{":
        guard let counted = try parseCount() else { return node }
        node = .repetition(node, min: counted.min, max: counted.max, isLazy: skip("?") != flags.isUngreedy)
        isRepeated = true
        continue
      default: return node
      }
      if isRepeated {
        throw failure("has a quantifier after a quantifier (possessive ones are not supported)")
      }
      index += 1
      node = .repetition(node, min: bounds.min, max: bounds.max, isLazy: skip("?") != flags.isUngreedy)
      isRepeated = true
    }
    return node
  }

  /// `{3}`, `{3,}`, `{3,5}`; nil, with nothing read, if the brace opens none of these: it is a literal then.
  private mutating func parseCount() throws(StoreError) -> (min: Int, max: Int?)? {
    var cursor = index + 1
    func number() -> Int? {
      var value: Int?
      while cursor < scalars.count, let digit = scalars[cursor].asciiDigit {
        value = min((value ?? 0) * 10 + digit, 1_000_000)
        cursor += 1
      }
      return value
    }
    guard let low = number() else { return nil }
    var high: Int? = low
    if cursor < scalars.count, scalars[cursor] == "," {
      cursor += 1
      high = number()
    }
    guard cursor < scalars.count, scalars[cursor] == "}" else { return nil }
    if low > PatternParser.repetitionMax || high ?? 0 > PatternParser.repetitionMax {
      throw failure("repeats more than \(PatternParser.repetitionMax) times")
    }
    if let high, high < low { throw failure("has a repetition whose bounds are in the wrong order") }
    index = cursor + 1
    return (low, high)
  }

  // MARK: Atoms

  private mutating func parseAtom() throws(StoreError) -> PatternNode {
    guard let scalar = next else { return .empty }
    switch scalar {
    case "(": return try parseGroup()
    case "[": return try parseClass()
    case "\\": return try parseEscape()
    case "*", "+", "?": throw failure("has a quantifier with nothing to repeat")
    case ".":
      index += 1
      return .set(flags.dotAll ? .everything : .notLineFeed)
    case "^":
      index += 1
      return .assertion(flags.multiline ? .lineStart : .textStart)
    case "$":
      index += 1
      return .assertion(flags.multiline ? .lineEnd : .textEnd)
    default:
      index += 1
      return character(scalar.value)
    }
  }

  /// One character as it is, its case ignored if the flags say so.
  func character(_ scalar: UInt32) -> PatternNode {
    .character(scalar, ignoreCase: flags.ignoreCase)
  }

  private mutating func parseGroup() throws(StoreError) -> PatternNode {
    let start = index
    index += 1
    let outer = flags
    var isCapturing = true
    var name: String?
    if skip("?") {
      if follows("=") || follows("!") || follows("<=") || follows("<!") {
        throw failure("uses look-around, which is not supported,")
      }
      if follows(">") { throw failure("uses an atomic group, which is not supported,") }
      if follows("P=") || follows("P>") || follows("R") || follows("&") {
        throw failure("refers back to a group, which is not supported,")
      }
      if follows("P<") || follows("<") {
        name = try parseGroupName()
      } else if try parseFlags() {
        return .empty
      } else {
        isCapturing = false
      }
    }
    let group = isCapturing ? try number(ofGroup: name, from: start) : nil
    depth += 1
    if depth > PatternParser.depthMax { throw failure("nests groups too deeply") }
    let body = try parseAlternation()
    depth -= 1
    guard skip(")") else {
      index = start
      throw failure("has an opening parenthesis that is not closed")
    }
    flags = outer
    guard let group else { return body }
    isWithinGroup = false
    return .group(body, group)
  }

  /// Of a group that is kept; nil: it is not.
  private mutating func number(ofGroup name: String?, from start: Int) throws(StoreError) -> Int? {
    switch groups {
    case .dropped: return nil
    case .one:
      guard names.isEmpty else {
        index = start
        throw failure("has a second capture group (others are written `(?:…)`)")
      }
    case .named:
      guard let name else { return nil }
      guard !isWithinGroup else { throw failure("has a named group within another") }
      guard !names.contains(where: { $0.hasBytes(of: name) }) else {
        throw failure("has two groups of one name")
      }
    }
    isWithinGroup = true
    names.append(name ?? "")
    return names.count - 1
  }

  private mutating func parseGroupName() throws(StoreError) -> String {
    _ = skip("P")
    index += 1
    let start = index
    while let scalar = next, scalar != ">" {
      guard ScalarSet.wordCharacters.ranges.contains(where: { $0.contains(scalar.value) }) else { break }
      index += 1
    }
    let name = String(String.UnicodeScalarView(scalars[start..<index]))
    guard index > start, skip(">") else { throw failure("has a broken group name") }
    return name
  }

  /// Flags up to `:` or `)`; true if `)` closed them, so that they hold for what follows in the enclosing
  /// group.
  private mutating func parseFlags() throws(StoreError) -> Bool {
    var value = true
    while let scalar = next {
      switch scalar {
      case "i": flags.ignoreCase = value
      case "m": flags.multiline = value
      case "s": flags.dotAll = value
      case "U": flags.isUngreedy = value
      case "-" where value: value = false
      case ":", ")":
        index += 1
        return scalar == ")"
      default: throw failure("has an unknown flag or group kind")
      }
      index += 1
    }
    throw failure("has an opening parenthesis that is not closed")
  }

  private mutating func parseEscape() throws(StoreError) -> PatternNode {
    if follows("\\Q") { return parseQuoted() }
    if let set = try parseClassEscape() { return .set(set) }
    guard index + 1 < scalars.count else { throw failure("ends in a backslash") }
    let assertion: PatternNode.Assertion? =
      switch scalars[index + 1] {
      case "A": .textStart
      case "z": .textEnd
      case "b": .wordBoundary
      case "B": .notWordBoundary
      default: nil
      }
    if let assertion {
      index += 2
      return .assertion(assertion)
    }
    return character(try parseCharacterEscape())
  }

  /// `\Q…\E`: everything between as it is.
  private mutating func parseQuoted() -> PatternNode {
    index += 2
    var parts: [PatternNode] = []
    while let scalar = next, !follows("\\E") {
      parts.append(character(scalar.value))
      index += 1
    }
    if follows("\\E") { index += 2 }
    return .concatenation(parts)
  }
}

extension Unicode.Scalar {
  /// 0 to 9 for the ASCII digits.
  var asciiDigit: Int? { (0x30...0x39).contains(value) ? Int(value) - 0x30 : nil }

  /// 0 to 15 for the ASCII hexadecimal digits.
  var hexDigit: UInt32? {
    switch value {
    case 0x30...0x39: value - 0x30
    case 0x41...0x46: value - 0x41 + 10
    case 0x61...0x66: value - 0x61 + 10
    default: nil
    }
  }
}
