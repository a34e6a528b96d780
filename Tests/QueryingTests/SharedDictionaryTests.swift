import Codecs
import Platform
import Records
import Testing

@testable import Querying

/// Batches that share a dictionary, and units in parts: what is kept from batch to batch changes no answer.
struct SharedDictionaryTests {
  private static func batches(_ random: inout SplitMix) -> (names: [Int], batches: [RecordBatch]) {
    let names = (0..<Int.random(in: 1...400, using: &random)).map { _ in
      Int.random(in: 0..<90, using: &random)
    }
    let whole = GroupPartsTests.batch(names, &random)
    let step = 8 * Int.random(in: 1...9, using: &random)
    return (
      names,
      stride(from: 0, to: names.count, by: step).map { whole.slice($0..<min($0 + step, names.count)) }
    )
  }

  @Test(arguments: 0..<30) func differentValuesAreCounted(seed: Int) {
    var random = SplitMix(state: UInt64(seed))
    let groupCount = 1 + seed % 3
    var state = DistinctState()
    state.grow(to: groupCount)
    var expected = [Set<Int>](repeating: [], count: groupCount)
    for _ in 0..<8 {
      let (names, batches) = SharedDictionaryTests.batches(&random)
      var at = 0
      for batch in batches {
        let groups = (0..<batch.rowCount).map { _ in
          Int32.random(in: 0..<Int32(groupCount), using: &random)
        }
        let input = MeasureInput(column: batch.columns[0], rowCount: batch.rowCount, passing: nil)
        state.add(input, groups: groups)
        for group in groups {
          if names[at] != 0 { expected[Int(group)].insert(names[at]) }
          at += 1
        }
      }
      if seed.isMultiple(of: 2) { state.forgetDictionary() }
      #expect(SharedDictionaryTests.counts(state) == expected.map { Int64($0.count) })
    }
  }

  private static func counts(_ state: DistinctState) -> [Int64?] {
    guard case .int64(let counts) = state.values(of: .countDistinct(ColumnPath("n"))) else { return [] }
    return counts
  }

  /// When of two groups one is left, values that only the other had are not in its set.
  @Test func aGroupThatIsLeftHasItsOwnValues() {
    var random = SplitMix(state: 1)
    let names = Array(1...16)
    var whole = GroupPartsTests.batch(names, &random)
    while !whole.columns[0].sharesDictionary(with: whole.columns[0]) {
      whole = GroupPartsTests.batch(names, &random)
    }
    var state = DistinctState()
    state.grow(to: 2)
    let input = MeasureInput(column: whole.columns[0], rowCount: 16, passing: nil)
    state.add(input, groups: [Int32](repeating: 1, count: 16))
    state.keep([0])
    state.add(input, groups: [Int32](repeating: 0, count: 16))
    #expect(SharedDictionaryTests.counts(state) == [16])
  }

  @Test(arguments: 0..<10) func hashesAreTheSameInEveryBatch(seed: Int) {
    var random = SplitMix(state: UInt64(seed))
    var hasher = GroupHasher(bucket: nil, columnCount: 1)
    var known: [Int: UInt64] = [:]
    for _ in 0..<8 {
      let (names, batches) = SharedDictionaryTests.batches(&random)
      var at = 0
      for batch in batches {
        hasher.hash(batch)
        for hash in hasher.hashes {
          #expect(known[names[at], default: hash] == hash)
          known[names[at]] = hash
          at += 1
        }
      }
      if seed.isMultiple(of: 3) { hasher.forgetDictionaries() }
    }
    #expect(Set(known.values).count == known.count)
  }

  @Test func theLastUnitsAreHandedOutInParts() throws {
    let units = (0..<7).map { CountedUnit(number: $0, partCount: 3) }
    func order(_ queue: WorkQueue<any ScanUnit>) -> [Int] {
      var numbers: [Int] = []
      while let unit = queue.take() as? CountedUnit { numbers.append(unit.number) }
      return numbers
    }
    #expect(order(WorkQueue(units)) == Array(0..<7))
    #expect(order(WorkQueue(units, endingTogether: 1)) == Array(0..<7))
    let parts = (3..<7).flatMap { unit in (0..<3).map { 100 * unit + $0 } }
    let queue = WorkQueue(units, endingTogether: 2)
    #expect(queue.count == 15 && order(queue) == [0, 1, 2] + parts)
    #expect(order(WorkQueue(Array(units[0..<1]), endingTogether: 2)) == [0, 1, 2])
    #expect(order(WorkQueue([], endingTogether: 2)).isEmpty)
  }
}

/// A unit that says which it is.
private struct CountedUnit: ScanUnit {
  let number: Int
  let partCount: Int

  var objects: Set<StoredObject> { [] }
  var bounds: KeyBounds { KeyBounds(timestampMin: 0, timestampMax: 0, positionMin: 0, positionMax: 0) }
  var rowCountMax: Int { 0 }
  var memoryBytesEstimate: Int { 0 }

  func parts() -> [any ScanUnit] {
    (0..<partCount).map { CountedUnit(number: 100 * number + $0, partCount: 1) }
  }
  func open() throws(StoreError) -> any BatchCursor { MemoryCursor(batches: []) }
  func countMatches() throws(StoreError) -> Int { 0 }
}
