import Foundation
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

/// Blocks whose times lie further apart than Int64 can say: a clock of before 1734 beside today's.
@Suite struct WideTimesTests {
  private static let golden = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "golden/v1-wide-logs.parquet")
  private static let minute: Int64 = 60_000_000_000
  private static let now: Int64 = 1_780_000_000_000_000_000

  private static let oldClock: Int64 = -8_520_336_000_000_000_000

  /// Around which rows lie, in order of seeds: in the order of time the next may be further than 2^63 ns,
  /// just within that, or just beyond.
  private static let places: [[Int64]] = [
    [oldClock, now], [.min, now], [.min, .max], [oldClock, oldClock + .max], [oldClock - 1, oldClock + .max],
    [-10_000_000_000, .max], [.min, oldClock, now, .max], [.min, .min + minute, -1, 0, .max - minute, .max],
  ]

  private static func marks(seed: UInt64) -> [Int64] { places[Int(seed % UInt64(places.count))] }

  /// Rows of a few minutes around each place.
  static func batches(seed: UInt64) -> [RecordBatch] {
    var maker = RowMaker(seed: seed)
    var generator = SeededGenerator(seed: seed &* 41)
    let marks = marks(seed: seed)
    return maker.batches([40, 100, 3, 150, 38]).map { batch in
      let times = (0..<batch.rowCount).map { _ -> Int64 in
        let mark = marks.randomElement(using: &generator) ?? now
        let (time, isOver) = mark.addingReportingOverflow(
          Int64.random(in: -2 * minute...2 * minute, using: &generator))
        return isOver || generator.chance(oneIn: 4) ? mark : time
      }
      var columns = batch.columns
      guard let place = batch.fields.firstIndex(where: { $0.name == "timestamp" }) else { return batch }
      columns[place] = Column(timestamps: times)
      return RecordBatch(fields: batch.fields, columns: columns, rowCount: batch.rowCount)
    }
  }

  @Test func writeOnce() throws {
    guard ProcessInfo.processInfo.environment["CORDWOOD_WRITE_GOLDEN"] == "v1-wide" else { return }
    let fixture = try BlockFixture(Self.batches(seed: 40))
    try Data(fixture.disk.contents(BlockFixture.path)).write(to: Self.golden)
  }

  /// A fixture whose file is the golden one: the same rows, counted with a difference that did not fit.
  private static func old() throws -> (reader: BlockReader, own: BlockFixture, disk: SimulatedDisk) {
    let bytes = [UInt8](try Data(contentsOf: golden))
    let disk = try BlockFixture.disk()
    try disk.create(BlockFixture.path).write(bytes.span, at: 0)
    let own = try BlockFixture(batches(seed: 40))
    var facts = own.reader.facts
    facts.byteCount = bytes.count
    return (try BlockReader(facts, path: BlockFixture.path, fileSystem: disk), own, disk)
  }

  /// Counts of random questions, by summaries and what these leave to be read.
  private func expectCounts(
    _ reader: BlockReader, _ fixture: BlockFixture, seed: UInt64,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var generator = SeededGenerator(seed: seed)
    let times = fixture.rows.existing("timestamp").int64Values
    let levels = fixture.rows.existing("level").plainText()
    let widths: [Int64?] = [nil, Self.minute, 60 * Self.minute, 1440 * Self.minute, 1_000_000_000, .max]
    for round in 0..<100 {
      func time() -> Int64? {
        let near = times.randomElement(using: &generator) ?? 0
        let (shifted, isOver) = near.addingReportingOverflow(Int64.random(in: -1...1, using: &generator))
        return generator.chance(oneIn: 3) ? nil : isOver ? near : shifted
      }
      let request = GroupedCountRequest(
        groupBy: generator.chance(oneIn: 2) ? [ColumnPath("level")] : [],
        bucketNanoseconds: widths.randomElement(using: &generator) ?? nil,
        predicate: generator.chance(oneIn: 4)
          ? .compare(ColumnPath("level"), .equal, .string("ERROR")) : .all, start: time(), end: time())
      func key(_ time: Int64, _ level: String?) -> GroupKey {
        var bucket: Int64 = 0
        if let width = request.bucketNanoseconds {
          let rest = Int128(time) % Int128(width)
          bucket = Int64(clamping: Int128(time) - (rest < 0 ? rest + Int128(width) : rest))
        }
        return GroupKey(bucket: bucket, values: request.groupBy.map { _ in level })
      }
      var expected: [GroupKey: Int] = [:]
      for (row, time) in times.enumerated()
      where time >= request.start ?? .min && request.end.map({ time < $0 }) ?? true {
        let level = PlainRow.value(of: levels, row)
        if request.predicate != .all, level != "ERROR" { continue }
        expected[key(time, level), default: 0] += 1
      }
      let answer = try reader.groupedCounts(
        for: request, predicate: try fixture.compiled(request.predicate))
      var found = answer.counts
      for unit in answer.remaining {
        let cursor = try unit.open()
        while let batch = try cursor.next() {
          let times = request.bucketNanoseconds.map { _ in batch.existing("timestamp").int64Values }
          for row in 0..<batch.rowCount {
            let level = request.groupBy.first.flatMap {
              PlainRow.value(of: batch.existing($0.column).plainText(), row)
            }
            found[key(times?[row] ?? 0, level), default: 0] += 1
          }
        }
      }
      #expect(found == expected, "round \(round): \(request)", sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: 0...2)
  func countsAreThoseOfTheRows(seed: UInt64) throws {
    let fixture = try BlockFixture(Self.batches(seed: seed))
    try expectCounts(fixture.reader, fixture, seed: seed)
    #expect(
      BlockChecker.problems(of: fixture.reader.facts, path: BlockFixture.path, fileSystem: fixture.disk)
        .isEmpty)
  }

  /// Their own times tell that their counts cannot be believed; the rows are counted instead.
  @Test func blocksOfBeforeAreCountedByTheirRows() throws {
    let (reader, own, disk) = try Self.old()
    try expectCounts(reader, own, seed: 7)
    #expect(BlockChecker.problems(of: reader.facts, path: BlockFixture.path, fileSystem: disk).isEmpty)
  }

  /// A merge of such a block has counts that are right, and answers by them.
  @Test func aMergeCountsAnew() throws {
    let (reader, own, disk) = try Self.old()
    #expect(try reader.contents().summary() == nil)
    let place = BlockFixture.place(id: 2)
    let facts = try #require(
      try BlockWriter.write(
        MergedRows([(reader, [])]), to: place, fileSystem: disk, layout: BlockFixture.smallLayout))
    let merged = try BlockReader(facts, path: place.path, fileSystem: disk)
    try expectCounts(merged, own, seed: 9)
    let request = GroupedCountRequest(
      groupBy: [ColumnPath("level")], bucketNanoseconds: Self.minute, predicate: .all, start: nil, end: nil)
    #expect(try merged.groupedCounts(for: request, predicate: own.compiled(.all)).remaining.isEmpty)
    #expect(BlockChecker.problems(of: facts, path: place.path, fileSystem: disk).isEmpty)
  }

  /// Counts that a block of before was written with are not those that a check counts.
  @Test func aCheckCountsByOtherMeans() throws {
    let (reader, _, _) = try Self.old()
    let section = try #require(try reader.contents().index.section(.minutes))
    let wrong = try BlockSummary(minutes: section, pairs: nil)
    var (tally, builder) = (MinuteTally(), SummaryBuilder(columns: [], layout: BlockLayout()))
    let rows = try BlockRows(reader, deletions: [])
    while let batch = try rows.next() {
      tally.add(batch.existing("timestamp"))
      builder.add(timestamps: batch.existing("timestamp"), columns: [])
    }
    #expect(!tally.isThat(of: wrong))
    #expect(try tally.isThat(of: #require(builder.finish())))
  }

  @Test(arguments: 0...2)
  func scansFindBothEnds(seed: UInt64) throws {
    let fixture = try BlockFixture(Self.batches(seed: seed))
    var generator = SeededGenerator(seed: seed)
    let all = PlainRow.rows(
      of: RecordBatch(
        fields: QueryTests.outputs.map(\.field),
        columns: QueryTests.outputs.map { fixture.rows.existing($0.path.column) },
        rowCount: fixture.rows.rowCount))
    let marks = Self.marks(seed: seed)
    for round in 0..<30 {
      var request = ScanRequest(columns: QueryTests.outputs)
      request.start = generator.chance(oneIn: 2) ? marks.randomElement(using: &generator) : nil
      request.end = generator.chance(oneIn: 2) ? marks.randomElement(using: &generator) : nil
      let expected = try fixture.expected(request).map { all[$0] }
      for order in [ScanOrder.ascending, .descending] {
        request.order = order
        let found = try fixture.scan(request)
        #expect(found == (order == .ascending ? expected : expected.reversed()), "round \(round): \(request)")
      }
    }
  }
}
