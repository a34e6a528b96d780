import Blocks
import Journaling
import Matching
import Platform
import Records
import Synchronization

/// What one archiving step did.
package struct ArchiveStep: Sendable, Hashable {
  /// Whose rows were archived.
  package let partition: Partition
  /// Rows of the partition below it are in blocks: what the journal may release.
  package let archivedThrough: Int64
  /// Rows written (without deleted ones).
  package let rowCount: Int
}

extension StorageEngine {
  /// The partitions whose head is due, those first that free the most for the work; see ``ArchiveQueue``.
  /// Costs what changed since the last call, and some milliseconds while the head is near its bound.
  package func partitionsDue() -> [Partition] {
    let changed = heads.takeChangedHeads()
    let extent = heads.extent()
    return archiveQueue.withLock { queue in
      queue.update(changed)
      return queue.due(now: clock.now(), journal: extent)
    }
  }

  /// Writes the oldest head rows of the partition, at most about ``StorageOptions/archiveRowsMax`` and
  /// ``StorageOptions/archiveBlockBytesMax``, to a block.
  ///
  /// - Parameters:
  ///   - positionEnd: Rows at or behind it may stay.
  ///   - shouldStop: Asked now and then; true ends it with `.stopping` and nothing changed.
  /// - Returns: nil if nothing was to be done. Else the journal may release what was archived.
  /// - Throws: `.diskFull`, `.disk`: nothing changed, to be tried again. `.poisoned`: see ``Manifest``.
  package func archive(
    _ partition: Partition, below positionEnd: Int64 = .max, shouldStop: () -> Bool = { false }
  ) throws(StoreError) -> ArchiveStep? {
    try attempt(.archiving, of: partition) { () throws(StoreError) in
      try archiveOnce(partition, below: positionEnd, shouldStop: shouldStop)
    }
  }

  private func archiveOnce(
    _ partition: Partition, below positionEnd: Int64, shouldStop: () -> Bool
  ) throws(StoreError) -> ArchiveStep? {
    if let failure { throw failure }
    let start = clock.now()
    let (archivedThrough, deletions) = live.withLock { live in
      let state = live.partitions[partition] ?? LivePartition()
      return (state.archivedThrough, state.deletions)
    }
    let frames = try nextFrames(heads.head(of: partition), from: archivedThrough, below: positionEnd)
    guard let end = frames.last?.positionEnd else { return nil }
    let columns = partition.dataset.schema.fields.map(\.name)
    let parts = try HeadChunk.parts(frames, columns: columns)
    let facts = try writeBlock(
      .head(parts, deletions: deletions), partition: partition,
      deletionsApplied: deletions.map(\.id).max() ?? 0, shouldStop: shouldStop)
    // The rows were read while the block was written, and its checksums vouch for them from now on.
    do throws(StoreError) { try verify(frames, of: partition) } catch {
      if let facts { discard(layout.block(facts.id, of: partition)) }
      throw error
    }
    let rowCount = frames.reduce(0) { $0 + $1.rowCount }
    let written = facts?.rowCount ?? 0
    invariant(
      written == rowCount || written < rowCount && !deletions.isEmpty, "a block holds every row of its frames"
    )
    let floor = max(end, heads.nextPosition(of: partition.tenant))
    var changes: [ManifestChange] = [
      .archivedThrough(partition, position: end), .nextPosition(partition.tenant, position: floor),
    ]
    if let facts { changes.append(.blockAdded(facts)) }
    let edit = changes
    try commit(naming: facts) { _ throws(StoreError) in edit }
    tryFinishingDeletions(of: partition)
    count { statistics in
      statistics.archiveRuns += 1
      statistics.archivedRows += facts?.rowCount ?? 0
      statistics.archivedBytes += facts?.byteCount ?? 0
      statistics.archiveNanoseconds += max(0, clock.now() - start)
    }
    let file = facts.map { layout.block($0.id, of: partition) }
    reporter.tell(.archived(partition, file: file, rowCount: facts?.rowCount ?? 0))
    return ArchiveStep(partition: partition, archivedThrough: end, rowCount: facts?.rowCount ?? 0)
  }

  /// The frames of the next block. Damaged ones are not passed by: what is said to be archived would not be
  /// looked for in the journal again, not even when the segment is restored.
  ///
  /// - Throws: `.corrupt`: the next frame is damaged.
  private func nextFrames(
    _ head: HeadSnapshot, from archivedThrough: Int64, below positionEnd: Int64
  ) throws(StoreError) -> [HeadFrame] {
    let damaged = quarantine.frames(of: head.partition)
    var rows = 0
    var bytes = 0
    var frames: [HeadFrame] = []
    for frame in head.frames.reaching(archivedThrough) {
      guard frame.bounds.positionMin < positionEnd, rows < options.archiveRowsMax,
        bytes < options.archiveBlockBytesMax
      else { break }
      if let file = damaged[frame.place] {
        if frames.isEmpty { throw file.error }
        break
      }
      frames.append(frame)
      rows += frame.rowCount
      bytes += frame.byteCount
    }
    return frames
  }

  /// Compares the frames with their checksums; a damaged one is left alone from now on.
  private func verify(_ frames: [HeadFrame], of partition: Partition) throws(StoreError) {
    var (verified, byteCount): ([HeadFrame], Int) = ([], 0)
    for frame in frames {
      do throws(JournalError) { try frame.verify() } catch {
        let error = StoreError(error)
        quarantine.note(error, of: [frame], in: partition)
        throw error
      }
      verified.append(frame)
      byteCount += frame.byteCount
      guard byteCount > HeadPart.heldBytesMax else { continue }
      verified.forEach { $0.letGo() }
      (verified, byteCount) = ([], 0)
    }
    verified.forEach { $0.letGo() }
  }
}
