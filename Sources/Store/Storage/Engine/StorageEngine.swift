import Blocks
import Journaling
import Matching
import Platform
import Records
import Synchronization

/// The store's synchronous engine: no thread and no chance of its own. ``Storage`` is its shell; simulations
/// drive it directly.
///
/// Reading (``snapshot(of:)``, ``usage()``) may happen on any thread at any time. Of archiving, compaction,
/// and deletion with retention, each may run on a thread of its own, one call at a time; all of them block on
/// the disk.
package final class StorageEngine: Sendable {
  /// As given at opening.
  package let options: StorageOptions
  /// The journal's rows that are in no block.
  package let heads: any HeadSource
  let layout: StorageLayout
  let fileSystem: any FileSystem
  /// The data directory: nothing is made or removed under its name while that leads elsewhere.
  let home: KnownDirectory
  let clock: any WallClock
  /// By which blocks are too old.
  let retentionClock: SettledClock
  let uptime: any UptimeClock
  let reporter: StoreReporter
  let format: any BlockFormat
  let openBlocks: OpenBlocks
  private let pages: PageCache?
  let trash: Trash
  let live: Mutex<LiveState>
  /// Held over the writing of an edit, by threads that may block on the disk only: one edit at a time.
  private let manifest: Mutex<Manifest>
  /// Block ids given to files under way, which the manifest does not know yet.
  private let nextBlockID: Mutex<UInt64>
  /// Partitions whose directories are known to be durable.
  let directories = Mutex<Set<Partition>>([])
  let archiveQueue: Mutex<ArchiveQueue>
  let compactionQueue: Mutex<CompactionQueue>
  let formatUpgrade: Mutex<FormatUpgrade>
  /// Files that are left out of everything.
  let quarantine: Quarantine

  private init(
    _ parts: Parts, environment: StoreEnvironment, options: StorageOptions, format: any BlockFormat,
    manifest: sending Manifest
  ) {
    self.options = options
    heads = parts.heads
    layout = parts.layout
    home = parts.home
    fileSystem = environment.fileSystem
    clock = environment.clock
    uptime = environment.uptime
    // The newest time that the store knows: a machine that starts with a wrong clock is told by it.
    let latest = max(
      manifest.state.blocks.map(\.ingestedMax).max() ?? .min,
      parts.heads.heads().map(\.oldestIngestedAt).max() ?? .min)
    retentionClock = SettledClock(
      environment.clock, uptime: environment.uptime, latest: latest == .min ? nil : latest,
      holdSeconds: options.clockStepSeconds)
    reporter = parts.reporter
    quarantine = parts.quarantine
    self.format = format
    trash = parts.trash
    live = Mutex(parts.live)
    nextBlockID = Mutex(manifest.state.nextBlockID)
    pages =
      options.pageCacheBytesMax > 0
      ? PageCache(bytesMax: options.pageCacheBytesMax, memory: environment.pagesMemory) : nil
    openBlocks = OpenBlocks(
      fileSystem: environment.fileSystem, format: format, countMax: options.openBlocksMax,
      bytesMax: options.openBlocksBytesMax, memory: environment.blocksMemory, pages: pages)
    archiveQueue = Mutex(ArchiveQueue(options))
    compactionQueue = Mutex(CompactionQueue())
    formatUpgrade = Mutex(FormatUpgrade(blocks: manifest.state.blocks.map(\.id)))
    self.manifest = Mutex(manifest)
  }

  /// What opening has made.
  private struct Parts {
    let heads: any HeadSource
    let layout: StorageLayout
    let home: KnownDirectory
    let trash: Trash
    let live: LiveState
    let reporter: StoreReporter
    let quarantine: Quarantine
  }

  /// Opens the store in `directory` (made if missing): manifest, files, then the journal by `openJournal`.
  ///
  /// A block that is missing does not stop it: see ``damagedFiles``.
  ///
  /// - Throws: `.corrupt` with file and byte for damage of manifest or journal, else what the disk said.
  ///   Files that no edit names may have been removed.
  package static func open<Heads: HeadSource>(
    directory: String, environment: StoreEnvironment, options: StorageOptions, format: any BlockFormat,
    openJournal: (_ directory: String, _ start: JournalStart) throws(JournalError) -> Heads
  ) throws(StoreError) -> (engine: StorageEngine, journal: Heads) {
    let layout = StorageLayout(directory: directory)
    let reporter = StoreReporter(environment.observer)
    let opening = StorageOpening(
      layout: layout, fileSystem: environment.fileSystem, format: format, registry: options.journal.registry)
    try opening.makeDirectory()
    let home = try withDisk { () throws(DiskError) in
      try KnownDirectory(directory, on: environment.fileSystem)
    }
    let (manifest, anchor, missing) = try openManifest(opening, environment, options, reporter)
    let state = manifest.state
    var live = LiveState()
    let trash = Trash()
    for partition in state.partitions.keys {
      _ = try live.update(partition, from: state, layout: layout, trash: trash)
    }
    let quarantine = Quarantine(directory: directory, reporter: reporter)
    for block in live.partitions.values.flatMap(\.blocks) where missing.contains(block.file.path) {
      let reason = "the manifest names it, but it is missing"
      quarantine.note(.corrupt(file: block.file.path, offsetBytes: 0, reason: reason), of: block)
    }
    let start = JournalStart(
      archivedThrough: state.archivedThrough, nextPositions: state.nextPositions,
      positionBase: state.positionBase, anchor: anchor)
    let journal: Heads
    do throws(JournalError) { journal = try openJournal(layout.journal, start) } catch {
      throw StoreError(error)
    }
    try keepRaised(journal, manifest, reporter)
    if let trouble = manifest.trouble { reporter.failed(.manifestUpkeep, file: layout.manifest, trouble) }
    let engine = StorageEngine(
      Parts(
        heads: journal, layout: layout, home: home, trash: trash, live: live, reporter: reporter,
        quarantine: quarantine),
      environment: environment, options: options, format: format, manifest: manifest)
    return (engine, journal)
  }

  private static func openManifest(
    _ opening: StorageOpening, _ environment: StoreEnvironment, _ options: StorageOptions,
    _ reporter: StoreReporter
  ) throws(StoreError) -> (manifest: Manifest, anchor: Anchor, missing: Set<String>) {
    let directory = opening.layout.directory
    let reading: AnchorReading
    do throws(JournalError) {
      reading = try AnchorReading(directory: directory, fileSystem: environment.fileSystem)
    } catch { throw StoreError(error) }
    var begun: (anchor: Anchor, survey: StorageSurvey)?
    let manifest = try Manifest.open(
      directory: directory, fileSystem: environment.fileSystem,
      isNew: { () throws(StoreError) in
        // A manifest had edits once: it is not new, it is gone.
        let isNew = try opening.isNew()
        return isNew && reading.state.generation == 0
      },
      registry: options.journal.registry, compactionBytesMin: options.manifestBytesMin,
      begin: { (state) throws(StoreError) in
        let found = try opening.begin(state, reading, environment.entropy)
        begun = found
        return found.anchor
      })
    guard let begun else { bug("a manifest is judged before it is opened") }
    try opening.tidy(begun.survey, reporter)
    return (manifest, begun.anchor, Set(begun.survey.missing))
  }

  /// Makes positions durable that the journal has raised. Without room for that the journal keeps in mind
  /// that it has to be done, and the store opens all the same.
  private static func keepRaised(
    _ heads: some HeadSource, _ manifest: Manifest, _ reporter: StoreReporter
  ) throws(StoreError) {
    if let raised = heads.raisedPositions {
      let floors = raised.nextPositions.sorted { $0.key.description < $1.key.description }
      do throws(StoreError) {
        try manifest.append(
          floors.map { .nextPosition($0.key, position: $0.value) } + [.positionBase(raised.base)])
      } catch {
        if let failure = manifest.failure { throw failure }
        return reporter.failed(.manifestUpkeep, file: Manifest.name, error)
      }
    }
    try heads.settle()
  }

  /// Says durably how far the manifest reaches: at a clean stop, when nothing edits it any more.
  package func seal() throws(StoreError) {
    try manifest.withLock { manifest throws(StoreError) in try manifest.seal() }
  }

  /// What a block says of where it comes from, if it is begun now; nil: the store has no durable identity
  /// yet.
  func origin() -> BlockOrigin? {
    manifest.withLock { manifest in
      let state = manifest.state
      return state.store == .none ? nil : BlockOrigin(store: state.store, generation: state.generation)
    }
  }

  /// A consistent view; see ``BatchSource``. O(blocks of the partition + log of the head's frames), no disk.
  package func snapshot(of partition: Partition) -> any PartitionSnapshot {
    while true {
      let head = heads.head(of: partition)
      let live = live.withLock { $0.partitions[partition] } ?? LivePartition()
      // Rows that came in after the head was taken were archived before the blocks were: look again, else
      // rows of one moment would be there and those of an earlier one, in another block, perhaps not.
      if live.archivedThrough > head.positionEnd { continue }
      return StorageSnapshot(
        partition, positionEnd: head.positionEnd, frames: head.frames.reaching(live.archivedThrough),
        live: live, openBlocks: openBlocks, quarantine: quarantine)
    }
  }

  /// Figures by partition, in no order.
  package func usage() -> [PartitionUsage] {
    var usage: [Partition: PartitionUsage] = [:]
    func empty(_ partition: Partition) -> PartitionUsage {
      PartitionUsage(
        partition: partition, headRows: 0, headBytes: 0, blockRows: 0, blockBytes: 0, blockCount: 0)
    }
    for head in heads.heads() {
      usage[head.partition, default: empty(head.partition)].headRows += head.rowCount
      usage[head.partition, default: empty(head.partition)].headBytes += head.byteCount
    }
    for (partition, state) in live.withLock({ $0.partitions }) where !state.blocks.isEmpty {
      for block in state.blocks {
        usage[partition, default: empty(partition)].blockRows += block.facts.rowCount
        usage[partition, default: empty(partition)].blockBytes += block.facts.byteCount
        usage[partition, default: empty(partition)].blockCount += 1
      }
    }
    return Array(usage.values)
  }

  /// Why nothing more is archived, compacted or deleted until a restart; nil while healthy.
  package var failure: StoreError? { live.withLock { $0.failure } }

  /// Files whose rows no answer has, as far as they were come upon, by name.
  package var damagedFiles: [DamagedFile] { quarantine.files }

  /// Totals since the store was opened.
  package func statistics() -> StorageStatistics {
    var statistics = live.withLock { $0.statistics }
    if let pages { statistics.pages = pages.statistics }
    return statistics
  }

  /// Unlinks files that were removed and that no snapshot holds any more; what the disk refuses is told and
  /// tried again later.
  package func emptyTrash() {
    var refused: DiskError?
    do throws(DiskError) { try home.check() } catch {
      return reporter.failed(.unlinking, file: error.path, StoreError(error))
    }
    let paths = trash.take()
    for path in paths {
      do throws(DiskError) {
        try fileSystem.remove(path)
        live.withLock { $0.statistics.filesRemoved += 1 }
      } catch .notFound {
        continue
      } catch {
        trash.add(path)
        refused = refused ?? error
      }
    }
    if let refused {
      reporter.failed(.unlinking, file: refused.path, StoreError(refused))
    } else if !paths.isEmpty {
      reporter.done(.unlinking)
    }
  }

  /// Runs a step of work that is tried again when it fails: counts and tells its failure, and the end of
  /// failing.
  func attempt<Value>(
    _ work: StoreWork, of partition: Partition? = nil, _ step: () throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    do throws(StoreError) {
      let value = try step()
      reporter.done(work, of: partition)
      return value
    } catch {
      if error != .stopping { count { $0.failures += 1 } }
      reporter.failed(work, of: partition, error)
      throw error
    }
  }

  func count(_ change: (inout StorageStatistics) -> Void) { live.withLock { change(&$0.statistics) } }

  /// An id for a new block. Ids of blocks that come to nothing are not given again before a restart.
  func takeBlockID() -> UInt64 {
    nextBlockID.withLock { next in
      defer { next += 1 }
      return next
    }
  }

  /// Makes durable what `make` says in view of the state, and shows it to readers. No changes: nothing
  /// happens.
  ///
  /// - Throws: `.poisoned`: the changes may count after a restart. Anything else: nothing changed.
  func commit(
    _ make: (ManifestState) throws(StoreError) -> [ManifestChange]
  ) throws(StoreError) {
    try withDisk { () throws(DiskError) in try home.check() }
    try manifest.withLock { manifest throws(StoreError) in
      // No copy of the state is kept: the edit would then copy all of it.
      let changes = try make(manifest.state)
      if changes.isEmpty { return }
      let touched = manifest.state.partitions(touchedBy: changes)
      do throws(StoreError) { try manifest.append(changes) } catch {
        note(manifest.failure)
        throw error
      }
      try publish(touched, after: manifest.state)
      note(manifest.failure)
      if let trouble = manifest.trouble {
        reporter.failed(.manifestUpkeep, file: layout.manifest, trouble)
      } else {
        reporter.done(.manifestUpkeep)
      }
    }
  }

  /// Takes over why the manifest takes no more edits, if so, and tells it once.
  private func note(_ failure: StoreError?) {
    guard let failure else { return }
    let isFirst = live.withLock { live in
      defer { live.failure = failure }
      return live.failure == nil
    }
    if isFirst { reporter.tell(.poisoned(.manifest, error: failure)) }
  }

  private func publish(_ touched: Set<Partition>, after: ManifestState) throws(StoreError) {
    // All partitions of the edit in one step: readers see the edit whole or not at all.
    let gone = try live.withLock { live throws(StoreError) in
      var gone: [LiveBlock] = []
      for partition in touched {
        gone += try live.update(partition, from: after, layout: layout, trash: trash)
      }
      return gone
    }
    for block in gone {
      quarantine.forget(block: block.facts.id)
      // In this order: whoever opens it meanwhile sees the mark, or puts it where it is forgotten.
      block.file.markRemoved()
      openBlocks.forget(block.facts.id)
    }
    compactionQueue.withLock { $0.add(touched) }
  }
}
