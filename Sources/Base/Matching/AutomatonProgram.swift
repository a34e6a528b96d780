import Records

/// A non-deterministic automaton over bytes (Thompson's construction). Immutable once compiled.
struct AutomatonProgram: Sendable {
  /// The most instructions a pattern may need.
  static let instructionsMax = 20_000

  enum Instruction: Sendable {
    /// Reads a byte of set `set`, then goes on at `next`.
    case bytes(set: Int32, next: Int32)
    case split(Int32, Int32)
    case assertion(PatternNode.Assertion, next: Int32)
    /// Where a group begins or ends.
    case mark(isEnd: Bool, group: Int32, next: Int32)
    case match
  }

  private(set) var instructions: [Instruction] = []
  private(set) var sets: [ByteSet256] = []
  private(set) var start: Int32 = 0
  /// Bytes that no set and no assertion tells apart share a class.
  private(set) var classes: [UInt8] = []
  /// A byte of each class.
  private(set) var representatives: [UInt8] = []
  /// Which look-behind the assertions need.
  private(set) var usesWords = false
  private(set) var usesLines = false
  private(set) var usesTokens = false
  /// Before and behind one of these no token begins or ends: ``ByteSet256/asciiWords`` lets characters beyond
  /// ASCII end each, ``ByteSet256/wordsAndHigh`` none.
  private(set) var tokenBytes = ByteSet256.asciiWords

  private var setNumbers: [ByteSet256: Int32] = [:]
  private var steps = 0
  private let hasMarks: Bool

  /// - Parameter isTraced: The program begins where a match does, not at any place before it, and has marks
  ///   where groups begin and end.
  /// - Throws: `.invalid` if the pattern is too large.
  init(_ node: PatternNode, isTraced: Bool = false) throws(StoreError) {
    hasMarks = isTraced
    let end = try emit(.match)
    let body = try compile(node, next: end)
    if isTraced || node.isAnchored {
      start = body
    } else {
      // Any bytes may come before a match.
      let loop = try emit(.split(body, 0))
      let any = try emit(.bytes(set: number(of: .all), next: loop))
      instructions[Int(loop)] = .split(body, any)
      start = loop
    }
    makeClasses()
    setNumbers = [:]
  }

  /// The same program with other bytes of tokens; its instructions are shared.
  func with(tokenBytes: ByteSet256) -> AutomatonProgram {
    var program = self
    program.tokenBytes = tokenBytes
    program.makeClasses()
    return program
  }

  /// What compiling has cost, in instructions: repetitions of nothing take steps and give none.
  var cost: Int { max(instructions.count, steps / 4) }

  private static var tooLarge: StoreError {
    .invalid("the text pattern is too large: use fewer or smaller repetitions")
  }

  private mutating func emit(_ instruction: Instruction) throws(StoreError) -> Int32 {
    guard instructions.count < AutomatonProgram.instructionsMax else { throw AutomatonProgram.tooLarge }
    instructions.append(instruction)
    return Int32(instructions.count - 1)
  }

  private mutating func number(of set: ByteSet256) -> Int32 {
    if let known = setNumbers[set] { return known }
    let number = Int32(sets.count)
    sets.append(set)
    setNumbers[set] = number
    return number
  }

  /// Instructions for `node` that go on at `next`; returns where they start.
  private mutating func compile(_ node: PatternNode, next: Int32) throws(StoreError) -> Int32 {
    // Repetitions of nothing emit nothing, so the instruction limit alone would not bound the work.
    steps += 1
    guard steps < 4 * AutomatonProgram.instructionsMax else { throw AutomatonProgram.tooLarge }
    switch node {
    case .empty: return next
    case .literal(let bytes, let ignoreCase):
      var entry = next
      for byte in bytes.reversed() {
        var set = ByteSet256(byte...byte)
        if ignoreCase && byte.isASCIILetter { set.insert(byte ^ 0x20) }
        entry = try emit(.bytes(set: number(of: set), next: entry))
      }
      return entry
    case .set(let scalars): return try compile(scalars, next: next)
    case .assertion(let assertion):
      switch assertion {
      case .lineStart, .lineEnd: usesLines = true
      case .wordBoundary, .notWordBoundary: usesWords = true
      case .tokenStart, .tokenEnd: usesTokens = true
      case .textStart, .textEnd: break
      }
      return try emit(.assertion(assertion, next: next))
    case .concatenation(let parts):
      var entry = next
      for part in parts.reversed() { entry = try compile(part, next: entry) }
      return entry
    case .alternation(let choices):
      var entries: [Int32] = []
      for choice in choices { entries.append(try compile(choice, next: next)) }
      return try alternate(entries)
    case .repetition(let body, let min, let max, let isLazy):
      let entry = try compileOptional(of: body, count: max.map { $0 - min }, isLazy: isLazy, next: next)
      return try compile(body, count: min, next: entry)
    case .group(let body, let number):
      guard hasMarks else { return try compile(body, next: next) }
      let group = Int32(number)
      let end = try emit(.mark(isEnd: true, group: group, next: next))
      return try emit(.mark(isEnd: false, group: group, next: try compile(body, next: end)))
    }
  }

