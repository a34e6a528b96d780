import Blocks
import Journaling
import Platform
import Records
import Routing
import Storage

/// A store as the server uses it, whichever it is.
struct OpenStore: Sendable {
  let seams: any BatchSink & BatchSource & CommitFeed & StoreControl
  /// A line about what was found, for the log.
  let summary: String
  /// Writes figures; called at each scrape.
  let collect: MetricsRegistry.Collector
  /// As ``collect``; shown behind the figures of queries.
  let collectFailure: MetricsRegistry.Collector
  /// Begins what goes on in the background.
  let start: @Sendable () -> Void
  /// Refuses appends, commits those that wait, and syncs.
  let close: @Sendable () async -> Void
}

/// The store on this machine's disk: the one place of the server that knows which store there is.
enum LocalStore {
  /// Opens the store that the configuration names.
  ///
  /// - Parameters:
  ///   - registry: What codes on the disk mean.
  ///   - environment: What it stands on.
  static func open(
    _ configuration: Configuration, _ registry: Registry, _ environment: StoreEnvironment
  ) async throws(StartError) -> OpenStore {
    let now = environment.clock.now()
    guard now > SystemClock.years.lowerBound, now < SystemClock.years.upperBound else {
      throw StartError.store(
        "the machine's clock reads a time before 1900 or after 2199; records would get it: set the clock")
    }
    let store: Storage
    do throws(StorageOpenError) {
      store = try await Storage.open(
        directory: configuration.dataDirectory, environment: environment,
        options: configuration.storageOptions(registry), format: ParquetBlocks())
    } catch {
      throw StartError.store(text(of: error, directory: configuration.dataDirectory))
    }
    return OpenStore(
      seams: store, summary: summary(of: store, directory: configuration.dataDirectory),
      collect: { StoreMetrics.collect(store, registry.datasets, into: &$0) },
      collectFailure: { StoreMetrics.collectFailure(store, into: &$0) },
      start: { store.start() }, close: { await store.stop() })
  }

  private static func text(of error: StorageOpenError, directory: String) -> String {
    switch error {
    case .locked(_, let process):
      let who = process.map { " by process \($0)" } ?? ""
      return "the data directory \(directory) is in use\(who)"
    case .store(.corrupt(let file, let offset, let reason)):
      return "the store is damaged: \(file), byte \(offset): \(reason). Nothing was changed. "
        + "Copy the whole directory before anything else; cordwood check names all damage. "
        + "A single file put back from another day can lose records"
    case .store(.laterVersion(let file, let version)):
      return "the store in \(directory) was made by a later version of cordwood: \(file) has format "
        + "\(version). Nothing is damaged and nothing was changed; start that version"
    case .store(.disk(let reason)), .store(.diskFull(let reason)):
      return "cannot open the store in \(directory): \(reason)"
    case .store(let error): return "cannot open the store in \(directory): \(error)"
    }
  }

  private static func summary(of store: Storage, directory: String) -> String {
    let usage = store.usage()
    let head = usage.reduce(0) { $0 + $1.headRows }
    let archived = usage.reduce(0) { $0 + $1.blockRows }
    let blocks = usage.reduce(0) { $0 + $1.blockCount }
    var text = "store \(directory): \(archived) records in \(blocks) blocks, \(head) in the journal"
    if let cut = store.recovery.cut {
      text += "; an unfinished write was cut off (\(cut.file), byte \(cut.offsetBytes))"
    }
    let damaged = store.damagedFiles()
    if !damaged.isEmpty { text += "; \(damaged.count) blocks are missing, and answers lack their records" }
    return text
  }
}

extension Configuration {
  /// The store's part of the settings.
  fileprivate func storageOptions(_ registry: Registry) -> StorageOptions {
    var options = StorageOptions()
    options.journal.registry = registry
    options.journal.segmentBytes = segmentBytes
    options.journal.headBytesMax = headBytesMax
    options.journal.writeReserveBytes = writeReserveBytes
    options.journal.durability = Durability(rawValue: durability) ?? .fsync
    options.archiveBytesMax = archiveBytesMax
    options.openBlocksBytesMax = openBlocksBytesMax
    options.pageCacheBytesMax = pageCacheBytes
    options.archiveAgeSecondsMax = archiveAgeSecondsMax
    options.clockStepSeconds = clockStepSeconds
    options.retentionSeconds = retentionSeconds.filter { $0.value > 0 }
    return options
  }
}

/// Figures of the store. Tenants are no label: their number has no bound.
private enum StoreMetrics {
  static func collect(_ store: Storage, _ datasets: [Dataset], into text: inout MetricsText) {
    let (journal, storage) = store.statistics()
    collect(journal, into: &text)
    collect(storage, into: &text)
    collect(store.usage(), of: datasets, into: &text)
    let damaged = store.damagedFiles()
    text.single(
      "cordwood_damaged_files", .gauge, "Files that are damaged or missing: answers lack their records.",
      Double(Set(damaged.map(\.name)).count))
    text.single(
      "cordwood_damaged_rows", .gauge, "Records in these files, at most.",
      Double(damaged.reduce(0) { $0 + $1.rowCount }))
  }

