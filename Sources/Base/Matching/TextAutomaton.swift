import Records
import Synchronization

/// What a text condition looks for.
package enum TextPattern: Sendable, Hashable {
  case contains(String, ignoreCase: Bool)
  /// Between characters that are no letter, mark or number and not `_`, or the text's ends; in any case.
  case word(String)
  case prefix(String)
  /// RE2's syntax; a match anywhere in the text counts. `\w`, `\d`, `\s` and `\b` are ASCII only.
  case regex(String, ignoreCase: Bool)
}

/// What is known about all texts of a kind: every one matches, none does, or some may.
package enum Verdict: Sendable, Hashable {
  case no, maybe, yes
}

/// A text condition as a linear-time automaton over UTF-8 bytes, with faster ways where a plain search does.
/// Where case is ignored, letters are the same as ``LetterCases`` says. Any number of threads may use it.
package struct TextAutomaton: Sendable {
  /// The longest needle in UTF-8 bytes.
  package static let needleBytesMax = 16 << 10

  /// What it was made of.
  package let pattern: TextPattern
  /// Words (maximal runs of ``WordCharacters``, ASCII lower-cased) that every matching text has as whole
  /// words.
  package let requiredWords: [[UInt8]]
  /// As ``requiredWords``, for those who split texts by bytes.
  private let requiredByteWords: [[UInt8]]
  /// Three bytes in a row that every matching text has, whatever is around them.
  package let grams: GramQuery

  private enum Way {
    case everything
    case literal(LiteralScan)
    /// The beginning of the needle, then all of it.
    case longLiteral(LiteralScan, LongLiteral)
    /// A literal every match has, then all of the word, in any case.
    case characters(LiteralScan?, CharacterScan)
    case prefix([UInt8])
    /// A literal every match has, then the automaton.
    case automaton(LiteralScan?)
  }
  private let way: Way
  private let runs: AutomatonRuns
  /// What is known of templates already.
  let templates = KnownTemplates()
  /// If there is one: accepts only what matches, but not all of it. ``program`` accepts all that matches, and
  /// more then. They differ where a character beyond ASCII is beside a word.
  let strictProgram: AutomatonProgram?

  /// - Throws: `.invalid` with a sentence for a broken or too large pattern; it does not quote the pattern.
  package init(_ pattern: TextPattern) throws(StoreError) {
    self.pattern = pattern
    let node = try TextAutomaton.node(of: pattern)
    let program = try AutomatonProgram(node)
    runs = AutomatonRuns(program)
    strictProgram = program.usesTokens ? program.with(tokenBytes: .wordsAndHigh) : nil
    grams = GramQuery(node)
    let factors = PatternFactors(node)
    requiredWords = factors.factors.flatMap { $0.words(.characters) }
    requiredByteWords = factors.factors.flatMap { $0.words(.bytes) }
    if case .prefix(let prefix) = pattern {
      way = prefix.isEmpty ? .everything : .prefix(Array(prefix.utf8))
    } else if let (bytes, ignoreCase, isWholeWord) = node.searchedLiteral {
      way = TextAutomaton.way(bytes, ignoreCase: ignoreCase, isWholeWord: isWholeWord)
    } else if case .word(let word) = pattern {
      way = .characters(factors.best.map(TextAutomaton.scan), CharacterScan(word))
    } else {
      way = .automaton(factors.best.map(TextAutomaton.scan))
    }
  }

  /// Accepts every text that matches.
  var program: AutomatonProgram { runs.program }

  /// Words that every matching text has as whole words, as `split` splits texts.
  func requiredWords(_ split: WordSplit) -> [[UInt8]] {
    switch split {
    case .bytes: requiredByteWords
    case .characters: requiredWords
    }
  }

  /// Whether it looks for a whole word, or several, none of which a slot of a template can hold.
  var isWordWithoutSlots: Bool {
    guard case .word(let word) = pattern else { return false }
    let bytes = Array(word.utf8)
    return WordSplit.characters.words(of: bytes).allSatisfy { !WordHash.isSlotWord(Array(bytes[$0])) }
  }

  private static func scan(_ factor: PatternFactor) -> LiteralScan {
    let start = Array(factor.bytes.prefix(LiteralFinder.needleBytesMax))
    return LiteralScan(finder: LiteralFinder(start, ignoreCase: factor.isFolded), isWholeWord: false)
  }

  private static func way(_ needle: [UInt8], ignoreCase: Bool, isWholeWord: Bool) -> Way {
    if needle.isEmpty { return .everything }
    if needle.count <= LiteralFinder.needleBytesMax {
      return .literal(
        LiteralScan(finder: LiteralFinder(needle, ignoreCase: ignoreCase), isWholeWord: isWholeWord))
    }
    let start = Array(needle.prefix(LiteralFinder.needleBytesMax))
    return .longLiteral(
      LiteralScan(finder: LiteralFinder(start, ignoreCase: ignoreCase), isWholeWord: false),
      LongLiteral(needle, ignoreCase: ignoreCase, isWholeWord: isWholeWord))
  }

  private static func node(of pattern: TextPattern) throws(StoreError) -> PatternNode {
    func checked(_ text: String) throws(StoreError) -> String {
      guard text.utf8.count <= needleBytesMax else {
        throw .invalid("a text to search for has at most \(needleBytesMax) bytes")
      }
      return text
    }
    switch pattern {
    case .contains(let needle, let ignoreCase):
      return .text(try checked(needle), ignoreCase: ignoreCase)
    case .word(let word):
      guard !word.isEmpty else { throw .invalid("a word to search for is not empty") }
      return .concatenation([
        .assertion(.tokenStart), .text(try checked(word), ignoreCase: true), .assertion(.tokenEnd),
      ])
    case .prefix(let prefix):
      return .concatenation([.assertion(.textStart), .text(try checked(prefix), ignoreCase: false)])
    case .regex(let pattern, let ignoreCase):
      return try PatternParser.parse(checked(pattern), ignoreCase: ignoreCase)
    }
  }

  /// A literal every matching text has, if one is known: its ASCII case may be ignored.
  var requiredLiteral: LiteralFinder? {
    switch way {
    case .everything: nil
    case .prefix(let prefix):
      LiteralFinder(Array(prefix.prefix(LiteralFinder.needleBytesMax)), ignoreCase: false)
    case .literal(let scan), .longLiteral(let scan, _): scan.finder
    case .automaton(let scan), .characters(let scan, _): scan?.finder
    }
  }

  /// Whether `text` matches. Linear in its length.
  package func matches(_ text: Span<UInt8>) -> Bool {
    switch way {
    case .everything: return true
    case .prefix(let prefix): return TextAutomaton.starts(text, 0..<text.count, with: prefix)
    case .literal(let scan): return scan.matches(text)
    case .longLiteral(let scan, let whole): return scan.matches(text) && whole.matches(text)
    case .characters(let scan, let whole): return (scan?.matches(text) ?? true) && whole.matches(text)
    case .automaton(let scan):
      if let scan, !scan.matches(text) { return false }
      return runs.with { $0.matches(text) }
    }
  }

  /// Hands `body` a function for many texts one after the other: what ``matches(_:)`` would borrow and give
  /// back for each is borrowed once.
  func withMatcher(_ cancellation: CancellationToken?, _ body: ((Span<UInt8>) -> Bool) -> Void) {
    switch way {
    case .everything: body { _ in true }
    case .prefix(let prefix): body { TextAutomaton.starts($0, 0..<$0.count, with: prefix) }
    case .literal(let scan): body { scan.matches($0) }
    case .longLiteral(let scan, let whole): body { scan.matches($0) && whole.matches($0) }
    case .characters(let scan, let whole): body { (scan?.matches($0) ?? true) && whole.matches($0) }
    case .automaton(nil): runs.with(cancellation) { states in body { states.matches($0) } }
    case .automaton(let scan?):
      runs.with(cancellation) { states in body { scan.matches($0) && states.matches($0) } }
    }
  }

  /// Drops the rows of `candidates` that do not match. Row r is bytes offsets[r] ..< offsets[r + 1]; whether
  /// it is null is the caller's business.
  ///
  /// - Parameter cancellation: Told of what it costs; once it is over what is found means nothing.
  package func matchRows(
    offsets: Span<Int32>, bytes: Span<UInt8>, among candidates: inout Selection,
    cancellation: CancellationToken? = nil
  ) {
    invariant(offsets.count == candidates.rowCount + 1, "n + 1 offsets")
    TextAutomaton.check(offsets, within: bytes.count)
    switch way {
    case .everything: break
    case .literal(let scan): scan.filter(offsets: offsets, bytes: bytes, rows: &candidates)
    case .longLiteral(let scan, let whole):
      scan.filter(offsets: offsets, bytes: bytes, rows: &candidates)
      whole.filter(offsets: offsets, bytes: bytes, rows: &candidates)
    case .characters(let scan, let whole):
      scan?.filter(offsets: offsets, bytes: bytes, rows: &candidates)
      whole.filter(offsets: offsets, bytes: bytes, rows: &candidates)
    case .automaton(let scan):
      scan?.filter(offsets: offsets, bytes: bytes, rows: &candidates)
      runs.with(cancellation) { $0.filter(offsets: offsets, bytes: bytes, rows: &candidates) }
    case .prefix(let prefix):
      for row in candidates.indices() {
        let range = Int(offsets[Int(row)])..<Int(offsets[Int(row) + 1])
        if !TextAutomaton.starts(bytes, range, with: prefix) { candidates.remove(Int(row)) }
      }
    }
  }

  /// Adds the rows (offsets.count - 1 of them) that match to `selection`.
  package func matchRows(offsets: Span<Int32>, bytes: Span<UInt8>, into selection: inout Selection) {
    var rows = selection
    rows.invert()
    matchRows(offsets: offsets, bytes: bytes, among: &rows)
    selection.formUnion(rows)
  }

  /// Traps unless the offsets ascend from 0 or more to at most `count`: unchecked loads rely on it.
  static func check(_ offsets: Span<Int32>, within count: Int) {
    var previous = offsets[0]
    var isAscending = previous >= 0
    for index in offsets.indices {
      isAscending = isAscending && offsets[index] >= previous
      previous = offsets[index]
    }
    invariant(isAscending && Int(previous) <= count, "offsets ascend and end within the bytes")
  }

  private static func starts(_ text: Span<UInt8>, _ range: Range<Int>, with prefix: [UInt8]) -> Bool {
    guard range.count >= prefix.count else { return false }
    for index in prefix.indices where text[range.lowerBound + index] != prefix[index] { return false }
    return true
  }

  /// What the automaton says of every text made by filling the slots of a template. For many templates
  /// make one ``TemplateRunner``.
  package func verdict(for pieces: [TemplatePiece]) -> Verdict { TemplateRunner(self).verdict(for: pieces) }
}

/// The program of an automaton and the state caches not in use, at most one a thread that ever ran at once.
final class AutomatonRuns: Sendable {
  let program: AutomatonProgram
  private let idle = Mutex<[LazyStates]>([])

  init(_ program: AutomatonProgram) { self.program = program }

  /// Lends a cache to `body`, which works for who has `cancellation`; it must not keep it.
  func with<R>(_ cancellation: CancellationToken? = nil, _ body: (LazyStates) -> R) -> R {
    let states = idle.withLock { $0.popLast() } ?? LazyStates(program)
    states.lend(to: cancellation)
    defer {
      states.giveBack()
      idle.withLock { $0.append(states) }
    }
    return body(states)
  }
}
