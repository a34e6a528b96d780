import Records

/// From which instructions of a program a match can be reached, for each place of a text: the text read
/// backwards, in time of edges × bytes.
///
/// Rows are kept for one block of places at a time. The first pass keeps the first row of each block, from
/// which the block before it is made again when the reader, who goes forward, comes there: memory grows with
/// the root of the text.
struct LiveRows {
  /// Places of a block: at least this, and the root of all.
  static let blockMin = 1024

  private let readers: ProgramGraph.Readers
  private let passers: ProgramGraph.Passers
  private let matchIndex: Int32
  /// Words of a row, a bit an instruction.
  private let words: Int
  private let blockCount: Int
  private let blockRows: Int
  /// Rows of the block at hand, from its first place on.
  private var rows: [UInt64]
  private var block: Int
  /// The first row of each block.
  private var firstRows: [UInt64]
  /// The live instructions of the place behind the one at hand, and of this one.
  private var behind: [Int32] = []
  private var members: [Int32] = []
  /// What is live where nothing of a match lies behind: most rows are no more than that. Nil if places
  /// differ.
  private var rest: [UInt64]?
  private var restCount = 0
  /// The bytes that make a row more than that before one that is not.
  private var ends = ByteSet256()
  /// Edges looked at, and rows made without.
  private(set) var steps = 0

  /// Reads the whole text; the first block is at hand then.
  init(_ graph: ProgramGraph, _ text: Span<UInt8>) {
    readers = graph.readers
    passers = graph.passers
    matchIndex = graph.matchIndex
    words = (graph.program.instructions.count + 63) / 64
    // One place more than bytes.
    let places = text.count + 1
    let root = Int(Double(places).squareRoot())
    blockRows = min(max(LiveRows.blockMin, root), places)
    blockCount = (places + blockRows - 1) / blockRows
    rows = [UInt64](repeating: 0, count: blockRows * words)
    firstRows = [UInt64](repeating: 0, count: blockCount * words)
    block = 0
    for index in (0..<blockCount).reversed() { fill(index, text) }
  }

  /// Whether a match can be reached from `instruction` before byte `place`; places never go backwards by
  /// more than the block at hand.
  mutating func contains(_ instruction: Int32, at place: Int, _ text: Span<UInt8>) -> Bool {
    while place >= (block + 1) * blockRows { fill(block + 1, text) }
    let row = (place - block * blockRows) * words
    return rows[row + Int(instruction >> 6)] & 1 << UInt64(instruction & 63) != 0
  }

  private mutating func fill(_ index: Int, _ text: Span<UInt8>) {
    block = index
    let first = index * blockRows
    let end = min(first + blockRows, text.count + 1)
    members.removeAll(keepingCapacity: true)
    if index + 1 < blockCount { restoreMembers(ofBlock: index + 1) }
    for place in (first..<end).reversed() { fillRow((place - first) * words, place, text) }
    for word in 0..<words { firstRows[index * words + word] = rows[word] }
  }

  private mutating func restoreMembers(ofBlock index: Int) {
    for word in 0..<words {
      var bits = firstRows[index * words + word]
      while bits != 0 {
        members.append(Int32(word * 64 + bits.trailingZeroBitCount))
        bits &= bits - 1
      }
    }
  }

  /// From `members` of the place behind to those of `place`.
  private mutating func fillRow(_ row: Int, _ place: Int, _ text: Span<UInt8>) {
    if repeatRest(row, place, text) { return }
    swap(&members, &behind)
    members.removeAll(keepingCapacity: true)
    for word in row..<row + words { rows[word] = 0 }
    add(matchIndex, row)
    if place < text.count { read(text[place], row) }
    pass(place, row, text)
    if place == text.count { noteRest(row) }
  }

  private mutating func noteRest(_ row: Int) {
    guard !passers.tests.contains(where: { $0 != nil }) else { return }
    rest = Array(rows[row..<row + words])
    restCount = members.count
    for target in members.map(Int.init) {
      for edge in readers.starts[target]..<readers.starts[target + 1] {
        ends.formUnion(readers.sets[Int(edge)])
      }
    }
  }

  /// Makes the row of a place if it is as the one behind it.
  private mutating func repeatRest(_ row: Int, _ place: Int, _ text: Span<UInt8>) -> Bool {
    guard let rest, members.count == restCount, place < text.count, !ends.contains(text[place]) else {
      return false
    }
    steps &+= 1
    for word in 0..<words { rows[row + word] = rest[word] }
    return true
  }

  /// Adds those that read `byte` and go on at a live one.
  private mutating func read(_ byte: UInt8, _ row: Int) {
    for target in behind {
      var edge = Int(readers.starts[Int(target)])
      let end = Int(readers.starts[Int(target) + 1])
      steps &+= end &- edge
      while edge < end {
        if readers.sets[edge].contains(byte) { add(readers.sources[edge], row) }
        edge &+= 1
      }
    }
  }

  /// Adds those that lead to one without reading.
  private mutating func pass(_ place: Int, _ row: Int, _ text: Span<UInt8>) {
    var index = 0
    while index < members.count {
      let target = Int(members[index])
      var edge = Int(passers.starts[target])
      let end = Int(passers.starts[target + 1])
      steps &+= end &- edge
      while edge < end {
        if holds(passers.tests[edge], place, text) { add(passers.sources[edge], row) }
        edge &+= 1
      }
      index &+= 1
    }
  }

  private func holds(_ test: PatternNode.Assertion?, _ place: Int, _ text: Span<UInt8>) -> Bool {
    guard let test else { return true }
    return LazyStates.holds(
      test, between: place > 0 ? text[place - 1] : nil, and: place < text.count ? text[place] : nil)
  }

  @inline(__always)
  private mutating func add(_ instruction: Int32, _ row: Int) {
    let word = row + Int(instruction >> 6)
    let bit: UInt64 = 1 << UInt64(instruction & 63)
    guard rows[word] & bit == 0 else { return }
    rows[word] |= bit
    members.append(instruction)
  }
}
