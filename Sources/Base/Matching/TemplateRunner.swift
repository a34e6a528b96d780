import Records

/// A part of a template: bytes as they are, or a slot that any non-empty string over a set of bytes fills.
package enum TemplatePiece: Sendable, Hashable {
  case literal([UInt8])
  case slot(ByteSet256)
}

/// Runs one automaton over many templates, remembering its states. One thread at a time.
package final class TemplateRunner {
  /// More states than this at once make a verdict `.maybe`.
  package static let statesMax = 512

  private let automaton: TextAutomaton
  private let states: LazyStates
  /// The same with the strict program, if there is one.
  private let strict: TemplateRunner?
  private var isFull = false
  /// The states at the place in the template that has been reached.
  private var current: [UInt32] = []
  private var spare: [UInt32] = []
  private var fillings: [ByteSet256: Filling] = [:]
  /// The slots of a template, and often those of the next one, have the same set.
  private var lastSet = ByteSet256()
  private var lastFilling: Filling?
  /// States remembered in `fillings`; beyond ``rememberedMax`` they are forgotten.
  private var remembered = 0
  private static let rememberedMax = 1 << 20

  /// What one or more bytes of a set lead to.
  private final class Filling {
    /// The set's byte classes, each once.
    let classes: [Int]
    /// By state, the states reached, ascending.
    var reached: [UInt32: [UInt32]] = [:]
    init(classes: [Int]) { self.classes = classes }
  }

  /// - Parameter cancellation: Told of what it costs; once it is over every verdict is `.maybe`.
  package init(_ automaton: TextAutomaton, cancellation: CancellationToken? = nil) {
    self.automaton = automaton
    states = LazyStates(automaton.program)
    strict = automaton.strictProgram.map { TemplateRunner(automaton, $0, cancellation) }
    states.lend(to: cancellation)
  }

  private init(_ automaton: TextAutomaton, _ program: AutomatonProgram, _ cancellation: CancellationToken?) {
    self.automaton = automaton
    states = LazyStates(program)
    strict = nil
    states.lend(to: cancellation)
  }

  deinit { states.giveBack() }

  /// `.yes`: every filling of the slots matches; `.no`: none does; `.maybe`: not known, or too many states.
  ///
  /// A slot with an empty set has no filling; the verdict is `.no` then.
  package func verdict(for pieces: [TemplatePiece]) -> Verdict {
    let verdict = run(pieces)
    guard let strict, verdict != .no else { return verdict }
    // What the looser program refuses does not match; what the strict one accepts does.
    if strict.run(pieces) == .yes { return .yes }
    guard pieces.count <= 1, !states.isEnded() else { return .maybe }
    switch pieces.first {
    case nil: return .no
    case .literal(let bytes): return automaton.matches(bytes.span) ? .yes : .no
    case .slot: return .maybe
    }
  }

  private func run(_ pieces: [TemplatePiece]) -> Verdict {
    if states.isEnded() { return .maybe }
    if isFull || remembered > TemplateRunner.rememberedMax {
      if isFull { states.reset() }
      fillings = [:]
      lastFilling = nil
      remembered = 0
      isFull = false
    }
    current.removeAll(keepingCapacity: true)
    current.append(states.start)
    for piece in pieces {
      switch piece {
      case .literal(let bytes): guard read(bytes) else { return .maybe }
      case .slot(let set): guard fill(set) else { return .maybe }
      }
      if current.isEmpty || current.count == 1 && current[0] == states.dead { return .no }
    }
    let accepted = current.count { states.acceptsAtEnd($0) }
    return accepted == 0 ? .no : accepted == current.count ? .yes : .maybe
  }

  private func step(_ state: UInt32, _ byteClass: Int) -> UInt32? {
    guard !states.isEnded(), let next = states.step(state, byteClass: byteClass) else {
      isFull = true
      return nil
    }
    return next
  }

  /// Steps over `bytes`; false: the cache is full.
  private func read(_ bytes: [UInt8]) -> Bool {
    for byte in bytes {
      let byteClass = Int(states.program.classes[Int(byte)])
      for index in current.indices {
        guard let next = step(current[index], byteClass) else { return false }
        current[index] = next
      }
      if current.count > 1 { TemplateRunner.removeRepeats(&current) }
      if current.count == 1, current[0] == states.accepting || current[0] == states.dead { break }
    }
    return true
  }

  /// Steps over one or more bytes of `slot`; false: too many states.
  private func fill(_ slot: ByteSet256) -> Bool {
    let filling = filling(slot)
    spare.removeAll(keepingCapacity: true)
    for state in current {
      if filling.reached[state] == nil {
        guard let reached = reach(from: state, by: filling.classes) else { return false }
        filling.reached[state] = reached
        remembered += reached.count
      }
      spare.append(contentsOf: filling.reached[state] ?? [])
    }
    if current.count > 1, spare.count > 1 { TemplateRunner.removeRepeats(&spare) }
    swap(&current, &spare)
    return current.count <= TemplateRunner.statesMax
  }

  private func filling(_ slot: ByteSet256) -> Filling {
    if let lastFilling, lastSet == slot { return lastFilling }
    let filling = fillings[slot] ?? Filling(classes: classes(of: slot))
    fillings[slot] = filling
    lastSet = slot
    lastFilling = filling
    return filling
  }

  private func classes(of slot: ByteSet256) -> [Int] {
    var isSeen = [Bool](repeating: false, count: states.program.representatives.count)
    var classes: [Int] = []
    for lane in 0..<4 {
      var bits = slot.bits[lane]
      while bits != 0 {
        let byteClass = Int(states.program.classes[lane * 64 + bits.trailingZeroBitCount])
        bits &= bits - 1
        if !isSeen[byteClass] {
          isSeen[byteClass] = true
          classes.append(byteClass)
        }
      }
    }
    return classes
  }

  /// The states after one or more bytes of `classes`: stepped until nothing is added. nil: too many.
  private func reach(from state: UInt32, by classes: [Int]) -> [UInt32]? {
    var reached: Set<UInt32> = []
    var waiting = [state]
    while let state = waiting.popLast() {
      for byteClass in classes {
        guard let next = step(state, byteClass) else { return nil }
        if reached.insert(next).inserted {
          waiting.append(next)
          if reached.count > TemplateRunner.statesMax { return nil }
        }
      }
    }
    return reached.sorted()
  }

  private static func removeRepeats(_ states: inout [UInt32]) {
    states.sort()
    var count = 1
    for index in 1..<states.count where states[index] != states[count - 1] {
      states[count] = states[index]
      count += 1
    }
    states.removeLast(states.count - count)
  }
}
