import Records
import Synchronization

extension JournalFile {
  /// See ``CommitFeed``. O(log frames + frames given).
  package func committed(
    to partition: Partition, from position: Int64, columns: [String], rowsMax: Int
  ) -> CommittedRows? {
    // The segments are taken along: those a frame lies in stay mapped although it may be released meanwhile.
    let found = head.withLock { head -> (run: HeadIndex.FrameRun, segments: [SegmentFile])? in
      guard let run = head.frames(of: partition, from: position, rowsMax: rowsMax) else { return nil }
      var segments: [SegmentFile] = []
      segments.reserveCapacity(run.entries.count)
      for entry in run.entries {
        // Neighbours mostly share a segment.
        guard
          let segment = segments.last?.number == entry.segment ? segments.last : head.segments[entry.segment]
        else { bug("the segment of a shown frame is open") }
        segments.append(segment)
      }
      return (run, segments)
    }
    guard let (run, segments) = found else { return nil }
    var batches: [RecordBatch] = []
    for (entry, segment) in zip(run.entries, segments) {
      let frame = HeadFrame(entry, segment: segment, dataset: partition.dataset)
      // Damaged rows are not at hand: the scan that is asked for instead says what is wrong with them.
      guard let batch = try? frame.batch(columns: columns) else { return nil }
      let skipped = Int(max(0, position - entry.firstPosition))
      batches.append(skipped == 0 ? batch : batch.rows(skipped..<batch.rowCount))
    }
    return CommittedRows(batches: batches, positionEnd: max(position, run.positionEnd))
  }
}

extension HeadIndex {
  /// Neighbouring frames of one partition.
  struct FrameRun {
    var entries: [FrameEntry]
    /// Where to go on: behind the last of them, or behind all the tenant has if no more follow.
    var positionEnd: Int64
  }

  /// The partition's frames that hold rows from `position` on, as many as have `rowsMax` rows, at least one
  /// if there is one. nil if such rows may have been released.
  func frames(of partition: Partition, from position: Int64, rowsMax: Int) -> FrameRun? {
    if position < releasedThrough[partition] ?? 0 { return nil }
    let tenantEnd = nextPosition(of: partition.tenant)
    guard let entries = partitions[partition]?.entries else {
      return FrameRun(entries: [], positionEnd: tenantEnd)
    }
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].positionEnd <= position { low = middle + 1 } else { high = middle }
    }
    var end = low
    var rows = 0
    while end < entries.count, end == low || rows + Int(entries[end].rowCount) <= rowsMax {
      rows += Int(entries[end].rowCount)
      end += 1
    }
    let positionEnd = end < entries.count ? entries[end - 1].positionEnd : tenantEnd
    return FrameRun(entries: Array(entries[low..<end]), positionEnd: positionEnd)
  }
}
