import Codecs
import Journaling
import Platform
import Records
import TestKit
import Testing

@Suite struct CommitTests {
  @Test(arguments: Registry.standard.datasets)
  func rowsComeBack(dataset: Dataset) throws {
    for seed in 0..<20 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var bench = try Bench(seed: seed)
      let partition = Partition(tenant: acme, dataset: dataset)
      var expected: [String] = []
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let count = Int.random(in: 1...5, using: &generator)
        let batches = (0..<count).map { _ in
          let rowCount = Int.random(in: 1...(generator.chance(oneIn: 4) ? 200 : 10), using: &generator)
          return RandomBatches.batch(of: dataset, rowCount: rowCount, using: &generator)
        }
        for (batch, result) in zip(
          batches, bench.journal.commit(batches.map { AppendRequest(batch: $0, partition: partition) }))
        {
          let receipt = try result.get()
          #expect(receipt.firstPosition == Int64(expected.count))
          expected += withServerColumns(batch, receipt, dataset)
        }
        bench.clock.advance(seconds: 1)
      }
      #expect(try bench.rows(of: partition) == expected, "seed \(seed)")
      #expect(bench.journal.nextPosition(of: acme) == Int64(expected.count))
      try bench.reopen()
      #expect(try bench.rows(of: partition) == expected, "seed \(seed), reopened")
      #expect(bench.recovery.cut == nil)
      try bench.crash()
      #expect(try bench.rows(of: partition) == expected, "seed \(seed), after a power cut")
    }
  }

  /// The rows with position, id and ingested_at as the receipt promises them.
  private func withServerColumns(
    _ batch: RecordBatch, _ receipt: AppendReceipt, _ dataset: Dataset
  ) -> [String] {
    let count = batch.rowCount
    let common = [
      Column(int64: (0..<Int64(count)).map { receipt.firstPosition + $0 }),
      UUIDv7.column(first: receipt.firstID, count: count), batch.columns[0],
      Column(timestamps: Array(repeating: receipt.ingestedAt, count: count)),
    ]
    return RandomBatches.rowTexts(
      RecordBatch(
        fields: dataset.schema.fields, columns: common + batch.columns.dropFirst(), rowCount: count))
  }

  @Test func boundsAreThoseOfTheRows() throws {
    let bench = try Bench()
    var generator = SeededGenerator(seed: 5)
    let batch = RandomBatches.batch(of: .logs, rowCount: 20, using: &generator)
    _ = try bench.append(batch)
    let frame = bench.journal.head(of: logs).frames[0]
    let times = batch.columns[0].withInt64 { span in span.indices.map { span[$0] } }
    #expect(frame.bounds.timestampMin == times.min())
    #expect(frame.bounds.timestampMax == times.max())
    #expect(frame.bounds.positionMin == 0 && frame.positionEnd == 20)
  }

  @Test func positionsCountThroughATenantsDatasets() throws {
    let bench = try Bench()
    var generator = SeededGenerator(seed: 1)
    let audit = Partition(tenant: acme, dataset: .audit)
    let other = Partition(tenant: Tenant(realm: .ingest, name: "acme"), dataset: .logs)
    let requests = [logs, audit, other, logs].map {
      AppendRequest(
        batch: RandomBatches.batch(of: $0.dataset, rowCount: 3, using: &generator), partition: $0)
    }
    let receipts = try bench.journal.commit(requests).map { try $0.get() }
    // One frame a partition: the two requests for the logs come first.
    #expect(receipts.map(\.firstPosition) == [0, 6, 0, 3])
    #expect(bench.journal.statistics().syncs == 1)
    #expect(bench.journal.head(of: logs).frames.count == 1)
    #expect(bench.journal.nextPosition(of: acme) == 9)
    #expect(Set(receipts.map(\.firstID)).count == 4)
  }

  @Test func aSmallRecordStaysSmall() throws {
    let bench = try Bench()
    let json =
      #"{"timestamp":"2026-11-21T06:00:00Z","level":"INFO","message":"user logged in","service":"api","#
      + #""trace_id":"4bf92f3577b34da6","metadata":{"host":"web-1"}}"#
    let values = [
      "level": "INFO", "message": "user logged in", "service": "api", "trace_id": "4bf92f3577b34da6",
      "metadata": #"{"host":"web-1"}"#,
    ]
    let fields = Dataset.logs.schema.declaredFields
    let columns = fields.map { field -> Column in
      if field.type == .timestamp { return Column(timestamps: [1]) }
      guard let value = values[field.name] else { return .nulls(type: field.type, rowCount: 1) }
      var builder = TextBuilder()
      builder.appendRow(value)
      return builder.finish(type: field.type)
    }
    _ = try bench.append(RecordBatch(fields: fields, columns: columns, rowCount: 1))
    let bytes = bench.journal.headBytes
    #expect(bytes <= json.utf8.count * 4, "\(bytes) bytes for \(json.utf8.count) of JSON")
  }

  @Test func aBigRequestIsSplitAndWhole() throws {
    var bench = try Bench(options: testOptions(segmentBytes: 8 << 10, frameBytesMax: 1 << 10))
    var generator = SeededGenerator(seed: 2)
    let batch = RandomBatches.batch(of: .logs, rowCount: 300, using: &generator)
    let receipt = try bench.append(batch, key: key("big", answer: "ok"))
    #expect(receipt.rowCount == 300 && receipt.firstPosition == 0)
    #expect(bench.journal.head(of: logs).frames.count > 10)
    #expect(bench.journal.statistics().segmentsCreated > 2)
    try bench.crash()
    #expect(try bench.rows().count == 300)
    let again = try bench.append(batch, key: key("big"))
    #expect(again.isReplay && again.firstID == receipt.firstID && again.rowCount == 300)
    #expect(again.answer == Array("ok".utf8))
  }

  @Test func aHugeRowGetsALargerSegment() throws {
    var bench = try Bench(options: testOptions(segmentBytes: 4 << 10, frameBytesMax: 1 << 10))
    _ = try bench.append(oneRow("before"))
    let huge = String(repeating: "x", count: 100_000)
    _ = try bench.append(oneRow(huge))
    _ = try bench.append(oneRow("after"))
    try bench.crash()
    #expect(try messages(bench.journal.head(of: logs).frames) == ["before", huge, "after"])
  }

  @Test func theHeadIsBounded() throws {
    var options = testOptions()
    options.headBytesMax = 2000
    let bench = try Bench(options: options)
    var written = 0
    while case .success = bench.journal.commit([AppendRequest(batch: oneRow("m"), partition: logs)])[0] {
      written += 1
    }
    #expect(written > 3)
    #expect(throws: StoreError.headFull(retryAfterSeconds: 1)) { try bench.append(oneRow("m")) }
    bench.journal.release([logs: Int64(written)])
    _ = try bench.append(oneRow("m"))
  }

  @Test func snapshotsStayWhenSegmentsGo() throws {
    let bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    for number in 0..<100 { _ = try bench.append(oneRow("row \(number)")) }
    let snapshot = bench.journal.head(of: logs)
    let before = bench.disk.files().count
    bench.journal.release([logs: 90])
    #expect(bench.disk.files().count < before)
    #expect(try messages(snapshot.frames) == (0..<100).map { "row \($0)" })
    #expect(try messages(bench.journal.head(of: logs).frames) == (90..<100).map { "row \($0)" })
    #expect(bench.journal.heads().first?.rowCount == 10)
  }

  @Test func archivedFramesAreNotShownAgain() throws {
    var bench = try Bench()
    for number in 0..<10 { _ = try bench.append(oneRow("row \(number)")) }
    try bench.journal.finish()
    try bench.reopen(start: JournalStart(archivedThrough: [logs: 7]))
    #expect(try messages(bench.journal.head(of: logs).frames) == ["row 7", "row 8", "row 9"])
    #expect(bench.journal.nextPosition(of: acme) == 10)
    try bench.reopen(start: JournalStart(archivedThrough: [logs: 10], nextPositions: [acme: 50]))
    #expect(try bench.rows().isEmpty)
    #expect(try bench.append(oneRow("next")).firstPosition == 50)
  }

  @Test func theReaderSeesWhatTheJournalHolds() throws {
    let bench = try Bench(options: testOptions(segmentBytes: 4 << 10))
    for number in 0..<50 { _ = try bench.append(oneRow("row \(number)"), key: key("k\(number)")) }
    var rows = 0
    let reader = try JournalReader(directory: "data/journal", fileSystem: bench.disk) {
      (frame) throws(JournalError) in
      rows += try frame.batch()?.rowCount ?? 0
    }
    #expect(rows == 50)
    #expect(reader.findings.isEmpty)
    #expect(reader.segments.reduce(0) { $0 + $1.rowCount } == 50)
  }
}
