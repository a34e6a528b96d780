import Codecs
import Platform
import Records
import Testing

@testable import Querying

/// The parts that many groups are gathered with.
struct GroupPartsTests {
  static func batch(_ names: [Int], _ random: inout SplitMix) -> RecordBatch {
    var builder = TextBuilder()
    for name in names { if name == 0 { builder.appendNull() } else { builder.appendRow("n\(name)") } }
    let plain = builder.finish()
    let column = Bool.random(using: &random) ? plain : DictionaryEncoder.encode(plain, valuesMax: 1_000)
    return RecordBatch(
      fields: [Field("message", .utf8, isNullable: true)], columns: [column], rowCount: names.count)
  }

  static func ranking() throws -> GroupRanking {
    let query = AggregateQuery(
      groupBy: [ColumnPath("message")], measures: [Measure(.count)], orderBy: "count")
    let request = QueryRequest(dataset: .logs, answer: .aggregates(query), limit: 3)
    return try #require(try GroupRanking(AggregatePlan(query, request: request)))
  }

  @Test(arguments: 0..<20) func cellsAreTheSameInWhateverOrder(seed: Int) throws {
    var random = SplitMix(state: UInt64(seed))
    let ranking = try GroupPartsTests.ranking()
    let names = (0..<5_000).map { _ in Int.random(in: 0..<(seed % 2 == 0 ? 40 : 4_000), using: &random) }
    func cells(_ names: [Int], parts: Int) -> GroupCells {
      var all = (0..<parts).map { _ in GroupCells(ranking, bits: 10) }
      for start in stride(from: 0, to: names.count, by: 97) {
        all[Int.random(in: 0..<parts, using: &random)].add(
          GroupPartsTests.batch(Array(names[start..<min(start + 97, names.count)]), &random))
      }
      var whole = all.removeFirst()
      for part in all.shuffled(using: &random) { whole.merge(part) }
      return whole
    }
    let one = cells(names, parts: 1)
    let other = cells(names.shuffled(using: &random), parts: 4)
    let groupCount = Double(Set(names).count)
    #expect(abs(one.groupsPerCell * 1_024 - groupCount) < max(3, groupCount * 0.03))
    var counts: [Int: Int] = [:]
    for name in names { counts[name, default: 0] += 1 }
    var hasher = GroupHasher(bucket: nil, columnCount: 1)
    let groups = Array(counts.keys)
    hasher.hash(GroupPartsTests.batch(groups, &random))
    for most in [1, 16, 500, 1_023, 1_024, 5_000] {
      let admitted = one.greatest(most)
      let runs = admitted.runs(hasher.hashes)
      #expect(
        runs == other.greatest(most).runs(hasher.hashes) && admitted.leftOut == other.greatest(most).leftOut)
      let inside = Set(runs.flatMap { $0.start..<$0.start + $0.count })
      for (place, group) in groups.enumerated() where !inside.contains(place) {
        #expect(Double(counts[group] ?? 0) <= admitted.leftOut ?? -1)
      }
      if most >= 1_024 { #expect(inside.count == groups.count && admitted.leftOut == nil) }
    }
  }

  @Test(arguments: 0..<10) func growingIsTakenBeforehand(seed: Int) {
    var random = SplitMix(state: UInt64(seed))
    var table = GroupTable(bucket: nil, columnCount: 1)
    var other = GroupTable(bucket: nil, columnCount: 1)
    var groups: [Int32] = []
    for _ in 0..<60 {
      let names = (0..<Int.random(in: 1...300, using: &random)).map { _ in
        Int.random(in: 0..<10_000, using: &random)
      }
      let batch = GroupPartsTests.batch(names, &random)
      let (before, growth) = (table.byteCount, table.growth(adding: batch))
      table.number(batch, into: &groups)
      #expect(table.byteCount <= before + growth)
      other.number(GroupPartsTests.batch(names.map { $0 + 5_000 }, &random), into: &groups)
    }
    let (before, growth) = (table.byteCount, table.growth(merging: other))
    _ = table.merge(other)
    #expect(table.byteCount <= before + growth)
  }

  @Test(arguments: 0..<30) func theFirstAreThoseOfSorting(seed: Int) {
    var random = SplitMix(state: UInt64(seed))
    let count = Int.random(in: 0...400, using: &random)
    let values = (0..<count).map { _ in Int.random(in: 0..<30, using: &random) }
    func precedes(_ left: Int32, _ right: Int32) -> Bool {
      (values[Int(left)], left) < (values[Int(right)], right)
    }
    let sorted = (0..<Int32(count)).sorted(by: precedes)
    for most in [0, 1, 7, count / 8, count] {
      #expect(TopGroups.first(min(most, count), of: count, by: precedes) == Array(sorted.prefix(most)))
    }
  }
}
