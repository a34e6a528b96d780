import Codecs
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

/// Texts that Unicode calls equal (UAX #15) and that differ in bytes, in blocks.
@Suite struct EqualLooksTests {
  private static let composed = "caf\u{E9}"
  private static let decomposed = "cafe\u{301}"

  /// Twenty records of the one spelling, ten of the other: as `service`, and as a member's name.
  private static func fixture() throws -> BlockFixture {
    var maker = RowMaker(seed: 9)
    let batch = maker.batch(rowCount: 30)
    var services = TextBuilder()
    var objects = TextBuilder()
    for row in 0..<30 {
      let text = row % 3 == 0 ? decomposed : composed
      services.appendRow(text)
      objects.appendRow("{\"\(text)\":\(row % 3 == 0 ? 100 : 1)}")
    }
    let own = ["service": services.finish(type: .utf8), "metadata": objects.finish(type: .json)]
    let columns = zip(batch.fields, batch.columns).map { field, column in own[field.name] ?? column }
    return try BlockFixture([RecordBatch(fields: batch.fields, columns: columns, rowCount: 30)])
  }

  private static func counts(
    _ reader: BlockReader, by: [String], where predicate: Predicate = .all
  ) throws -> GroupedCountAnswer {
    let request = GroupedCountRequest(
      groupBy: by.map { ColumnPath($0) }, bucketNanoseconds: nil, predicate: predicate, start: nil, end: nil)
    return try reader.groupedCounts(
      request, predicate: CompiledPredicate(predicate, schema: Dataset.logs.schema), deletions: [])
  }

  @Test func summariesCountThemApart() throws {
    let fixture = try Self.fixture()
    let groups = try Self.counts(fixture.reader, by: ["service"])
    #expect(groups.remaining.isEmpty, "the summary knows")
    let expected = [(Self.composed, 20), (Self.decomposed, 10)].map {
      (GroupKey(bucket: 0, values: [$0.0]), $0.1)
    }
    #expect(groups.counts == Dictionary(uniqueKeysWithValues: expected))
    for (text, count) in [(Self.composed, 20), (Self.decomposed, 10)] {
      let one = try Self.counts(
        fixture.reader, by: [], where: .compare(ColumnPath("service"), .equal, .string(text)))
      #expect(one.remaining.isEmpty && one.counts.values.reduce(0, +) == count)
    }
  }

  @Test func membersAnswerForThemselves() throws {
    let fixture = try Self.fixture()
    for (name, number, count) in [(Self.composed, 1, 20), (Self.decomposed, 100, 10)] {
      let path = ColumnPath("metadata", members: [name])
      for (literal, expected) in [(number, count), (number == 1 ? 100 : 1, 0)] {
        var request = ScanRequest(columns: [OutputColumn(ColumnPath("position"), type: .int64)])
        request.predicate = .compare(path, .equal, .int64(Int64(literal)))
        #expect(try fixture.scan(request).count == expected)
      }
      #expect(try fixture.reader.contents().columns.member(name, of: "metadata").columns.count == 1)
    }
  }

  /// Of a block of before: what may have been counted as one is counted anew.
  @Test func summariesOfBeforeAreTrustedWhereNothingLooksTheSame() throws {
    func summary(_ values: [[String?]]) -> BlockSummary {
      var builder = SummaryBuilder(columns: values.indices.map { "c\($0)" }, layout: BlockLayout())
      var times = FixedBuilder<Int64>(capacity: values[0].count)
      for row in values[0].indices { times.append(Int64(row)) }
      let columns = values.map { values in
        var texts = TextBuilder()
        for value in values { if let value { texts.appendRow(value) } else { texts.appendNull() } }
        return DictionaryEncoder.encode(texts.finish(type: .utf8), valuesMax: 100)
      }
      builder.add(timestamps: times.finish(type: .timestamp), columns: columns)
      return builder.finish() ?? BlockSummary()
    }
    var mixed = summary([["a", "b", nil], ["OK", "a", "a"], ["x", "y", "x"]])
    #expect(mixed.pairs.count == 3)
    mixed.dropMergedValues()
    #expect(mixed.columns.map(\.name) == ["c0", "c2"])
    #expect(mixed.pairs.count == 1 && mixed.pairs[0].left == 0 && mixed.pairs[0].right == 1)
    for value in [Self.composed, "K", "a;b", "`"] {
      var alone = summary([["a", value]])
      alone.dropMergedValues()
      #expect(alone.columns.isEmpty && alone.totals == [2], "\(value)")
    }
    // The kelvin sign is no K, the ring no letter of its own.
    let apart = summary([["K", "\u{212A}", "\u{E5}", "\u{212B}", "a\u{30A}", "\u{E5}"]])
    #expect(apart.columns[0].values.count == 5)
  }
}
