/// A part of a template: bytes as they are, or a slot that any non-empty string over a set of bytes fills.
package enum TemplatePiece: Sendable, Hashable {
  case literal([UInt8])
  case slot(ByteSet256)
}

/// Runs one automaton over many templates, remembering its states. One thread at a time.
package final class TemplateRunner {
  /// More states than this at once make a verdict `.maybe`.
  package static let statesMax = 512

  private let states: LazyStates
  private var isFull = false

  package init(_ automaton: TextAutomaton) {
    states = LazyStates(automaton.runs.program)
  }

  /// `.yes`: every filling of the slots matches; `.no`: none does; `.maybe`: not known, or too many states.
  ///
  /// A slot with an empty set has no filling; the verdict is `.no` then.
  package func verdict(for pieces: [TemplatePiece]) -> Verdict {
    if isFull {
      states.reset()
      isFull = false
    }
    var current = [states.start]
    for piece in pieces {
      let next: [UInt32]? =
        switch piece {
        case .literal(let bytes): read(bytes, from: current)
        case .slot(let set): fill(set, from: current)
        }
      guard let next else { return .maybe }
      current = next
      if current.allSatisfy({ $0 == states.dead }) { return .no }
    }
    let accepted = current.count { states.acceptsAtEnd($0) }
    return accepted == 0 ? .no : accepted == current.count ? .yes : .maybe
  }

  private func step(_ state: UInt32, _ byteClass: Int) -> UInt32? {
    guard let next = states.step(state, byteClass: byteClass) else {
      isFull = true
      return nil
    }
    return next
  }

  /// The states after `bytes`; nil: the cache is full.
  private func read(_ bytes: [UInt8], from set: [UInt32]) -> [UInt32]? {
    var current = set
    for byte in bytes {
      let byteClass = Int(states.program.classes[Int(byte)])
      for index in current.indices {
        guard let next = step(current[index], byteClass) else { return nil }
        current[index] = next
      }
      if current.count > 1 { TemplateRunner.removeRepeats(&current) }
      if current.count == 1, current[0] == states.accepting || current[0] == states.dead { break }
    }
    return current
  }

  /// The states after one or more bytes of `slot`: stepped until nothing is added. nil: too many.
  private func fill(_ slot: ByteSet256, from set: [UInt32]) -> [UInt32]? {
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
    var reached: Set<UInt32> = []
    var waiting = set
    while let state = waiting.popLast() {
      for byteClass in classes {
        guard let next = step(state, byteClass) else { return nil }
        if reached.insert(next).inserted {
          waiting.append(next)
          if reached.count > TemplateRunner.statesMax { return nil }
        }
      }
    }
    return Array(reached)
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
