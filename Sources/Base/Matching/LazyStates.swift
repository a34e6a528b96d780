import Records

/// The deterministic automaton of a program, its states made when first reached and kept within a bound.
///
/// A state is the offset of its row in the transition table: one entry a byte class. Three states are fixed:
/// ``unknown`` (an entry not made yet), ``dead`` and ``accepting``, which all lead to themselves.
@safe final class LazyStates: @unchecked Sendable {
  // Safe because: a value of this class is with one borrower at a time; the pool hands it over under a lock.

  /// Bytes the table may take, and ints the states' sets may take.
  static let tableBytesMax = 1 << 20
  static let membersMax = 1 << 18

  let program: AutomatonProgram
  /// A row has 1 << shift entries.
  let shift: Int
  private(set) var table: UnsafeMutablePointer<UInt32>
  private var tableRows: Int
  let classes: UnsafeMutablePointer<UInt8>

  let unknown: UInt32 = 0
  let dead: UInt32
  let accepting: UInt32
  /// The state before the first byte.
  private(set) var start: UInt32 = 0
  /// How often everything was forgotten: states of an earlier generation mean nothing.
  private(set) var generation = 0

  private struct Info {
    var offset: Int32
    var count: Int32
    var flags: UInt8
    var hasPending: Bool
    /// 0 no, 1 yes, 2 not asked yet.
    var acceptsAtEnd: UInt8
  }
  private var infos: [Info] = []
  private var members: [Int32] = []
  private var buckets: [Int32] = []

  private var marks: [UInt32]
  private var mark: UInt32 = 0
  private var stack: [Int32] = []
  /// The set under construction.
  private var scratch: [Int32] = []
  private var origin: [Int32] = []
  /// What the borrower works for; nil: the work goes on to its end.
  var cancellation: CancellationToken?
  /// Work since ``cancellation`` was told of any: bytes read, and instructions looked at to make states.
  var steps = 0
  /// Once the work is over nothing that is found means anything.
  private(set) var isOver = false
  /// Look-behind of the set in `scratch` that found no room.
  private var refusedFlags: UInt8 = 0

  private static let atTextStart: UInt8 = 1
  private static let afterWord: UInt8 = 2
  private static let afterLineFeed: UInt8 = 4
  private static let afterToken: UInt8 = 8

  /// A millisecond of work, about.
  private static let stepsNoted = 1 << 18

  /// Whether the work is over; the token is told of it, and asked, after a millisecond.
  func isEnded() -> Bool {
    if steps < LazyStates.stepsNoted { return isOver }
    noteSteps()
    return isOver
  }

  /// Tells the token of the work so far.
  private func noteSteps() {
    defer { steps = 0 }
    if let cancellation, steps > 0 { isOver = cancellation.spend(patternSteps: steps) }
  }

  /// Begins to work for who has `cancellation`.
  func lend(to cancellation: CancellationToken?) {
    self.cancellation = cancellation
    isOver = false
    steps = 0
  }

  /// The borrower is done.
  func giveBack() {
    noteSteps()
    cancellation = nil
  }

  private enum Ahead: Equatable {
    case unknown, end
    case byte(UInt8)
  }

  init(_ program: AutomatonProgram) {
    self.program = program
    var shift = 0
    while 1 << shift < program.representatives.count { shift += 1 }
    self.shift = shift
    dead = UInt32(1) << UInt32(shift)
    accepting = UInt32(2) << UInt32(shift)
    marks = [UInt32](repeating: 0, count: program.instructions.count)
    tableRows = 32
    unsafe table = UnsafeMutablePointer<UInt32>.allocate(capacity: tableRows << shift)
    unsafe classes = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
    for byte in 0..<256 { unsafe classes[byte] = program.classes[byte] }
    reset()
  }

  deinit {
    unsafe table.deallocate()
    unsafe classes.deallocate()
  }

  /// Forgets all states and makes the start state anew.
  func reset() {
    generation += 1
    infos = [Info](
      repeating: Info(offset: 0, count: 0, flags: 0, hasPending: false, acceptsAtEnd: 0), count: 3)
    infos[2].acceptsAtEnd = 1
    members.removeAll(keepingCapacity: true)
    buckets = [Int32](repeating: -1, count: 64)
    for row in 0..<3 { fill(row: row, with: UInt32(row) << UInt32(shift)) }
    let flags = LazyStates.atTextStart
    guard let made = finish(isMatch: closeStart(flags), flags: flags) else {
      bug("the start state fits an empty cache")
    }
    start = made
  }

  private func fill(row: Int, with state: UInt32) {
    // In bounds: rows are made below tableRows.
    for column in 0..<1 << shift { unsafe table[row << shift + column] = state }
  }

