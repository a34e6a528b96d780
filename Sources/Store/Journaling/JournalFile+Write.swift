import Platform
import Records
import Synchronization

extension JournalFile {
  /// Consecutive frames in one segment: one write.
  private struct Run {
    var segmentIndex: Int
    var byte: Int
    var range: Range<Int>
  }

  /// Gives each frame its place, writes all, syncs, and moves the journal's end. After an error the end is
  /// where it was and nothing of the frames can come back, or the journal is poisoned.
  func write(_ draft: inout CommitDraft) throws(StoreError) {
    let runs = try place(&draft.frames)
    for run in runs {
      do throws(DiskError) {
        let file = segments[run.segmentIndex].file
        try buffer.withSpan(run.range) { (bytes) throws(DiskError) in try file.write(bytes, at: run.byte) }
      } catch {
        try undo(runs)
        throw JournalFile.refusal(error)
      }
    }
    guard let last = runs.last else { return }
    let moved = last.segmentIndex != activeIndex
    if options.durability != .fsync, moved {
      // A segment is synced when it is left, so that only the last may hold what a power cut takes.
      try sync(active)
      durable = SyncedPoint(
        offset: JournalOffset(segment: active.number, byte: end), sequence: sequence, rows: rowsGiven)
    }
    let isSynced = mustSync(now: draft.now)
    if isSynced {
      for run in runs { try sync(segments[run.segmentIndex]) }
    } else {
      for run in runs.dropLast() where run.segmentIndex != activeIndex {
        try sync(segments[run.segmentIndex])
      }
    }
    activeIndex = last.segmentIndex
    end = last.byte + last.range.count
    sequence += UInt64(draft.frames.count)
    rowsGiven += UInt64(draft.frames.reduce(0) { $0 + $1.header.rowCount })
    hasWrittenInLife = true
    endsWithMark = false
    if isSynced {
      durable = SyncedPoint(
        offset: JournalOffset(segment: active.number, byte: end), sequence: sequence, rows: rowsGiven)
    }
    if moved { leaveSegment() }
  }

  /// Gets the next segment under way, and says in the anchor that the journal goes on in this one.
  private func leaveSegment() {
    if activeIndex == segments.count - 1 { source.prepare(active.number + 1) }
    // Only makes a missing segment visible, so nothing waits for it and the next move makes up for it.
    do throws(StoreError) { try moveAnchor(syncs: false) } catch {}
  }

  private func mustSync(now: Int64) -> Bool {
    switch options.durability {
    case .fsync: true
    case .os: now - lastSyncAt >= 1_000_000_000 || now < lastSyncAt
    case .none: false
    }
  }

  /// What a failed disk call is answered, when nothing was changed by it.
  static func refusal(_ error: DiskError) -> StoreError {
    if case .full = error { return .diskFull("\(error)") }
    if error.isMoved {
      return .disk("\(error.path) is not the directory that was opened: it was moved away or replaced")
    }
    return error.isExhaustion ? .exhausted("\(error)") : .disk("\(error)")
  }

  /// Lays the frames one after the other, into further segments if they do not fit, and completes their
  /// headers.
  private func place(_ frames: inout [DraftFrame]) throws(StoreError) -> [Run] {
    var runs: [Run] = []
    var index = activeIndex
    var byte = end
    for number in frames.indices {
      let size = frames[number].header.frameBytes
      while byte + size > segments[index].byteCount {
        if index + 1 == segments.count { try addSegment(for: size) }
        index += 1
        byte = SegmentFile.headerBytes
      }
      frames[number].header.place = JournalOffset(segment: segments[index].number, byte: byte)
      frames[number].header.durableTo = durable.offset
      frames[number].header.sequence = sequence + 1 + UInt64(number)
      frames[number].header.life = life
      frames[number].header.isFirstOfLife = number == 0 && !hasWrittenInLife
      frames[number].header.isCommitMark = number == frames.count - 1
      let start = frames[number].bufferStart
      frames[number].header.store(in: buffer, at: start)
      if let last = runs.last, last.segmentIndex == index {
        runs[runs.count - 1].range = last.range.lowerBound..<start + size
      } else {
        runs.append(Run(segmentIndex: index, byte: byte, range: start..<start + size))
      }
      byte += size
    }
    return runs
  }

  /// Appends an empty segment that holds a frame of so many bytes.
  func addSegment(for frameBytes: Int) throws(StoreError) {
    let number = segments[segments.count - 1].number + 1
    do throws(DiskError) {
      let segment = try source.take(number, byteCount: frameBytes + SegmentFile.headerBytes)
      segments.append(segment)
      head.withLock { head in
        head.segments[number] = segment
        head.statistics.segmentsCreated += 1
      }
    } catch {
      // Nothing lies in the file yet, so a full disk changes nothing; but a sync that failed says the disk is
      // going.
      if error.isFailedSync { throw poison(error) }
      throw JournalFile.refusal(error)
    }
  }

