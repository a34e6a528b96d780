import Matching
import Records
import TestKit
import Testing

@testable import Blocks

/// Scans whose order does not matter: rows come a step of pages at a time.
@Suite struct StepTests {
  private static let outputs = [
    OutputColumn(ColumnPath("position"), type: .int64), OutputColumn(ColumnPath("message"), type: .utf8),
    OutputColumn(ColumnPath("level"), type: .utf8), OutputColumn(ColumnPath("id"), type: .uuid),
    OutputColumn(ColumnPath("timestamp"), type: .timestamp),
  ]

  private static func rows(_ unit: BlockUnit, by count: Int) throws -> [PlainRow] {
    #expect(unit.readsStepsAtOnce)
    let cursor = StepCursor(unit, batchRowsMax: count)
    var found: [PlainRow] = []
    while let batch = try cursor.next() {
      #expect(batch.rowCount > 0 && batch.rowCount <= count)
      found += PlainRow.rows(of: batch)
    }
    return found
  }

  @Test(arguments: 1...8) func stepsAndPartsHaveWhatANaiveFilterFinds(seed: UInt64) throws {
    var rowMaker = RowMaker(seed: seed)
    let fixture = try BlockFixture(rowMaker.batches([40, 100, 3, 150, 38]))
    var maker = PredicateMaker(generator: SeededGenerator(seed: seed &* 91), rows: fixture.rows)
    let all = PlainRow.rows(
      of: RecordBatch(
        fields: StepTests.outputs.map(\.field),
        columns: StepTests.outputs.map { fixture.rows.existing($0.path.column) },
        rowCount: fixture.rows.rowCount))
    for round in 0..<30 {
      var request = maker.request()
      if round % 5 == 0 { request.predicate = .all }
      request.columns = StepTests.outputs
      request.order = .unordered
      let units = try fixture.reader.units(for: request, predicate: try fixture.compiled(request.predicate))
        .compactMap { $0 as? BlockUnit }
      let expected = try fixture.expected(request).map { all[$0] }
      let note = "seed \(seed) round \(round): \(request)"
      #expect(try units.flatMap { try StepTests.rows($0, by: 8) } == expected, "\(note)")
      let parts = units.flatMap { $0.parts(ofPages: 1 + round % 3) }
      #expect(parts.count >= units.count)
      #expect(try parts.flatMap { try StepTests.rows($0, by: 24) } == expected, "\(note)")
      #expect(try parts.reduce(0) { $0 + (try $1.countMatches()) } == expected.count, "\(note)")
    }
  }

  /// What keys are found to be is kept from batch to batch by that.
  @Test func batchesOfAStepShareTheirDictionary() throws {
    var maker = RowMaker(seed: 3)
    let fixture = try BlockFixture([maker.batch(rowCount: 90)])
    func levels(_ predicate: Predicate) throws -> [Column] {
      let request = ScanRequest(
        columns: [OutputColumn(ColumnPath("level"), type: .utf8)], predicate: predicate)
      let units = try fixture.reader.units(for: request, predicate: try fixture.compiled(predicate))
      let unit = try #require(units.first as? BlockUnit)
      let cursor = StepCursor(unit, batchRowsMax: 16)
      var columns: [Column] = []
      while let batch = try cursor.next() { columns.append(batch.columns[0]) }
      return columns
    }
    let positions = fixture.rows.existing("position").int64Values.sorted()
    for predicate in [
      Predicate.all, .compare(ColumnPath("position"), .notEqual, .int64(positions[5])),
      .compare(ColumnPath("position"), .less, .int64(positions[30])),
    ] {
      let columns = try levels(predicate)
      #expect(columns.count > 1)
      for column in columns { #expect(column.sharesDictionary(with: columns[0])) }
      #expect(try !levels(predicate)[0].sharesDictionary(with: columns[0]), "another cursor's is another")
    }
  }

  /// Whole objects and what may lie in their rest grow beyond what the file has: a few rows at a time.
  @Test func whatMayGrowIsNotReadAtOnce() throws {
    var maker = RowMaker(seed: 4)
    let fixture = try BlockFixture([maker.batch(rowCount: 90)])
    for output in [
      OutputColumn(ColumnPath("metadata"), type: .json),
      OutputColumn(ColumnPath("metadata", members: ["missing"]), type: .utf8),
      OutputColumn(ColumnPath("metadata", members: ["nested", "deep"]), type: .utf8),
    ] {
      let request = ScanRequest(columns: [output])
      let units = try fixture.reader.units(for: request, predicate: try fixture.compiled(.all))
      let unit = try #require(units.first as? BlockUnit)
      #expect(!unit.readsStepsAtOnce)
    }
  }
}
