import Platform
import Records
import Synchronization

extension JournalFile {
  /// Reads what is there, makes it durable, shows it, and gets ready to write.
  func recover(_ start: JournalStart) throws(JournalError) -> JournalRecovery {
    positionBase = start.positionBase
    segments = try openSegments()
    for (tenant, position) in start.nextPositions { raise(tenant, to: position) }
    for (partition, position) in start.archivedThrough { raise(partition.tenant, to: position) }
    head.withLock { head in
      for segment in segments { head.segments[segment.number] = segment }
      for (partition, position) in start.archivedThrough { head.release(partition, through: position) }
    }
    let now = clock.now()
    var recovery = JournalRecovery()
    recovery.segmentCount = segments.count
    var check = AnchorCheck(anchor.state)
    var outcome = try JournalScan(segments: segments, registry: options.registry).run {
      (found) throws(JournalError) in
      recovery.frameCount += 1
      recovery.rowCount += found.header.rowCount
      check.note(found.header)
      try show(found, start: start, now: now)
    }
    for segment in segments {
      try segment.requireReadable()
      // All of it was read; most of it nobody wants soon.
      segment.letGo(0..<segment.byteCount)
    }
    check.judge(&outcome, firstSegment: segments[0].number)
    if outcome.isDamaged {
      throw .corrupt(
        file: directory + "/" + SegmentFile.name(outcome.stop.segment),
        offsetBytes: outcome.stop.byte,
        reason: outcome.reason ?? "frames that were synced are missing")
    }
    if !outcome.leftovers.isEmpty {
      recovery.cut = JournalRecovery.Cut(
        file: directory + "/" + SegmentFile.name(outcome.end.segment), offsetBytes: outcome.end.byte)
    }
    life = UInt32(truncatingIfNeeded: entropy.randomUInt64())
    do throws(DiskError) {
      try rewrite(outcome)
      for (segment, range) in outcome.leftovers {
        try SegmentFile.writeZeros(to: segment.file, range)
        recovery.zeroedBytes += range.count
      }
      // What is kept may still be in the cache alone: it is shown only when it can no longer go.
      for segment in segments { try segment.file.sync() }
    } catch { throw .disk(error) }
    activeIndex = segments.firstIndex { $0.number == outcome.end.segment } ?? 0
    end = outcome.end.byte
    sequence = outcome.sequence
    durable = SyncedPoint(offset: outcome.end, sequence: outcome.sequence)
    endsWithMark = check.endsWithMark
    raisePositions(check, base: start.positionBase)
    running.begin()
    lastSyncAt = now
    if activeIndex == segments.count - 1 { source.prepare(active.number + 1) }
    return recovery
  }

  /// Writes again what may not have been synced. A sync that failed in the life before may have left pages
  /// that are in the cache alone and yet count as written; only a new write makes the next sync keep them.
  private func rewrite(_ outcome: JournalScan.Outcome) throws(DiskError) {
    for segment in segments {
      if segment.number < outcome.durable.segment || segment.number > outcome.end.segment { continue }
      let start =
        segment.number == outcome.durable.segment ? outcome.durable.byte : SegmentFile.headerBytes
      let end = segment.number == outcome.end.segment ? outcome.end.byte : segment.byteCount
      if start >= end { continue }
      let bytes = segment.mapping.slice(start..<end)
      try bytes.withSpan(of: UInt8.self) { (span) throws(DiskError) in
        try segment.file.write(span, at: start)
      }
    }
  }

  private func show(
    _ found: ScannedFrame, start: JournalStart, now: Int64
  ) throws(JournalError) {
    let header = found.header
    let entries =
      header.keyEntries(
        in: found.frame, tenant: found.partition?.tenant, registry: options.registry) ?? []
    for (key, entry) in entries { recover(key, entry, segment: header.place.segment, now: now) }
    guard let partition = found.partition else { return }
    let entry = FrameEntry(header)
    raise(partition.tenant, to: entry.positionEnd)
    let archived = start.archivedThrough[partition] ?? 0
    if entry.positionEnd <= archived { return }
    guard entry.firstPosition >= archived else {
      throw .corrupt(
        file: found.segment.path, offsetBytes: header.place.byte,
        reason: "the archive ends at position \(archived), inside this frame")
    }
    head.withLock { $0.insert(entry, of: partition) }
  }

  /// Keeps a key that was found. Keys were noted in the order of their time but for those carried over, so
  /// what is too old goes while the journal is read, and memory stays bounded as it was.
  private func recover(_ key: ScopedKey, _ found: KeyEntry, segment: UInt32, now: Int64) {
    var entry = found
    if entry.madeAt < 0 {
      // Of a version that knew the wall clock alone: its word on what is over, a whole lifetime for the rest.
      let (age, isOver) = now.subtractingReportingOverflow(entry.ingestedAt)
      guard !isOver, age < Int64(options.idempotencySeconds) * 1_000_000_000 else { return }
      entry.madeAt = running.before
    }
    running.recovered(entry.madeAt)
    know(key, entry, segment: segment, now: running.before)
    keys.expire(now: running.before)
  }

  func raise(_ tenant: Tenant, to position: Int64) {
    nextPositions[tenant] = max(nextPositions[tenant] ?? 0, position)
    head.withLock { $0.raise(tenant, to: position) }
  }

  private func openSegments() throws(JournalError) -> [SegmentFile] {
    var numbers: [UInt32] = []
    do throws(DiskError) {
      try fileSystem.createDirectory(directory)
      try fileSystem.syncDirectory(PathName.directory(of: directory))
      let home = try KnownDirectory(directory, on: fileSystem)
      self.home = home
      source.stay(in: home)
      for name in try fileSystem.list(directory) {
        if SegmentFile.isTemporary(name) { try fileSystem.remove(directory + "/" + name) }
        if let number = SegmentFile.number(of: name) { numbers.append(number) }
      }
      // A life before may have been killed between a rename or removal and its sync.
      try fileSystem.syncDirectory(directory)
    } catch { throw .disk(error) }
    try AnchorCheck.requireFirst(numbers.min(), anchor.state, directory: directory)
    guard !numbers.isEmpty else {
      do throws(DiskError) {
        let first = try source.take(1, byteCount: SegmentFile.headerBytes)
        head.withLock { $0.statistics.segmentsCreated += 1 }
        return [first]
      } catch { throw .disk(error) }
    }
    return try JournalFile.openSegments(
      numbers.sorted(), directory: directory, fileSystem: fileSystem, writable: true)
  }

  /// Opens the segments; a gap in the numbers is damage.
  static func openSegments(
    _ numbers: [UInt32], directory: String, fileSystem: any FileSystem, writable: Bool
  ) throws(JournalError) -> [SegmentFile] {
    var segments: [SegmentFile] = []
    for number in numbers {
      let path = directory + "/" + SegmentFile.name(number)
      if let last = segments.last, last.number + 1 != number {
        throw .corrupt(
          file: directory + "/" + SegmentFile.name(last.number + 1), offsetBytes: 0,
          reason: "the segment is missing")
      }
      segments.append(
        try SegmentFile.open(number: number, path: path, fileSystem: fileSystem, writable: writable))
    }
    return segments
  }
}