  /// Overwrites what a failed write may have left, so that it can never be taken for a commit.
  private func undo(_ runs: [Run]) throws(StoreError) {
    do throws(DiskError) {
      for run in runs {
        let file = segments[run.segmentIndex].file
        try SegmentFile.writeZeros(to: file, run.byte..<run.byte + run.range.count)
        try file.sync()
      }
    } catch { throw poison(error) }
  }

  /// See ``Journal/release(_:)``.
  package func release(_ archivedThrough: [Partition: Int64]) {
    head.withLock { head in
      for (partition, position) in archivedThrough { head.release(partition, through: position) }
    }
    removeSegments()
  }

  /// Removes the segments at the front that hold nothing that is shown, after carrying their keys over.
  package func removeSegments() {
    if writeFailure != nil || !syncRemovals() { return }
    let live = head.withLock { $0.liveFrames }
    var count = 0
    while count < activeIndex, live[segments[count].number] == nil { count += 1 }
    if count == 0 { return reporter.done(.segmentRemoval) }
    do throws(StoreError) {
      try checkHome()
      try carryKeys(before: segments[count].number)
      try dropFromAnchor(count)
    } catch {
      // The segments stay until the next try; a poisoned journal removes nothing more.
      return reporter.failed(.segmentRemoval, file: segments[0].path, error)
    }
    for _ in 0..<count {
      let segment = segments[0]
      do throws(DiskError) { try fileSystem.remove(segment.path) } catch {
        guard case .notFound = error else {
          return reporter.failed(.segmentRemoval, file: segment.path, JournalFile.refusal(error))
        }
      }
      hasUnsyncedRemoval = true
      segments.removeFirst()
      activeIndex -= 1
      head.withLock { head in
        head.segments[segment.number] = nil
        head.statistics.segmentsRemoved += 1
      }
      // Each removal is durable before the next: a gap between two segments would be damage.
      guard syncRemovals() else { return }
    }
    reporter.done(.segmentRemoval)
  }

  /// Makes the removal of segments durable; false if it has to be tried again, or never.
  private func syncRemovals() -> Bool {
    if !hasUnsyncedRemoval { return true }
    do throws(DiskError) { try fileSystem.syncDirectory(directory) } catch {
      // Without a descriptor nothing was tried, and nothing is lost.
      if error.isExhaustion, !error.isFailedSync {
        reporter.failed(.segmentRemoval, file: directory, JournalFile.refusal(error))
      } else {
        _ = poison(error)
      }
      return false
    }
    hasUnsyncedRemoval = false
    return true
  }

  /// Says durably that the journal starts behind the first `count` segments. Rows that are not synced yet
  /// would lie behind a place in one of them.
  private func dropFromAnchor(_ count: Int) throws(StoreError) {
    if durable.offset.segment < segments[count].number { try syncAll() }
    try moveAnchor(firstSegment: segments[count].number, syncs: true)
  }

  /// Throws unless the directory is where it was.
  func checkHome() throws(StoreError) {
    do throws(DiskError) { try home?.check() } catch { throw JournalFile.refusal(error) }
  }

  /// Writes the live keys of segments before `number` again, durably.
  private func carryKeys(before number: UInt32) throws(StoreError) {
    let second = running.now()
    let entries = keys.entries(before: number, now: second) + imports.entries(before: number, now: second)
    if entries.isEmpty { return }
    buffer.removeAll()
    var draft = CommitDraft(requestCount: 0, now: clock.now(), second: second)
    let encoder = FrameEncoder(buffer: buffer)
    var first = 0
    while first < entries.count {
      var last = first
      var bytes = 0
      while last < entries.count, last == first || bytes < options.frameBytesMax {
        bytes += entries[last].entry.memoryBytes(entries[last].key)
        last += 1
      }
      let start = buffer.count
      let header = encoder.encode(entries[first..<last])
      draft.frames.append(DraftFrame(header: header, bufferStart: start, partition: nil))
      first = last
    }
    defer { buffer.removeAll(keeping: 4 << 20) }
    try write(&draft)
    try syncAll()
    let segment = draft.frames[0].header.place.segment
    for (key, _) in entries {
      if key.isImport { imports.move(key, to: segment) } else { keys.move(key, to: segment) }
    }
    head.withLock { head in
      head.statistics.commits += 1
      head.statistics.frames += draft.frames.count
      head.statistics.bytesWritten += buffer.count
    }
  }
}
