import Blocks
import Foundation
import Journaling
import Platform
import Records
import Storage
import TestKit
import Testing

/// 2,400 records of a megabyte in eight blocks, merged with the server's own bounds: what memory that takes.
/// Runs only if asked for: `CORDWOOD_BENCHMARK_LARGE_ROWS=1 swift test … --filter LargeRowBenchmark`.
@Suite(.serialized) struct LargeRowBenchmark {
  static let isWanted = ProcessInfo.processInfo.environment["CORDWOOD_BENCHMARK_LARGE_ROWS"] != nil
  static let partition = Partition(tenant: Tenant(realm: .native, name: "bench"), dataset: .logs)

  @Test(.enabled(if: isWanted)) func figures() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let environment = StoreEnvironment()
    var options = StorageOptions()
    options.journal.writeReserveBytes = 0
    let (engine, journal) = try StorageEngine.open(
      directory: directory, environment: environment, options: options, format: ParquetBlocks()
    ) { directory, start throws(JournalError) in
      try JournalFile.open(
        directory: directory, environment: environment, options: options.journal, start: start
      ).journal
    }
    for block in 0..<8 {
      for part in 0..<60 {
        let request = AppendRequest(batch: Self.batch(block * 300 + part * 5), partition: Self.partition)
        _ = try journal.commit([request])[0].get()
      }
      while let step = try engine.archive(Self.partition) {
        journal.release([Self.partition: step.archivedThrough])
      }
      print("block \(block): anonymous memory \(Self.anonymousMiB()) MiB, most \(Self.mostMiB()) MiB")
    }
    let start = ContinuousClock.now
    let isMerged = try engine.compact()
    print("merged: \(isMerged), \(ContinuousClock.now - start)")
    print("anonymous memory \(Self.anonymousMiB()) MiB, most \(Self.mostMiB()) MiB")
    #expect(engine.usage().map(\.blockRows) == [2_400] && engine.usage()[0].blockCount == 1)
    var rows = 0
    let request = ScanRequest(columns: [OutputColumn(ColumnPath("message"), type: .utf8)])
    for unit in try engine.snapshot(of: Self.partition).plan(request) {
      let cursor = try unit.open()
      while let batch = try cursor.next() { rows += batch.rowCount }
    }
    #expect(rows == 2_400)
  }

  /// Five records, their times in turn with those of other blocks.
  private static func batch(_ first: Int) -> RecordBatch {
    let fields = Dataset.logs.schema.declaredFields
    let rows = first..<first + 5
    let columns = fields.map { field -> Column in
      if field.type == .timestamp { return Column(timestamps: rows.map { Int64($0 % 300) * 1_000_000_000 }) }
      var builder = TextBuilder()
      for row in rows {
        if field.name == "message" {
          builder.append(contentsOf: String(repeating: "word\(row) ", count: 1_000_000 / "word\(row) ".count))
          builder.endRow()
        } else {
          builder.appendNull()
        }
      }
      return builder.finish(type: field.type)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
  }

  private static func status(_ name: String) -> Int {
    let bytes = FileHandle(forReadingAtPath: "/proc/self/status")?.readDataToEndOfFile() ?? Data()
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first {
      $0.hasPrefix(name + ":")
    }
    return
      (line?.split(separator: " ").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }.first ?? 0)
      / 1_024
  }

  private static func anonymousMiB() -> Int { status("RssAnon") }

  /// Pages of mapped files included.
  private static func mostMiB() -> Int { status("VmHWM") }
}