  static func collectFailure(_ store: Storage, into text: inout MetricsText) {
    text.single(
      "cordwood_writes_refused", .gauge, "1 while writes are refused because a disk failed.",
      store.failure == nil ? 0 : 1)
  }

  private static func collect(_ journal: JournalStatistics, into text: inout MetricsText) {
    let counters: [(String, String, Int)] = [
      ("commits_total", "Commits: each is one sync for all requests that waited.", journal.commits),
      ("commits_failed_total", "Commits that failed.", journal.failedCommits),
      ("requests_total", "Appends committed.", journal.requests),
      ("rows_total", "Records committed.", journal.rows),
      ("frames_total", "Frames written.", journal.frames),
      ("bytes_total", "Bytes written.", journal.bytesWritten),
      ("segments_created_total", "Segments made.", journal.segmentsCreated),
      ("segments_removed_total", "Segments removed after archiving.", journal.segmentsRemoved),
    ]
    for (name, help, value) in counters {
      text.single("cordwood_journal_\(name)", .counter, help, Double(value))
    }
    text.single(
      "cordwood_idempotency_entries", .gauge, "Idempotency keys remembered.",
      Double(journal.idempotencyEntries))
    let name = "cordwood_journal_sync_seconds"
    text.family(name, .histogram, "Time of a sync.")
    var total = 0
    for (index, count) in journal.syncBuckets.enumerated() {
      total += count
      let bound = JournalStatistics.bucketSeconds(index)
      text.sample(name + "_bucket", [("le", bound.isInfinite ? "+Inf" : "\(bound)")], Double(total))
    }
    text.sample(name + "_sum", [], Double(journal.syncNanoseconds) / 1e9)
    text.sample(name + "_count", [], Double(total))
  }

  private static func collect(_ storage: StorageStatistics, into text: inout MetricsText) {
    let counters: [(String, String, Double)] = [
      ("archive_runs_total", "Blocks written from the head.", Double(storage.archiveRuns)),
      ("archive_rows_total", "Records archived.", Double(storage.archivedRows)),
      ("archive_bytes_total", "Bytes of blocks written from the head.", Double(storage.archivedBytes)),
      ("archive_seconds_total", "Time spent archiving.", Double(storage.archiveNanoseconds) / 1e9),
      ("compactions_total", "Merges of blocks.", Double(storage.compactions)),
      ("compaction_blocks_total", "Blocks merged.", Double(storage.compactedBlocks)),
      ("compaction_rows_total", "Records rewritten.", Double(storage.compactedRows)),
      ("compaction_bytes_total", "Bytes of merged blocks written.", Double(storage.compactedBytes)),
      ("compaction_seconds_total", "Time spent merging.", Double(storage.compactionNanoseconds) / 1e9),
      ("deletions_total", "Deletions asked for.", Double(storage.deletions)),
      ("deleted_rows_total", "Records deleted.", Double(storage.deletedRows)),
      ("retention_blocks_total", "Blocks dropped for their age.", Double(storage.retainedBlocksDropped)),
      ("files_removed_total", "Files removed.", Double(storage.filesRemoved)),
      ("page_cache_hits_total", "Decoded pages, columns and dictionaries found.", Double(storage.pages.hits)),
      ("page_cache_misses_total", "Those wanted and not there.", Double(storage.pages.misses)),
      (
        "background_failures_total", "Steps of archiving, merging or retention that failed.",
        Double(storage.failures)
      ),
    ]
    for (name, help, value) in counters { text.single("cordwood_\(name)", .counter, help, value) }
    text.single(
      "cordwood_page_cache_bytes", .gauge, "Bytes of decoded pages, columns and dictionaries that are kept.",
      Double(storage.pages.bytes))
    text.single(
      "cordwood_page_cache_entries", .gauge, "How many they are.", Double(storage.pages.count))
  }

  private static func collect(
    _ usage: [PartitionUsage], of datasets: [Dataset], into text: inout MetricsText
  ) {
    let gauges: [(String, String, (PartitionUsage) -> Int)] = [
      ("head_rows", "Records that are in the journal only.", \.headRows),
      ("head_bytes", "Bytes of journal frames that are in no block.", \.headBytes),
      ("block_rows", "Records in blocks.", \.blockRows),
      ("block_bytes", "Bytes of blocks.", \.blockBytes),
      ("blocks", "Blocks.", \.blockCount),
    ]
    for (name, help, value) in gauges {
      text.family("cordwood_\(name)", .gauge, help)
      for dataset in datasets {
        let sum = usage.filter { $0.partition.dataset == dataset }.reduce(0) { $0 + value($1) }
        text.sample("cordwood_\(name)", [("dataset", dataset.name)], Double(sum))
      }
    }
  }
}