  private func closeStart(_ flags: UInt8) -> Bool {
    beginSet()
    return close(program.start, flags: flags, ahead: .unknown)
  }

  private func beginSet() {
    scratch.removeAll(keepingCapacity: true)
    mark &+= 1
    if mark == 0 {
      for index in marks.indices { marks[index] = 0 }
      mark = 1
    }
  }

  /// Adds `instruction` and all it reaches without reading to the set under construction; true if that is a
  /// match.
  private func close(_ instruction: Int32, flags: UInt8, ahead: Ahead) -> Bool {
    stack.append(instruction)
    while let index = stack.popLast() {
      steps &+= 1
      guard marks[Int(index)] != mark else { continue }
      marks[Int(index)] = mark
      switch program.instructions[Int(index)] {
      case .bytes: scratch.append(index)
      case .split(let first, let second):
        stack.append(second)
        stack.append(first)
      case .mark(_, _, let next): stack.append(next)
      case .assertion(let assertion, let next):
        switch LazyStates.holds(assertion, flags: flags, ahead: ahead, tokens: program.tokenBytes) {
        case .yes: stack.append(next)
        case .no: break
        case .maybe: scratch.append(index)
        }
      case .match:
        stack.removeAll(keepingCapacity: true)
        return true
      }
    }
    return false
  }

  /// Whether `assertion`, which is none of tokens', holds between two bytes of a text; nil: there is none.
  static func holds(
    _ assertion: PatternNode.Assertion, between before: UInt8?, and after: UInt8?
  ) -> Bool {
    var flags: UInt8 = 0
    if let before {
      if ByteSet256.asciiWords.contains(before) { flags |= afterWord }
      if before == 0x0A { flags |= afterLineFeed }
    } else {
      flags = atTextStart
    }
    return holds(assertion, flags: flags, ahead: after.map { .byte($0) } ?? .end, tokens: .all) == .yes
  }

  private static func holds(
    _ assertion: PatternNode.Assertion, flags: UInt8, ahead: Ahead, tokens: ByteSet256
  ) -> Verdict {
    let wasWord = flags & afterWord != 0
    switch (assertion, ahead) {
    case (.textStart, _): return flags & atTextStart != 0 ? .yes : .no
    case (.lineStart, _): return flags & (atTextStart | afterLineFeed) != 0 ? .yes : .no
    case (.tokenStart, _): return flags & afterToken == 0 ? .yes : .no
    case (_, .unknown): return .maybe
    case (.textEnd, .end), (.lineEnd, .end), (.tokenEnd, .end): return .yes
    case (.tokenEnd, .byte(let byte)): return tokens.contains(byte) ? .no : .yes
    case (.textEnd, .byte): return .no
    case (.lineEnd, .byte(let byte)): return byte == 0x0A ? .yes : .no
    case (.wordBoundary, .end): return wasWord ? .yes : .no
    case (.notWordBoundary, .end): return wasWord ? .no : .yes
    case (.wordBoundary, .byte(let byte)):
      return ByteSet256.asciiWords.contains(byte) != wasWord ? .yes : .no
    case (.notWordBoundary, .byte(let byte)):
      // The middle of a character is no place between characters.
      if byte & 0xC0 == 0x80 { return .no }
      return ByteSet256.asciiWords.contains(byte) == wasWord ? .yes : .no
    }
  }

  /// The state after reading a byte of class `byteClass`; nil: the cache is full (see ``reset()``).
  func step(_ state: UInt32, byteClass: Int) -> UInt32? {
    // In bounds: states are row offsets of the table, classes are below 1 << shift.
    steps &+= 1
    let known = unsafe table[Int(state) + byteClass]
    if known != unknown { return known }
    let info = infos[Int(state) >> shift]
    origin.removeAll(keepingCapacity: true)
    origin.append(contentsOf: members[Int(info.offset)..<Int(info.offset + info.count)])
    let (isMatch, flags) = advance(hasPending: info.hasPending, flags: info.flags, byteClass: byteClass)
    guard let next = finish(isMatch: isMatch, flags: flags) else {
      refusedFlags = flags
      return nil
    }
    unsafe table[Int(state) + byteClass] = next
    return next
  }

  /// As ``step(_:byteClass:)``, but a full cache is forgotten, and with it all states but the one returned.
  func stepForgetting(_ state: UInt32, byteClass: Int) -> UInt32 {
    if let next = step(state, byteClass: byteClass) { return next }
    let wanted = scratch
    reset()
    scratch = wanted
    guard let next = finish(isMatch: false, flags: refusedFlags) else {
      bug("a state fits a cache that was just emptied")
    }
    return next
  }

