import Foundation
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

/// A block of each version, with its index and text index, written once and read for ever. A new version gets
/// a file of its own, by
/// `CORDWOOD_WRITE_GOLDEN=v2 swift test --filter BlockGoldenTests`. What is written today may differ in bytes
/// (compression), never in what is read.
@Suite struct BlockGoldenTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "golden")

  private static func file(_ version: String, _ ending: String) -> URL {
    folder.appending(path: "\(version).\(ending)")
  }

  @Test(arguments: [Dataset.logs, .audit])
  func writeOnce(dataset: Dataset) throws {
    guard let version = ProcessInfo.processInfo.environment["CORDWOOD_WRITE_GOLDEN"], !version.isEmpty else {
      return
    }
    let name = "\(version)-\(dataset.name)"
    guard !FileManager.default.fileExists(atPath: Self.file(name, "parquet").path) else {
      Issue.record("\(name) was written before and stays as it is")
      return
    }
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    var maker = RowMaker(seed: 42, dataset: dataset)
    let fixture = try BlockFixture(maker.batches([60, 90]), dataset: dataset)
    try Data(fixture.disk.contents(BlockFixture.path)).write(to: Self.file(name, "parquet"))
    try Data(Self.text(of: fixture.rows).utf8).write(to: Self.file(name, "txt"))
  }

  /// `v1-grams`: with gram filters; `v1-ids`: with ids and the checksum of the tail as well. Blocks of
  /// version 1 have had them since. `v3`: forms that every reader of Parquet takes; `v3-numbers`: with
  /// numbers and frequent values.
  @Test(arguments: ["v1", "v1-grams", "v1-ids", "v3", "v3-numbers"], [Dataset.logs, .audit])
  func everyVersionIsRead(version: String, dataset: Dataset) throws {
    let name = "\(version)-\(dataset.name)"
    let bytes = [UInt8](try Data(contentsOf: Self.file(name, "parquet")))
    let expected = String(decoding: try Data(contentsOf: Self.file(name, "txt")), as: UTF8.self)
    let disk = try BlockFixture.disk()
    try disk.create(BlockFixture.path).write(bytes.span, at: 0)
    var maker = RowMaker(seed: 42, dataset: dataset)
    let own = try BlockFixture(maker.batches([60, 90]), dataset: dataset)
    var facts = own.reader.facts
    facts.byteCount = bytes.count
    #expect(BlockChecker.problems(of: facts, path: BlockFixture.path, fileSystem: disk).isEmpty)
    let reader = try BlockReader(facts, path: BlockFixture.path, fileSystem: disk)
    #expect(try (reader.contents().grams() != nil) == (version != "v1"))
    #expect(try reader.contents().isOfOlderFormat == (version != "v3-numbers"))
    let columns = dataset.schema.fields.map { OutputColumn(ColumnPath($0.name), type: $0.type) }
    func rows(_ predicate: Records.Predicate) throws -> [PlainRow] {
      var found: [PlainRow] = []
      let compiled = try CompiledPredicate(predicate, schema: dataset.schema)
      var request = ScanRequest(columns: columns, order: .ascending)
      request.predicate = predicate
      for unit in try reader.units(for: request, predicate: compiled) {
        let cursor = try unit.open()
        while let batch = try cursor.next() { found += PlainRow.rows(of: batch) }
      }
      return found
    }
    let all = try rows(.all)
    #expect(all.map(\.description).joined(separator: "\n") + "\n" == expected)
    // Through the text index and the filters of the objects' words.
    let text = ColumnPath(dataset == .logs ? "message" : "action")
    let needles: [Records.Predicate] = [
      .contains(text, needle: "apac", ignoreCase: false), .word(text, "GET"),
      .exists(ColumnPath(dataset == .logs ? "metadata" : "before")),
    ]
    for needle in needles {
      var request = ScanRequest(columns: columns, order: .ascending)
      request.predicate = needle
      #expect(try rows(needle) == own.scan(request), "\(needle)")
    }
    // Searches over many columns, with whatever filters the version has.
    var generator = SeededGenerator(seed: 4)
    let whole = PlainRow.rows(of: own.rows)
    for round in 0..<20 {
      let search = SearchMaker.predicate(rows: own.rows, dataset, &generator)
      let expected = try own.expected(ScanRequest(columns: [], predicate: search)).map { whole[$0] }
      #expect(try rows(search) == expected, "\(round): \(search)")
    }
  }

  private static func text(of rows: RecordBatch) -> String {
    PlainRow.rows(of: rows).map(\.description).joined(separator: "\n") + "\n"
  }
}
