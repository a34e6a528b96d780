import Blocks
import Matching
import Platform
import Records

extension StorageEngine {
  /// Hides the rows that match and that a snapshot taken now sees; how many there are.
  ///
  /// - Throws: `.invalid`: the predicate does not fit the dataset. `.poisoned`: the rows may be hidden after
  ///   a restart. Anything else: nothing changed.
  package func delete(_ predicate: Predicate, from partition: Partition) throws(StoreError) -> Int {
    if let failure { throw failure }
    guard PredicateCoding.isEncodable(predicate) else {
      throw .invalid("the filter is nested deeper than \(PredicateCoding.depthMax) levels")
    }
    let snapshot = snapshot(of: partition)
    var rows = 0
    // Rows of a damaged file are hidden as well, should it be restored; they are not counted.
    var request = ScanRequest(columns: [], predicate: predicate)
    request.damage = .leaveOut
    for unit in try snapshot.plan(request) {
      rows += try unit.countMatches()
    }
    if rows == 0, snapshot.damagedFiles.isEmpty { return 0 }
    try commit { manifest throws(StoreError) in
      [
        .deletionAdded(
          Deletion(
            id: manifest.nextDeletionID, partition: partition, predicate: predicate,
            positionEnd: snapshot.positionEnd))
      ]
    }
    count { statistics in
      statistics.deletions += 1
      statistics.deletedRows += rows
    }
    return rows
  }

  /// Drops the blocks whose rows all came in longer ago than their dataset is kept, in one edit; rows in
  /// them.
  ///
  /// - Throws: `.clockStepped`: the clock is not believed; see ``SettledClock``. Else as ``commit(_:)``.
  package func retain() throws(StoreError) -> Int {
    try attempt(.retention) { () throws(StoreError) in try retainOnce() }
  }

  private func retainOnce() throws(StoreError) -> Int {
    if let failure { throw failure }
    let now = retentionClock.now()
    if let step = retentionClock.step { throw .clockStepped(seconds: step.seconds) }
    var dropped: [BlockFacts] = []
    var touched: Set<Partition> = []
    try commit { manifest throws(StoreError) in
      dropped = tooOld(manifest.blocks, now: now)
      return dropped.map(\.id).sorted().map { .blockRemoved(id: $0) }
    }
    touched.formUnion(dropped.map(\.partition))
    count { $0.retainedBlocksDropped += dropped.count }
    for partition in touched {
      let blocks = dropped.filter { $0.partition == partition }
      reporter.tell(
        .dropped(partition, blockCount: blocks.count, rowCount: blocks.reduce(0) { $0 + $1.rowCount }))
      tryFinishingDeletions(of: partition)
    }
    return dropped.reduce(0) { $0 + $1.rowCount }
  }

  /// Those of `blocks` that are older than their dataset is kept.
  ///
  /// No block came in before those with lower positions. A clock that was behind when it was written says so,
  /// and must not delete it once the clock is right.
  private func tooOld(_ blocks: some Sequence<BlockFacts>, now: Int64) -> [BlockFacts] {
    var newest: [Partition: Int64] = [:]
    return blocks.sorted { $0.bounds.positionMin < $1.bounds.positionMin }.filter { block in
      guard let seconds = options.retentionSeconds[block.partition.dataset], seconds > 0 else { return false }
      let cameIn = max(block.ingestedMax, newest[block.partition] ?? .min)
      newest[block.partition] = cameIn
      let (age, overflow) = now.subtractingReportingOverflow(cameIn)
      return !overflow && age / 1_000_000_000 >= Int64(seconds)
    }
  }
}
