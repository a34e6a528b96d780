import Records

/// Finds the matches of one expression in one text, in time of edges × bytes whatever both are.
///
/// A backward pass says from where a match can be reached (``LiveRows``). So the way forward never goes back:
/// a match begins at the first place from which one can be reached, and at each choice the first alternative
/// that leads to one is taken. Nothing is looked at again for the next match, which begins behind.
struct CaptureSearch {
  /// A place of the program on the way from one byte to the next.
  private struct Branch {
    let instruction: Int32
    /// Where the group that is open began; -1: none is.
    let open: Int
    /// How many captured ranges are this way's.
    let capturedCount: Int
  }

  private let program: AutomatonProgram
  private let hasGroup: Bool
  private var live: LiveRows
  private var marks: [UInt32]
  private var mark: UInt32 = 0
  private var branches: [Branch] = []
  private var captured: [(group: Int, range: Range<Int>)] = []
  private var ownSteps = 0

  /// - Parameter hasGroup: Whether what groups captured is wanted, not what matched.
  init(_ graph: ProgramGraph, hasGroup: Bool, _ text: Span<UInt8>) {
    program = graph.program
    self.hasGroup = hasGroup
    live = LiveRows(graph, text)
    marks = [UInt32](repeating: 0, count: program.instructions.count)
  }

  /// Edges and places looked at.
  var steps: Int { ownSteps + live.steps }

  /// What the group captured in each match, each time if it is repeated, or the matches if there is no group:
  /// in order, none empty, none overlaps another.
  mutating func ranges(in text: Span<UInt8>) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var place = 0
    while place < text.count {
      ownSteps &+= 1
      guard live.contains(program.start, at: place, text) else {
        place += 1
        continue
      }
      captured.removeAll(keepingCapacity: true)
      let end = walk(from: place, text)
      if hasGroup {
        for (_, range) in captured where !range.isEmpty { ranges.append(range) }
      } else {
        ranges.append(place..<end)
      }
      // No match is empty.
      place = max(end, place + 1)
    }
    return ranges
  }

  /// What each group captured in the first match, the last time if it is repeated; nil for one that took no
  /// part. nil: there is no match.
  mutating func first(ofGroups count: Int, in text: Span<UInt8>) -> [Range<Int>?]? {
    var place = 0
    while place <= text.count, !live.contains(program.start, at: place, text) { place += 1 }
    guard place <= text.count else { return nil }
    _ = walk(from: place, text)
    var ranges = [Range<Int>?](repeating: nil, count: count)
    for (group, range) in captured { ranges[group] = range }
    return ranges
  }

  /// From the start of a match to its end; what the group captures is left in `captured`.
  private mutating func walk(from start: Int, _ text: Span<UInt8>) -> Int {
    var place = start
    var at = Branch(instruction: program.start, open: -1, capturedCount: 0)
    while let next = pass(from: at, at: place, text) {
      at = next
      place += 1
    }
    return place
  }

  /// The best way from `branch` over one byte; nil: it is the match's end.
  private mutating func pass(from branch: Branch, at place: Int, _ text: Span<UInt8>) -> Branch? {
    mark &+= 1
    branches.removeAll(keepingCapacity: true)
    branches.append(branch)
    while let top = branches.popLast() {
      ownSteps &+= 1
      let index = Int(top.instruction)
      // Who comes here a second time has read nothing on the way.
      guard marks[index] != mark, live.contains(top.instruction, at: place, text) else { continue }
      marks[index] = mark
      captured.removeLast(captured.count - top.capturedCount)
      switch program.instructions[index] {
      case .bytes(_, let next): return way(top, next)
      case .split(let first, let second):
        branches.append(way(top, second))
        branches.append(way(top, first))
      case .assertion(_, let next): branches.append(way(top, next))
      case .mark(false, _, let next):
        branches.append(Branch(instruction: next, open: place, capturedCount: captured.count))
      case .mark(true, let group, let next):
        if top.open >= 0 { captured.append((Int(group), top.open..<place)) }
        branches.append(Branch(instruction: next, open: -1, capturedCount: captured.count))
      case .match: return nil
      }
    }
    bug("a live instruction leads to a match")
  }

  private func way(_ from: Branch, _ instruction: Int32) -> Branch {
    Branch(instruction: instruction, open: from.open, capturedCount: from.capturedCount)
  }
}
