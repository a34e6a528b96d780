import Blocks
import Journaling
import Matching
import Platform
import Records
import Synchronization

extension StorageEngine {
  /// Merges the neighbouring blocks, or rewrites the block, that need it most; where none does, one of an
  /// older format.
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
        if !formatUpgrade.withLock({ $0.failing.contains(partition) }) {
          reporter.done(.compaction, of: partition)
        }
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
    return try upgrade(shouldStop: shouldStop)
  }

  /// What is worth doing among the partition's blocks between those that are damaged: these stay as they are,
  /// to be restored.
  private func plan(_ state: LivePartition, by planner: CompactionPlanner) -> CompactionPlanner.Plan? {
    let runs = state.blocks.map(\.facts).split { quarantine.file(ofBlock: $0.id) != nil }
    for run in runs {
      if let plan = planner.plan(Array(run), deletions: state.deletions) { return plan }
    }
    return nil
  }

  /// Writes the next block of an older format anew; looks into a few at a time.
  ///
  /// - Returns: Whether anything was done, or is left to look into.
  /// - Throws: `.stopping`, `.poisoned`. What the disk refuses is told, and tried again later.
  private func upgrade(shouldStop: () -> Bool) throws(StoreError) -> Bool {
    let now = clock.now()
    let ids = formatUpgrade.withLock { $0.next(now: now) }
    guard !ids.isEmpty else { return false }
    let wanted = Set(ids)
    let found = live.withLock { live in
      live.partitions.flatMap { partition, state in
        state.blocks.filter { wanted.contains($0.facts.id) }.map { ($0.facts.id, (partition, state, $0)) }
      }
    }
    let places = Dictionary(found) { first, _ in first }
    for id in ids {
      if let (partition, state, block) = places[id], quarantine.file(ofBlock: id) == nil {
        do throws(StoreError) {
          // Not kept open: queries have more use for the memory.
          let reader = try format.open(block.file.path, facts: block.facts, on: fileSystem)
          if try reader.isOfOlderFormat() {
            let plan = CompactionPlanner.Plan(inputs: [block.facts], isUpgrade: true)
            try compact(plan, of: partition, state, shouldStop: shouldStop)
            formatUpgrade.withLock { $0.close(id) }
            tryFinishingDeletions(of: partition)
            return true
          }
        } catch {
          switch error {
          case .stopping, .poisoned: throw error
          case .corrupt, .laterVersion: noteFailedCompaction(of: partition, state, error)
          default:
            noteFailedCompaction(of: partition, state, error)
            formatUpgrade.withLock { $0.rest(id, of: partition, now: now) }
            return false
          }
        }
      }
      formatUpgrade.withLock { $0.close(id) }
    }
    return formatUpgrade.withLock { !$0.isDone }
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
      var request = ScanRequest(
        columns: [], predicate: deletion.predicate.predicate, positions: 0..<deletion.positionEnd)
      request.readsDisk = true
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
