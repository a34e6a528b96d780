import Matching
import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Blocks

/// A block is written of parts that are read when they are needed, and let go of.
@Suite struct HeadPartTests {
  /// Gives batches, and notes who was asked and who was let go of.
  private final class Source: Sendable {
    private struct State {
      var held: Set<Int> = []
      var heldMax = 0
      var reads = 0
    }

    let batches: [RecordBatch]
    /// The read that fails, counted from 0.
    let failing: Int
    /// Of each part.
    let byteCount: Int
    private let state = Mutex(State())

    init(_ batches: [RecordBatch], failing: Int = .max, byteCount: Int = HeadPart.heldBytesMax + 1) {
      self.batches = batches
      self.byteCount = byteCount
      self.failing = failing
    }

    var held: Set<Int> { state.withLock { $0.held } }
    var heldMax: Int { state.withLock { $0.heldMax } }
    var reads: Int { state.withLock { $0.reads } }

    private func read(_ part: Int, _ columns: [String]) throws(StoreError) -> RecordBatch {
      let number = state.withLock { state in
        state.held.insert(part)
        state.heldMax = max(state.heldMax, state.held.count)
        defer { state.reads += 1 }
        return state.reads
      }
      if number == failing { throw .corrupt(file: "journal/1", offsetBytes: 77, reason: "torn") }
      let fields = columns.compactMap { name in batches[part].fields.first { $0.name == name } }
      return RecordBatch(
        fields: fields, columns: fields.map { batches[part].existing($0.name) },
        rowCount: batches[part].rowCount)
    }

    var parts: [HeadPart] {
      batches.indices.map { index in
        HeadPart(
          rowCount: batches[index].rowCount, byteCount: byteCount,
          read: { names throws(StoreError) in try self.read(index, names) },
          letGo: { _ = self.state.withLock { $0.held.remove(index) } })
      }
    }
  }

  private static func write(
    _ rows: HeadRows, layout: BlockLayout = BlockFixture.smallLayout
  ) throws -> [UInt8] {
    let disk = try BlockFixture.disk()
    _ = try BlockWriter.write(rows, to: BlockFixture.place(), fileSystem: disk, layout: layout)
    return disk.contents(BlockFixture.path)
  }

  /// The same file, whether rows are all at hand or come part by part; with deletions, in order or not.
  @Test(arguments: [(true, false), (false, false), (true, true), (false, true)])
  func theFileIsThatOfBatchesInMemory(isSorted: Bool, deletes: Bool) throws {
    var maker = RowMaker(seed: 11)
    maker.isSorted = isSorted
    let batches = maker.batches([300, 7, 200, 1, 90])
    let partition = BlockFixture.partition(.logs)
    let deletions =
      deletes
      ? [
        PendingDeletion(
          id: 3,
          predicate: try CompiledPredicate(
            .compare(ColumnPath("level"), .equal, .string("ERROR")), schema: Dataset.logs.schema),
          positionEnd: 400)
      ] : []
    let source = Source(batches)
    let rows = try HeadRows(parts: source.parts, partition: partition, deletions: deletions)
    #expect(source.held.isEmpty && source.heldMax == 1)
    let bytes = try Self.write(rows)
    #expect(source.held.isEmpty)
    #expect(try Self.write(HeadRows(batches, partition: partition, deletions: deletions)) == bytes)
  }

  /// Small parts are let go of some at a time, and all of them at the end of a pass.
  @Test func smallPartsAreHeldUpToABound() throws {
    var maker = RowMaker(seed: 15)
    let batches = maker.batches([Int](repeating: 10, count: 40))
    let source = Source(batches, byteCount: HeadPart.heldBytesMax / 4)
    _ = try HeadRows(parts: source.parts, partition: BlockFixture.partition(.logs))
    #expect(source.held.isEmpty && source.heldMax == 5)
  }

  /// Rows in order: a row group needs the parts it has rows of, and no others.
  @Test func onlyThePartsOfARowGroupAreHeld() throws {
    var maker = RowMaker(seed: 12)
    maker.isSorted = true
    let source = Source(maker.batches([Int](repeating: 48, count: 20)))
    _ = try Self.write(HeadRows(parts: source.parts, partition: BlockFixture.partition(.logs)))
    // 96 rows a group: two parts, or a part of three.
    #expect(source.heldMax <= 3)
    #expect(source.reads <= 20 * 4)
  }

  /// Rows of every part in each of many row groups: parts are not read for each of them anew.
  @Test func partsOutOfOrderAreNotReadForEver() throws {
    var maker = RowMaker(seed: 13)
    maker.step = 1
    let batches = maker.batches([Int](repeating: 96, count: 30))
    let source = Source(batches)
    var layout = BlockFixture.smallLayout
    layout.rowsPerGroup = 16
    let partition = BlockFixture.partition(.logs)
    let bytes = try Self.write(HeadRows(parts: source.parts, partition: partition), layout: layout)
    // 180 row groups.
    #expect(source.reads < 30 * 8)
    #expect(try Self.write(HeadRows(batches, partition: partition), layout: layout) == bytes)
  }

  /// Whatever read it is that meets damage, the damage is told and no file is left.
  @Test func damageIsTold() throws {
    var maker = RowMaker(seed: 14)
    let batches = maker.batches([100, 100, 100])
    let whole = Source(batches)
    let partition = BlockFixture.partition(.logs)
    _ = try Self.write(HeadRows(parts: whole.parts, partition: partition))
    #expect(whole.reads > 6)
    for failing in 0..<whole.reads {
      let source = Source(batches, failing: failing)
      let disk = try BlockFixture.disk()
      let damage = BlockError.corrupt(file: "journal/1", offsetBytes: 77, reason: "torn")
      #expect(throws: damage) {
        try BlockWriter.write(
          HeadRows(parts: source.parts, partition: partition), to: BlockFixture.place(), fileSystem: disk,
          layout: BlockFixture.smallLayout)
      }
      #expect(try disk.list("blocks").isEmpty, "read \(failing)")
    }
  }
}