  /// From `origin` over one byte: the set is left in `scratch`.
  private func advance(hasPending: Bool, flags: UInt8, byteClass: Int) -> (isMatch: Bool, flags: UInt8) {
    let byte = program.representatives[byteClass]
    if hasPending {
      beginSet()
      for index in origin where close(index, flags: flags, ahead: .byte(byte)) { return (true, 0) }
      swap(&origin, &scratch)
    }
    var after: UInt8 = 0
    if program.usesWords, ByteSet256.asciiWords.contains(byte) { after |= LazyStates.afterWord }
    if program.usesTokens, program.tokenBytes.contains(byte) { after |= LazyStates.afterToken }
    if program.usesLines, byte == 0x0A { after |= LazyStates.afterLineFeed }
    beginSet()
    steps &+= origin.count
    for index in origin {
      guard case .bytes(let set, let next) = program.instructions[Int(index)],
        program.sets[Int(set)].contains(byte)
      else { continue }
      if close(next, flags: after, ahead: .unknown) { return (true, after) }
    }
    return (false, after)
  }

  /// The state of the set in `scratch`; nil: full.
  private func finish(isMatch: Bool, flags: UInt8) -> UInt32? {
    if isMatch { return accepting }
    if scratch.isEmpty { return dead }
    scratch.sort()
    let hash = LazyStates.hash(scratch[...], flags: flags)
    var slot = Int(truncatingIfNeeded: hash >> 20) & (buckets.count - 1)
    while buckets[slot] >= 0 {
      let index = Int(buckets[slot])
      if equals(infos[index], flags: flags) { return UInt32(index) << UInt32(shift) }
      slot = (slot + 1) & (buckets.count - 1)
    }
    guard let index = addState(flags: flags) else { return nil }
    buckets[slot] = Int32(index)
    if infos.count * 2 > buckets.count { growBuckets() }
    return UInt32(index) << UInt32(shift)
  }

  private static func hash(_ set: ArraySlice<Int32>, flags: UInt8) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(flags)
    for member in set {
      hash = (hash ^ UInt64(UInt32(bitPattern: member))) &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 29
    }
    return hash
  }

  private func equals(_ info: Info, flags: UInt8) -> Bool {
    guard info.flags == flags, Int(info.count) == scratch.count else { return false }
    let offset = Int(info.offset)
    for index in scratch.indices where members[offset + index] != scratch[index] { return false }
    return true
  }

  private func addState(flags: UInt8) -> Int? {
    let index = infos.count
    let rowBytes = 4 << shift
    let isFull =
      (index + 1) * rowBytes > LazyStates.tableBytesMax
      || members.count + scratch.count > LazyStates.membersMax
    // The start state and one more always fit, so that every text can be read to its end.
    if isFull && index > 4 { return nil }
    if index == tableRows { growTable() }
    let hasPending = scratch.contains {
      if case .assertion = program.instructions[Int($0)] { true } else { false }
    }
    infos.append(
      Info(
        offset: Int32(members.count), count: Int32(scratch.count), flags: flags, hasPending: hasPending,
        acceptsAtEnd: hasPending ? 2 : 0))
    members += scratch
    fill(row: index, with: unknown)
    return index
  }

  private func growTable() {
    let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: (tableRows * 2) << shift)
    // In bounds: the old table is half as long.
    unsafe larger.update(from: table, count: tableRows << shift)
    unsafe table.deallocate()
    unsafe table = larger
    tableRows *= 2
  }

  private func growBuckets() {
    var larger = [Int32](repeating: -1, count: buckets.count * 4)
    for index in 3..<infos.count {
      let info = infos[index]
      let set = members[Int(info.offset)..<Int(info.offset + info.count)]
      let hash = LazyStates.hash(set, flags: info.flags)
      var slot = Int(truncatingIfNeeded: hash >> 20) & (larger.count - 1)
      while larger[slot] >= 0 { slot = (slot + 1) & (larger.count - 1) }
      larger[slot] = Int32(index)
    }
    buckets = larger
  }

  /// Whether a text that ends in `state` matches.
  func acceptsAtEnd(_ state: UInt32) -> Bool {
    let index = Int(state) >> shift
    let info = infos[index]
    guard info.acceptsAtEnd == 2 else { return info.acceptsAtEnd == 1 }
    beginSet()
    var accepts = false
    for member in members[Int(info.offset)..<Int(info.offset + info.count)] {
      guard case .assertion = program.instructions[Int(member)] else { continue }
      if close(member, flags: info.flags, ahead: .end) {
        accepts = true
        break
      }
    }
    infos[index].acceptsAtEnd = accepts ? 1 : 0
    return accepts
  }
}
