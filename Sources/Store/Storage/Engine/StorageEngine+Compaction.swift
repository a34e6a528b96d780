import Blocks
import Journaling
import Matching
import Platform
import Records
import Synchronization

extension StorageEngine {
  /// Merges the neighbouring blocks, or rewrites the block, that need it most.
  ///
  /// - Parameter shouldStop: Asked now and then, may wait so that others get their turn; true ends it with
  ///   `.stopping`.
  /// - Returns: Whether anything was done; then there may be more.
  /// - Throws: `.diskFull`, `.disk`, `.corrupt` (an input cannot be read): nothing changed. `.poisoned`: see
  ///   ``Manifest``.
  package func compact(shouldStop: () -> Bool = { false }) throws(StoreError) -> Bool {
    if let failure { throw failure }
    let now = clock.now()
    let planner = CompactionPlanner(options: options, now: now)
    var waiting = compactionQueue.withLock { queue in
      queue.take(now: now) { live.withLock { Array($0.partitions.keys) } }
    }[...]
    // Those not looked at, or not done with, are looked at the next time.
    defer { compactionQueue.withLock { $0.add(waiting) } }
    while let partition = waiting.first {
      guard let state = live.withLock({ $0.partitions[partition] }), let plan = plan(state, by: planner)
      else {
        reporter.done(.compaction, of: partition)
        waiting.removeFirst()
        continue
      }
      do throws(StoreError) { try compact(plan, of: partition, state, shouldStop: shouldStop) } catch {
        noteFailedCompaction(of: partition, state, error)
        throw error
      }
      reporter.done(.compaction, of: partition)
      tryFinishingDeletions(of: partition)
      return true
    }
    return false
  }

  /// What is worth doing among the partition's blocks between those that are damaged: these stay as they are,
  /// to be restored.
  private func plan(_ state: LivePartition, by planner: CompactionPlanner) -> CompactionPlanner.Plan? {
    let runs = state.blocks.map(\.facts).split { quarantine.file(ofBlock: $0.id) != nil }
    for run in runs {
      if let plan = planner.plan(Array(run), deletions: state.deletions) { return plan }
    }
    return runs.lazy.compactMap { self.upgrade(of: $0, state) }.first
  }

  /// The first of the blocks that an older version of the format has, if it is among those looked into now.
  private func upgrade(of facts: ArraySlice<BlockFacts>, _ state: LivePartition) -> CompactionPlanner.Plan? {
    let open = formatUpgrade.withLock { upgrade in facts.filter { upgrade.isOpen($0.id) } }
    for facts in open.prefix(FormatUpgrade.lookedIntoAtOnce) {
      guard let block = state.blocks.first(where: { $0.facts.id == facts.id }) else { continue }
      do throws(StoreError) {
        // Not kept open: queries have more use for the memory.
        let reader = try format.open(block.file.path, facts: facts, on: fileSystem)
        if try reader.isOfOlderFormat() { return CompactionPlanner.Plan(inputs: [facts], isUpgrade: true) }
      } catch {
        // Whoever reads it finds out what is wrong with it.
      }
      formatUpgrade.withLock { $0.close(facts.id) }
    }
    return nil
  }

  private func noteFailedCompaction(
    of partition: Partition, _ state: LivePartition, _ error: StoreError
  ) {
    if error != .stopping { count { $0.failures += 1 } }
    guard case .corrupt(let path, _, _) = error,
      let block = state.blocks.first(where: { $0.file.path == path })
    else { return reporter.failed(.compaction, of: partition, error) }
    quarantine.note(error, of: block)
  }

  private func compact(
    _ plan: CompactionPlanner.Plan, of partition: Partition, _ state: LivePartition,
    shouldStop: () -> Bool
  ) throws(StoreError) {
    let start = clock.now()
    let ids = Set(plan.inputs.map(\.id))
    let inputs = state.blocks.filter { ids.contains($0.facts.id) }
    let applied = state.deletions.map(\.id).max() ?? 0
    if inputs.count == 1, !plan.isUpgrade, try !hides(state.deletions, inputs[0], partition) {
      let id = inputs[0].facts.id
      return try commit { manifest throws(StoreError) in
        manifest.facts(of: id) == nil ? [] : [.deletionsApplied(block: id, through: applied)]
      }
    }
    var sources: [(block: any BlockReading, deletions: [PendingDeletion])] = []
    for input in inputs {
      let pending = state.deletions.filter { $0.isPending(for: input.facts) }
      sources.append((try openBlocks.reader(of: input), pending))
    }
    let facts = try writeBlock(
      .merged(sources), partition: partition, deletionsApplied: applied, shouldStop: shouldStop)
    let rowCount = inputs.reduce(0) { $0 + $1.facts.rowCount }
    let written = facts?.rowCount ?? 0
    let isFiltered = sources.contains { !$0.deletions.isEmpty }
    invariant(
      written == rowCount || written < rowCount && isFiltered, "a block holds every row of its inputs")
    var isLate = false
    try commit(naming: facts) { manifest throws(StoreError) in
      // Retention may have dropped an input meanwhile: its rows must not come back with the output.
      isLate = !ids.allSatisfy { manifest.facts(of: $0) != nil }
      if isLate { return [] }
      return ids.sorted().map { .blockRemoved(id: $0) } + (facts.map { [.blockAdded($0)] } ?? [])
    }
    if isLate {
      if let facts { discard(layout.block(facts.id, of: partition)) }
      return
    }
    count { statistics in
      statistics.compactions += 1
      statistics.compactedBlocks += inputs.count
      statistics.compactedRows += facts?.rowCount ?? 0
      statistics.compactedBytes += facts?.byteCount ?? 0
      statistics.compactionNanoseconds += max(0, clock.now() - start)
    }
    reporter.tell(
      .compacted(
        partition, inputCount: inputs.count, file: facts.map { layout.block($0.id, of: partition) },
        rowCount: facts?.rowCount ?? 0))
  }

  /// Whether a pending deletion hides any row of the block.
  private func hides(
    _ deletions: [PendingDeletion], _ block: LiveBlock, _ partition: Partition
  ) throws(StoreError) -> Bool {
    for deletion in deletions where deletion.isPending(for: block.facts) {
      let request = ScanRequest(
        columns: [], predicate: deletion.predicate.predicate, positions: 0..<deletion.positionEnd)
      let units = try openBlocks.reader(of: block).units(
        request, predicate: deletion.predicate, deletions: [])
      for unit in units where try unit.countMatches() > 0 { return true }
    }
    return false
  }

  /// As ``finishDeletions(of:)``, but what the disk refuses now is left for the next time: nothing depends on
  /// it.
  func tryFinishingDeletions(of partition: Partition) {
    do throws(StoreError) {
      try attempt(.deletionUpkeep, of: partition) { () throws(StoreError) in
        try finishDeletions(of: partition)
      }
    } catch {
      // Counted and told.
    }
  }

  /// Forgets deletions whose rows are gone from every block and that no head row is old enough for.
  package func finishDeletions(of partition: Partition) throws(StoreError) {
    let head = heads.head(of: partition)
    try commit { manifest throws(StoreError) in
      guard let state = manifest.partitions[partition] else { return [] }
      let oldest = head.frames.reaching(state.archivedThrough).first?.bounds.positionMin ?? .max
      return state.deletions.filter { deletion in
        oldest >= deletion.positionEnd
          && !state.blocks.contains {
            deletion.id > $0.deletionsApplied && $0.bounds.positionMin < deletion.positionEnd
          }
      }.map { .deletionFinished(id: $0.id) }
    }
  }
}
