import Blocks
import Records

/// Which blocks of a partition to write anew next.
struct CompactionPlanner {
  struct Plan: Equatable {
    /// Neighbours by position; a single one is rewritten to apply its deletions, or for its format.
    var inputs: [BlockFacts]
    /// Whether the block is written anew whether or not deletions hide rows of it.
    var isUpgrade = false
  }

  private static let daySeconds = 86_400
  let options: StorageOptions
  /// Nanoseconds since 1970.
  let now: Int64

  /// The next thing worth doing, or nil. `blocks` by position.
  func plan(_ blocks: [BlockFacts], deletions: [PendingDeletion]) -> Plan? {
    if let rewrite = blocks.first(where: { hasPending($0, deletions) }) { return Plan(inputs: [rewrite]) }
    return merge(blocks)
  }

  private func hasPending(_ block: BlockFacts, _ deletions: [PendingDeletion]) -> Bool {
    deletions.contains { $0.isPending(for: block) }
  }

  /// Rows whose `ingested_at` lies further apart are not merged, so that retention and pruning by age stay
  /// sharp.
  func spanNanoseconds(of dataset: Dataset) -> Int64 {
    let retention = options.retentionSeconds[dataset] ?? 0
    let seconds =
      retention > 0
      ? min(max(retention / 10, 3600), CompactionPlanner.daySeconds) : CompactionPlanner.daySeconds
    return Int64(seconds) * 1_000_000_000
  }

  /// The longest run of small neighbours in which no block has more than half of all rows: then each merge at
  /// least doubles the size of the block a row is in, so a row is rewritten O(log) times. Runs that no later
  /// block can join any more (their span is over) are merged from two blocks on, once.
  private func merge(_ blocks: [BlockFacts]) -> Plan? {
    guard let dataset = blocks.first?.partition.dataset else { return nil }
    let span = spanNanoseconds(of: dataset)
    var best: ArraySlice<BlockFacts> = []
    for start in blocks.indices where isSmall(blocks[start]) {
      for length in runLengths(blocks[start...], span: span) {
        let run = blocks[start..<start + length]
        let rows = run.reduce(0) { $0 + $1.rowCount }
        let most = run.map(\.rowCount).max() ?? 0
        let (age, isFar) = now.subtractingReportingOverflow(run.map(\.ingestedMin).min() ?? now)
        let isOver = !isFar && age > 2 * span
        let isEven = 2 * most <= rows
        if length >= options.mergeInputsMin && isEven || length >= 2 && isOver, length > best.count {
          best = run
        }
      }
    }
    return best.isEmpty ? nil : Plan(inputs: Array(best))
  }

  private func isSmall(_ block: BlockFacts) -> Bool {
    block.rowCount < options.mergeRowsMin && block.byteCount < options.mergeBytesMin
  }

  /// How many blocks from the first on may go together: every length from two to the most.
  private func runLengths(_ blocks: ArraySlice<BlockFacts>, span: Int64) -> [Int] {
    var rows = 0
    var bytes = 0
    var low = Int64.max
    var high = Int64.min
    var lengths: [Int] = []
    for (count, block) in blocks.prefix(options.mergeInputsMax).enumerated() {
      rows += block.rowCount
      bytes += block.byteCount
      low = min(low, block.ingestedMin)
      high = max(high, block.ingestedMax)
      guard isSmall(block), rows <= options.mergeRowsMax, bytes <= options.mergeBytesMax,
        high.subtractingReportingOverflow(low).partialValue <= span
      else { break }
      if count > 0 { lengths.append(count + 1) }
    }
    return lengths
  }
}
