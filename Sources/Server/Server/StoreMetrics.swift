import APIs
import HTTP
import Journaling
import Platform
import Querying
import Records
import Routing
import Storage

/// Figures of the store. Tenants are no label: their number has no bound.
enum StoreMetrics {
  static func collect(_ store: Storage, budget: MemoryBudget, into text: inout MetricsText) {
    let (journal, storage) = store.statistics()
    collect(journal, into: &text)
    collect(storage, into: &text)
    collect(store.usage(), into: &text)
    text.single(
      "cordwood_query_memory_bytes", .gauge, "Memory that running queries hold.", Double(budget.bytesUsed))
    text.single(
      "cordwood_writes_refused", .gauge, "1 while writes are refused because a disk failed.",
      store.writeFailure() == nil ? 0 : 1)
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
      (
        "background_failures_total", "Steps of archiving, merging or retention that failed.",
        Double(storage.failures)
      ),
    ]
    for (name, help, value) in counters { text.single("cordwood_\(name)", .counter, help, value) }
  }

  private static func collect(_ usage: [PartitionUsage], into text: inout MetricsText) {
    let gauges: [(String, String, (PartitionUsage) -> Int)] = [
      ("head_rows", "Records that are in the journal only.", \.headRows),
      ("head_bytes", "Bytes of journal frames that are in no block.", \.headBytes),
      ("block_rows", "Records in blocks.", \.blockRows),
      ("block_bytes", "Bytes of blocks.", \.blockBytes),
      ("blocks", "Blocks.", \.blockCount),
    ]
    for (name, help, value) in gauges {
      text.family("cordwood_\(name)", .gauge, help)
      for dataset in Registry.standard.datasets {
        let sum = usage.filter { $0.partition.dataset == dataset }.reduce(0) { $0 + value($1) }
        text.sample("cordwood_\(name)", [("dataset", dataset.name)], Double(sum))
      }
    }
  }
}
