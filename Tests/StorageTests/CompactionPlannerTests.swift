import Blocks
import Records
import TestKit
import Testing

@testable import Storage

/// Which blocks are merged: bounds, spans, and how often a row is rewritten.
struct CompactionPlannerTests {
  static let hour: Int64 = 3_600_000_000_000
  static let partition = Partition(tenant: Tenant(realm: .native, name: "t"), dataset: .logs)

  static func block(_ id: UInt64, at position: Int64, rows: Int, ingested: ClosedRange<Int64>) -> BlockFacts {
    var facts = BlockFacts(
      id: id, partition: partition, rowCount: rows,
      bounds: KeyBounds(
        timestampMin: 0, timestampMax: 1, positionMin: position, positionMax: position + Int64(rows) - 1),
      ingested: ingested, deletionsApplied: 0)
    facts.byteCount = rows * 50
    return facts
  }

  /// A day of small blocks, one a minute, compacted as they come.
  @Test func rowsAreRewrittenSeldom() {
    let options = StorageOptions()
    var blocks: [BlockFacts] = []
    var written = 0
    var rewritten = 0
    var position: Int64 = 0
    var id: UInt64 = 0
    var mostBlocks = 0
    for minute in 0..<Int64(1440) {
      let time = minute * 60_000_000_000
      id += 1
      blocks.append(CompactionPlannerTests.block(id, at: position, rows: 600, ingested: time...time + 1))
      position += 600
      written += 600
      let planner = CompactionPlanner(options: options, now: time)
      while let plan = planner.plan(blocks, deletions: []) {
        let rows = plan.inputs.reduce(0) { $0 + $1.rowCount }
        #expect(plan.inputs.count >= 2)
        #expect(rows <= options.mergeRowsMax)
        rewritten += rows
        id += 1
        let low = plan.inputs.map(\.ingestedMin).min() ?? 0
        let high = plan.inputs.map(\.ingestedMax).max() ?? 0
        #expect(high - low <= 24 * CompactionPlannerTests.hour)
        let merged = CompactionPlannerTests.block(
          id, at: plan.inputs[0].bounds.positionMin, rows: rows, ingested: low...high)
        let first = blocks.firstIndex(of: plan.inputs[0]) ?? 0
        blocks.replaceSubrange(first..<first + plan.inputs.count, with: [merged])
      }
      mostBlocks = max(mostBlocks, blocks.count)
    }
    #expect(Double(rewritten) / Double(written) < 5)
    #expect(mostBlocks < 40)
  }

  @Test func largeBlocksAreLeftAlone() {
    let blocks = (0..<20).map { index in
      CompactionPlannerTests.block(
        UInt64(index) + 1, at: Int64(index) * 1_300_000, rows: 1_300_000, ingested: 0...1)
    }
    let planner = CompactionPlanner(options: StorageOptions(), now: 1000 * CompactionPlannerTests.hour)
    #expect(planner.plan(blocks, deletions: []) == nil)
  }

  @Test func daysAreNotMixed() {
    let blocks = (0..<40).map { index in
      let time = Int64(index) * 12 * CompactionPlannerTests.hour
      return CompactionPlannerTests.block(
        UInt64(index) + 1, at: Int64(index) * 100, rows: 100, ingested: time...time)
    }
    let planner = CompactionPlanner(options: StorageOptions(), now: 2000 * CompactionPlannerTests.hour)
    let plan = planner.plan(blocks, deletions: [])
    #expect(plan?.inputs.count == 3, "half days: three blocks span a day")
    var options = StorageOptions()
    options.retentionSeconds = [.logs: 36_000]
    #expect(CompactionPlanner(options: options, now: 0).plan(blocks, deletions: []) == nil)
    #expect(
      CompactionPlanner(options: options, now: 0).spanNanoseconds(of: .logs) == CompactionPlannerTests.hour)
  }
}
