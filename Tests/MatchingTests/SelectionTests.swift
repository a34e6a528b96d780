import Matching
import Testing

@Suite struct SelectionTests {
  @Test func agreesWithASet() {
    let seed: UInt64 = 3
    var random = SeededRandom(seed: seed)
    for round in 0..<500 {
      let rowCount = random.pick([0, 1, 63, 64, 65, 127, 128, 129, 300])
      let a = Set((0..<rowCount).filter { _ in random.once(in: 2) })
      let b = Set((0..<rowCount).filter { _ in random.once(in: 5) })
      let left = Selection(rowCount: rowCount, rows: a)
      let right = Selection(rowCount: rowCount, rows: b)
      func check(_ selection: Selection, _ expected: Set<Int>, _ what: Comment) {
        let context: Comment = "seed \(seed) round \(round) \(what)"
        #expect(selection.indices().map(Int.init) == expected.sorted(), context)
        #expect(selection.count == expected.count, context)
        #expect(selection.isEmpty == expected.isEmpty, context)
        #expect(selection.isFull == (expected.count == rowCount), context)
        #expect(selection.first == expected.min(), context)
        #expect(selection.ranges().flatMap(Array.init) == expected.sorted(), context)
        #expect((0..<rowCount).allSatisfy { selection[$0] == expected.contains($0) }, context)
        var visited: [Int] = []
        selection.forEach { visited.append($0) }
        #expect(visited == expected.sorted(), context)
      }
      var work = left
      work.formIntersection(right)
      check(work, a.intersection(b), "and")
      work = left
      work.formUnion(right)
      check(work, a.union(b), "or")
      work = left
      work.subtract(right)
      check(work, a.subtracting(b), "minus")
      work = left
      work.invert()
      check(work, Set(0..<rowCount).subtracting(a), "not")
      let low = random.below(rowCount + 1)
      let range = low..<low + random.below(rowCount - low + 1)
      work = left
      work.set(range)
      check(work, a.union(range), "set \(range)")
      work.clear(range)
      check(work, a.subtracting(range), "clear \(range)")
      let slice = left.slice(range)
      check2(slice, a, range, "slice \(range)")
      var joined = right
      joined.formUnion(slice, at: low)
      check(joined, b.union(a.intersection(range)), "union at \(range)")
      let bits = (0..<(rowCount + 7) / 8).map { byte in
        (0..<8).reduce(UInt8(0)) {
          $0 | (a.contains(byte * 8 + $1) || byte * 8 + $1 >= rowCount ? 1 << UInt8($1) : 0)
        }
      }
      check(Selection(rowCount: rowCount, validity: bits.span), a, "validity")
    }
    check2(Selection(rowCount: 10, all: true), Set(0..<10), 0..<10, "all")
  }

  private func check2(_ slice: Selection, _ rows: Set<Int>, _ range: Range<Int>, _ what: Comment) {
    #expect(slice.rowCount == range.count, what)
    #expect(
      slice.indices().map { Int($0) + range.lowerBound } == rows.intersection(range).sorted(), what)
  }
}
