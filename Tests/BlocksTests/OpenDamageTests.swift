import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

/// Bytes of a block that change after they were checked, as those that the disk does not give any more and
/// that are seen as zeros.
@Suite struct OpenDamageTests {
  private static let requests: [ScanRequest] = {
    let all = Dataset.logs.schema.fields.map { OutputColumn(ColumnPath($0.name), type: $0.type) }
    let predicates: [Predicate] = [
      .all, .contains(ColumnPath("message"), needle: "a", ignoreCase: true),
      .word(ColumnPath("message"), "error"),
      .contains(ColumnPath("metadata"), needle: "val", ignoreCase: false),
      .compare(ColumnPath("level"), .equal, .string("ERROR")),
      .compare(ColumnPath("trace_id"), .equal, .string("none")), .exists(ColumnPath("metadata.user")),
      .not(.prefix(ColumnPath("message"), "x")),
    ]
    return predicates.map { ScanRequest(columns: all, predicate: $0, order: .ascending) }
  }()

  /// Everything a server asks of an open block; how many rows came.
  private static func ask(_ fixture: BlockFixture) -> Int {
    var rows = 0
    for request in requests {
      do {
        let predicate = try fixture.compiled(request.predicate)
        for unit in try fixture.reader.units(for: request, predicate: predicate) {
          _ = try unit.countMatches()
          let cursor = try unit.open()
          while let batch = try cursor.next() { rows += PlainRow.rows(of: batch).count }
        }
        let counts = GroupedCountRequest(
          groupBy: [ColumnPath("level")], bucketNanoseconds: 60_000_000_000, predicate: request.predicate,
          start: nil, end: nil)
        _ = try fixture.reader.groupedCounts(for: counts, predicate: predicate)
      } catch {}
    }
    do { _ = try fixture.reader.inspect() } catch {}
    return rows
  }

  @Test(arguments: 1...6)
  func bytesThatChangeUnderAnOpenBlockNeverCrash(seed: UInt64) throws {
    var maker = RowMaker(seed: 3)
    let fixture = try BlockFixture(maker.batches([60, 40]))
    let known = Self.ask(fixture)
    #expect(known > 100)
    let bytes = fixture.disk.contents(BlockFixture.path)
    let file = try fixture.disk.open(BlockFixture.path, writable: true)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<12 {
      let start = Int.random(in: 0..<bytes.count, using: &generator)
      let length = Int.random(in: 1...1 << Int.random(in: 0...13, using: &generator), using: &generator)
      let part = bytes[start..<min(bytes.count, start + length)]
      try file.write([UInt8](repeating: 0, count: part.count).span, at: start)
      _ = Self.ask(fixture)
      try file.write(Array(part).span, at: start)
    }
    #expect(Self.ask(fixture) == known)
  }
}
