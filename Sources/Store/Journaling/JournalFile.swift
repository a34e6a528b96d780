import Codecs
import Platform
import Records
import Synchronization

/// One request to be committed.
package struct AppendRequest: Sendable {
  /// The declared fields of the partition's dataset, at least one row.
  package let batch: RecordBatch
  /// Where the rows go.
  package let partition: Partition
  /// What a repeat of the request is known by; nil: it is not.
  package let idempotency: IdempotencyKey?
  /// About what its rows take in a frame (``RecordBatch/journalBytes(_:)``).
  let bytes: Int

  /// Traps on a batch without rows or with other columns than the dataset declares.
  package init(batch: RecordBatch, partition: Partition, idempotency: IdempotencyKey? = nil) {
    invariant(batch.rowCount > 0, "a request has a row")
    invariant(
      batch.fields.elementsEqual(partition.dataset.schema.declaredFields) { $0.type == $1.type },
      "a batch has the declared columns of its dataset")
    self.batch = batch
    self.partition = partition
    self.idempotency = idempotency
    bytes = batch.journalBytes(0..<batch.rowCount)
  }
}

/// The journal's synchronous engine: no thread, no clock, no chance of its own. One thread at a time may
/// write; the head may be read from any. ``Journal`` is its shell; simulations drive it directly.
package final class JournalFile: @unchecked Sendable {
  // Safe because: all that changes without a lock is touched by the writing thread alone, which is one at a
  // time (the shell's thread, or a simulation's); what others read lies behind `head`.
  let directory: String
  let fileSystem: any FileSystem
  let clock: any WallClock
  let entropy: any EntropySource
  let reporter: StoreReporter
  let options: JournalOptions
  let source: any SegmentSource
  let head = Mutex(HeadIndex())
  let observers = CommitObservers()
  let anchor: Anchor
  /// The directory, once it is open.
  var home: KnownDirectory?

  /// The segments in order of their numbers; frames go into the one at `activeIndex`, those behind it are
  /// empty.
  var segments: [SegmentFile] = []
  var activeIndex = 0
  /// Where the next frame goes, in the active segment.
  var end = 0
  /// Sequence of the last frame.
  var sequence: UInt64 = 0
  /// Drawn at each opening: frames of an earlier life never follow ours.
  var life: UInt32 = 0
  var hasWrittenInLife = false
  /// What was synced: `durable_to` of the next frames.
  var durable = SyncedPoint()
  /// Rows given behind the place that the anchor had at the start.
  var rowsGiven: UInt64 = 0
  /// Those of them before the place that it has.
  var rowsAnchored: UInt64 = 0
  /// Rows by which opening raised positions that only this journal knows of yet.
  var unsettledRows: UInt64 = 0
  /// Whether the last commit failed.
  var hasFailedCommit = false
  /// Whether the names of removed segments may come back at a power cut.
  var hasUnsyncedRemoval = false
  /// Whether this life has written the anchor.
  var isAnchored = false
  /// Whether the last frame is an end mark.
  var endsWithMark = false
  /// Where tenants start that nobody knows yet.
  var positionBase: Int64 = 0
  var lastSyncAt: Int64 = 0
  /// Writing-thread copy of the tenants' counters.
  var nextPositions: [Tenant: Int64] = [:]
  var keys: IdempotencyTable
  var imports: ImportTable
  var running: RunningTime
  let buffer = WriteBuffer(capacity: 1 << 20)

  init(
    directory: String, anchor: Anchor, environment: StoreEnvironment, reporter: StoreReporter,
    options: JournalOptions, source: any SegmentSource
  ) {
    self.directory = directory
    self.anchor = anchor
    fileSystem = environment.fileSystem
    clock = environment.clock
    entropy = environment.entropy
    self.reporter = reporter
    self.options = options
    self.source = source
    keys = IdempotencyTable(options: options, memory: environment.keysMemory)
    imports = ImportTable(options: options, memory: environment.keysMemory)
    running = RunningTime(environment.uptime)
  }

  /// Opens the journal in `directory` (made if missing): finds the last whole commit, overwrites what lies
  /// behind it and syncs.
  package static func open(
    directory: String, environment: StoreEnvironment, options: JournalOptions, start: JournalStart
  ) throws(JournalError) -> (journal: JournalFile, recovery: JournalRecovery) {
    let source = InlineSegments(
      directory: directory, fileSystem: environment.fileSystem, segmentBytes: options.segmentBytes)
    let anchor = try anchor(of: directory, start, environment.fileSystem)
    let journal = JournalFile(
      directory: directory, anchor: anchor, environment: environment,
      reporter: StoreReporter(environment.observer),
      options: options, source: source)
    let recovery = try journal.recover(start)
    journal.removeSegments()
    return (journal, recovery)
  }

  /// The anchor beside the journal's directory: the store's, if it has one open.
  static func anchor(
    of directory: String, _ start: JournalStart, _ fileSystem: any FileSystem
  ) throws(JournalError) -> Anchor {
    if let anchor = start.anchor { return anchor }
    let parent = PathName.directory(of: directory)
    let reading = try AnchorReading(directory: parent, fileSystem: fileSystem)
    do throws(DiskError) {
      try fileSystem.createDirectory(directory)
      return try Anchor.open(reading, fileSystem: fileSystem)
    } catch { throw .disk(error) }
  }

  var active: SegmentFile { segments[activeIndex] }

  /// The rows of one partition that are committed and not released.
  package func head(of partition: Partition) -> HeadSnapshot {
    let (entries, segments, positionEnd) = head.withLock { head in
      (
        head.partitions[partition]?.entries ?? [], head.segments,
        head.nextPosition(of: partition.tenant)
      )
    }
    let frames = HeadFrames(entries[...], segments: segments, dataset: partition.dataset)
    return HeadSnapshot(partition: partition, frames: frames, positionEnd: positionEnd)
  }

  /// What the head holds, by partition, in no order.
  package func heads() -> [HeadStatistics] { head.withLock { $0.heads() } }

  /// As ``heads()``, of the partitions that changed since the last call; those without rows are gone. For one
  /// caller. O(what changed).
  package func takeChangedHeads() -> [HeadStatistics] { head.withLock { $0.takeChanged() } }

  /// What the head and its files take. O(segments).
  package func extent() -> JournalExtent { head.withLock { $0.extent } }

  /// One behind the tenant's last committed position.
  package func nextPosition(of tenant: Tenant) -> Int64 {
    head.withLock { $0.nextPosition(of: tenant) }
  }

  /// See ``CommitFeed``. `wake` runs on the writing thread, inside the commit.
  package func observeCommits(
    _ wake: @escaping @Sendable ([Partition: Int64]) -> Void
  ) -> CommitObservation {
    observers.add(wake)
  }

  /// nil while writes are possible; else what they are answered until the journal is opened again.
  package var writeFailure: StoreError? { head.withLock { $0.failure } }

  /// Totals since the journal was opened.
  package func statistics() -> JournalStatistics { head.withLock { $0.statistics } }

  /// Bytes of all frames in the head.
  package var headBytes: Int { head.withLock { $0.byteCount } }

  /// Nothing is written any more.
  func poison(_ error: DiskError) -> StoreError {
    let failure = StoreError.poisoned("the journal could not be made durable: \(error)")
    let known = head.withLock { head in
      defer { head.failure = head.failure ?? failure }
      return head.failure
    }
    if known == nil { reporter.tell(.poisoned(.journal, error: failure)) }
    return known ?? failure
  }

  /// Syncs the segment; a failure poisons.
  func sync(_ segment: SegmentFile) throws(StoreError) {
    let start = clock.now()
    do throws(DiskError) { try segment.file.sync() } catch { throw poison(error) }
    lastSyncAt = clock.now()
    let duration = max(0, lastSyncAt - start)
    head.withLock { head in
      head.statistics.syncs += 1
      head.statistics.syncNanoseconds += duration
      var bucket = 0
      while bucket < 15, duration >= 64_000 << Int64(bucket) { bucket += 1 }
      head.statistics.syncBuckets[bucket] += 1
    }
  }

  /// Makes everything durable whatever the durability: before a stop.
  package func syncAll() throws(StoreError) {
    if let failure = writeFailure { throw failure }
    try sync(active)
    durable = SyncedPoint(
      offset: JournalOffset(segment: active.number, byte: end), sequence: sequence, rows: rowsGiven)
  }
}