  /// `body` up to `count` times; nil: as often as it goes.
  private mutating func compileOptional(
    of body: PatternNode, count: Int?, isLazy: Bool, next: Int32
  ) throws(StoreError) -> Int32 {
    func choice(_ inner: Int32) -> Instruction { isLazy ? .split(next, inner) : .split(inner, next) }
    guard let count else {
      let loop = try emit(.split(next, next))
      instructions[Int(loop)] = choice(try compile(body, next: loop))
      return loop
    }
    var entry = next
    for _ in 0..<count { entry = try emit(choice(try compile(body, next: entry))) }
    return entry
  }

  private mutating func compile(
    _ body: PatternNode, count: Int, next: Int32
  ) throws(StoreError) -> Int32 {
    var entry = next
    for _ in 0..<count { entry = try compile(body, next: entry) }
    return entry
  }

  private mutating func alternate(_ entries: [Int32]) throws(StoreError) -> Int32 {
    // No entry: nothing can match, so a set without bytes.
    guard var entry = entries.last else { return try emit(.bytes(set: number(of: ByteSet256()), next: 0)) }
    for other in entries.dropLast().reversed() where other != entry { entry = try emit(.split(other, entry)) }
    return entry
  }

  /// A character: byte sequences with equal ends share their instructions.
  private mutating func compile(_ scalars: ScalarSet, next: Int32) throws(StoreError) -> Int32 {
    struct Tail: Hashable {
      let range: ClosedRange<UInt8>
      let next: Int32
    }
    var sequences: [[ClosedRange<UInt8>]] = []
    scalars.utf8Sequences { sequences.append($0) }
    var tails: [Tail: Int32] = [:]
    var leads: [Int32: ByteSet256] = [:]
    for sequence in sequences {
      var entry = next
      for range in sequence.dropFirst().reversed() {
        let tail = Tail(range: range, next: entry)
        if let known = tails[tail] {
          entry = known
        } else {
          entry = try emit(.bytes(set: number(of: ByteSet256(range)), next: entry))
          tails[tail] = entry
        }
      }
      leads[entry, default: ByteSet256()].formUnion(ByteSet256(sequence[0]))
    }
    var entries: [Int32] = []
    for (target, set) in leads.sorted(by: { $0.key < $1.key }) {
      entries.append(try emit(.bytes(set: number(of: set), next: target)))
    }
    return try alternate(entries)
  }

  private mutating func makeClasses() {
    var all = sets
    if usesWords { all += [.asciiWords, ByteSet256(0x80...0xBF)] }
    if usesTokens { all.append(tokenBytes) }
    if usesLines { all.append(ByteSet256(0x0A...0x0A)) }
    var assigned = [UInt8](repeating: 0, count: 256)
    var count = 1
    for set in all where count < 256 {
      // Splits each class into the bytes in and out of the set.
      var numbers: [Int: UInt8] = [:]
      for byte in 0..<256 {
        let key = Int(assigned[byte]) * 2 + (set.contains(UInt8(byte)) ? 1 : 0)
        if numbers[key] == nil { numbers[key] = UInt8(numbers.count) }
        assigned[byte] = numbers[key] ?? 0
      }
      count = numbers.count
    }
    classes = assigned
    representatives = [UInt8](repeating: 0, count: count)
    for byte in (0..<256).reversed() { representatives[Int(assigned[byte])] = UInt8(byte) }
  }
}
