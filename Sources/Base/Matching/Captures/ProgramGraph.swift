/// A traced program and its edges, to be gone backwards. Edges lie by their targets: those to instruction i
/// are starts[i] ..< starts[i + 1].
struct ProgramGraph: Sendable {
  /// Edges over a byte.
  struct Readers: Sendable {
    var starts: [Int32]
    var sources: [Int32]
    var sets: [ByteSet256]
  }

  /// Edges over none.
  struct Passers: Sendable {
    var starts: [Int32]
    var sources: [Int32]
    /// What must hold at the place; nil: nothing.
    var tests: [PatternNode.Assertion?]
  }

  let program: AutomatonProgram
  let matchIndex: Int32
  let readers: Readers
  let passers: Passers

  private typealias Edge = (target: Int32, source: Int32)

  init(_ program: AutomatonProgram) {
    self.program = program
    var reading: [Edge] = []
    var passing: [Edge] = []
    var matchIndex: Int32 = 0
    for (index, instruction) in program.instructions.enumerated() {
      let source = Int32(index)
      switch instruction {
      case .bytes(_, let next): reading.append((next, source))
      case .split(let first, let second): passing += [(first, source), (second, source)]
      case .assertion(_, let next), .mark(_, _, let next): passing.append((next, source))
      case .match: matchIndex = source
      }
    }
    self.matchIndex = matchIndex
    let count = program.instructions.count
    let readSources = reading.sorted { $0.target < $1.target }.map(\.source)
    readers = Readers(
      starts: ProgramGraph.starts(reading, count), sources: readSources,
      sets: readSources.map { source in
        guard case .bytes(let set, _) = program.instructions[Int(source)] else { return ByteSet256() }
        return program.sets[Int(set)]
      })
    let passSources = passing.sorted { $0.target < $1.target }.map(\.source)
    passers = Passers(
      starts: ProgramGraph.starts(passing, count), sources: passSources,
      tests: passSources.map { source in
        guard case .assertion(let assertion, _) = program.instructions[Int(source)] else { return nil }
        return assertion
      })
  }

  private static func starts(_ edges: [Edge], _ count: Int) -> [Int32] {
    var starts = [Int32](repeating: 0, count: count + 1)
    for edge in edges { starts[Int(edge.target) + 1] += 1 }
    for index in 0..<count { starts[index + 1] += starts[index] }
    return starts
  }
}
