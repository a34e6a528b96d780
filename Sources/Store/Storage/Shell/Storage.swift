import Blocks
import Journaling
import Platform
import Records
import Synchronization

/// Why a store could not be opened.
package enum StorageOpenError: Error, Sendable, Equatable {
  /// Another process has the data directory open; its number if it left it.
  case locked(path: String, process: Int?)
  /// The disk refused or the data is damaged. Nothing that was acknowledged changed.
  case store(StoreError)
}

/// The store as the rest of the server sees it: the engine, the journal and their threads.
///
/// Archiving, compaction, and deletion with retention have a thread each, so that none waits for another;
/// queries run on their callers' threads.
package final class Storage: BatchSink, BatchSource, CommitFeed, StoreControl {
  private let engine: StorageEngine
  private let journal: Journal
  private let lock: FileLock?
  private let clock: any WallClock
  private let archiveThread = DiskThread(name: "archive")
  private let compactionThread = DiskThread(name: "compaction")
  private let controlThread = DiskThread(name: "storage")
  private let isStopping = Atomic(false)
  private let loops = Mutex<[Task<Void, Never>]>([])
  private let pace = Mutex(WritePace())
  /// What opening found.
  package let recovery: JournalRecovery

  /// How long the loops rest when there is nothing to do.
  private static let restMilliseconds = 200
  private static let failureRestMilliseconds = 2000
  private static let retentionSeconds: Int64 = 60

  /// Opens the store in `directory` (made if missing) and locks it. Takes no longer than reading the manifest
  /// and the head.
  ///
  /// - Parameter locks: false on file systems that are not the machine's: those have no locks.
  package static func open(
    directory: String, environment: StoreEnvironment = StoreEnvironment(), options: StorageOptions,
    format: any BlockFormat, locks: Bool = true
  ) async throws(StorageOpenError) -> Storage {
    let thread = DiskThread(name: "opening")
    return try await thread.run { () throws(StorageOpenError) in
      let lock = locks ? try takeLock(directory, environment.fileSystem) : nil
      var recovery = JournalRecovery()
      do throws(StoreError) {
        let (engine, journal) = try StorageEngine.open(
          directory: directory, environment: environment, options: options, format: format
        ) { directory, start throws(JournalError) in
          let opened = try Journal.open(
            directory: directory, environment: environment, options: options.journal, start: start)
          recovery = opened.recovery
          return opened.journal
        }
        return Storage(
          engine: engine, journal: journal, lock: lock, clock: environment.clock, recovery: recovery)
      } catch { throw .store(error) }
    }
  }

  private init(
    engine: StorageEngine, journal: Journal, lock: FileLock?, clock: any WallClock, recovery: JournalRecovery
  ) {
    self.engine = engine
    self.journal = journal
    self.lock = lock
    self.clock = clock
    self.recovery = recovery
  }

  private static func takeLock(
    _ directory: String, _ fileSystem: any FileSystem
  ) throws(StorageOpenError) -> FileLock {
    do throws(DiskError) { try fileSystem.createDirectory(directory) } catch {
      throw .store(StoreError(error))
    }
    do throws(FileLockError) { return try FileLock(directory: directory) } catch {
      switch error {
      case .held(let path, let process): throw .locked(path: path, process: process)
      case .disk(let error): throw .store(StoreError(error))
      }
    }
  }

  /// Starts archiving, compaction and retention in the background. Call once.
  package func start() {
    loops.withLock { loops in
      loops.append(Task { await self.archiveWhenDue() })
      loops.append(Task { await self.compactWhenDue() })
      loops.append(Task { await self.retainWhenDue() })
    }
  }

  /// Refuses new appends, ends what runs in the background, commits and syncs the appends that wait. The head
  /// stays in the journal. The directory stays locked until the store is gone.
  package func stop() async {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    let running = loops.withLock { loops in
      defer { loops = [] }
      return loops
    }
    for loop in running { loop.cancel() }
    await journal.stop()
    for loop in running { await loop.value }
    let engine = engine
    await controlThread.run {
      // Whoever could be told is gone: without it a start knows less of how far the manifest reached.
      do throws(StoreError) { try engine.seal() } catch {}
    }
  }

  /// Totals for metrics.
  package func statistics() -> (journal: JournalStatistics, storage: StorageStatistics) {
    (journal.statistics(), engine.statistics())
  }

  /// What the head holds, by partition.
  package func heads() -> [HeadStatistics] { journal.heads() }
}

// The seams
extension Storage {
  /// See ``BatchSink``. Waits while archiving falls behind, up to ``WritePace/delayNanosecondsMax``.
  package func append(
    _ batch: RecordBatch, to partition: Partition, idempotency: IdempotencyKey?
  ) async throws(StoreError) -> AppendReceipt {
    if let failure = engine.failure { throw failure }
    await waitForArchiving(batch, of: partition.tenant)
    return try await journal.append(batch, to: partition, idempotency: idempotency)
  }

  private func waitForArchiving(_ batch: RecordBatch, of tenant: Tenant) async {
    let headBytes = journal.headBytes
    let headBytesMax = engine.options.journal.headBytesMax
    guard headBytes > headBytesMax / 2 else { return }
    let now = clock.now()
    let bytes = batch.journalBytes(0..<batch.rowCount)
    let delay = pace.withLock {
      $0.delay(bytes: bytes, of: tenant, headBytes: headBytes, headBytesMax: headBytesMax, now: now)
    }
    // Cancelled: the client is gone, and its append goes on without a wait.
    if delay > 0 { try? await Task.sleep(for: .nanoseconds(delay)) }
  }

  /// See ``BatchSource``.
  package func snapshot(of partition: Partition) -> any PartitionSnapshot { engine.snapshot(of: partition) }

  /// See ``CommitFeed``.
  package func observeCommits(
    _ wake: @escaping @Sendable ([Partition: Int64]) -> Void
  ) -> CommitObservation {
    journal.observeCommits(wake)
  }

  /// See ``CommitFeed``.
  package func positionEnd(of tenant: Tenant) -> Int64 { journal.nextPosition(of: tenant) }

  /// See ``CommitFeed``.
  package func committed(
    to partition: Partition, from position: Int64, columns: [String], rowsMax: Int
  ) -> CommittedRows? {
    journal.committed(to: partition, from: position, columns: columns, rowsMax: rowsMax)
  }

  /// See ``StoreControl``.
  package func archive(_ isWanted: @escaping @Sendable (Tenant) -> Bool) async throws(StoreError) {
    let ends = journal.heads().filter { isWanted($0.partition.tenant) }
      .map { ($0.partition, journal.nextPosition(of: $0.partition.tenant)) }
    for (partition, end) in ends {
      while try await archive(partition, below: end) {}
    }
  }

  /// See ``StoreControl``.
  package func delete(_ predicate: Predicate, from partition: Partition) async throws(StoreError) -> Int {
    let engine = engine
    return try await controlThread.run { () throws(StoreError) in
      try engine.delete(predicate, from: partition)
    }
  }

  /// See ``StoreControl``.
  package func retain() async throws(StoreError) -> Int {
    let engine = engine
    return try await controlThread.run { () throws(StoreError) in
      defer { engine.emptyTrash() }
      return try engine.retain()
    }
  }

  /// See ``StoreControl``.
  package func usage() -> [PartitionUsage] { engine.usage() }

  /// Why nothing is written any more before a restart; nil while that is not so.
  package var failure: StoreError? { journal.writeFailure() ?? engine.failure }

  /// See ``StoreControl``.
  package func damagedFiles() -> [DamagedFile] { engine.damagedFiles }

  /// See ``StoreControl``.
  package func writeFailure() async -> StoreError? {
    if let failure { return failure }
    return await journal.refusal()
  }
}

// The loops
extension Storage {
  private var mustStop: Bool { isStopping.load(ordering: .sequentiallyConsistent) }

  /// One step; whether there may be more.
  private func archive(_ partition: Partition, below positionEnd: Int64) async throws(StoreError) -> Bool {
    let engine = engine
    let step = try await archiveThread.run { [self] () throws(StoreError) in
      try engine.archive(partition, below: positionEnd) { mustStop }
    }
    guard let step else { return false }
    await journal.release([partition: step.archivedThrough])
    if step.rowCount >= Storage.trimRowsMin { await archiveThread.run { MemoryTuning.trim() } }
    return true
  }

  /// After writing so many rows the memory that took is given back to the system.
  private static let trimRowsMin = 65_536

  private func archiveWhenDue() async {
    while !mustStop {
      var rest = Storage.restMilliseconds
      for partition in engine.partitionsDue() where !mustStop {
        let end = journal.nextPosition(of: partition.tenant)
        do throws(StoreError) {
          // A block at a time, the fullest partition first.
          if try await archive(partition, below: end) { rest = 0 }
        } catch {
          // Counted and told by the engine.
          rest = max(rest, Storage.failureRestMilliseconds)
        }
      }
      await pause(milliseconds: rest)
    }
  }

  private func compactWhenDue() async {
    while !mustStop {
      var rest = Storage.restMilliseconds * 5
      let engine = engine
      let pace = CompactionPace(journal: journal, clock: clock)
      do throws(StoreError) {
        let isBusy = try await compactionThread.run { [self] () throws(StoreError) in
          defer { engine.emptyTrash() }
          return try engine.compact {
            pace.wait()
            return mustStop
          }
        }
        if isBusy { rest = 0 }
      } catch {
        // Counted and told by the engine.
        rest = Storage.failureRestMilliseconds
      }
      await pause(milliseconds: rest)
    }
  }

  private func retainWhenDue() async {
    // By a clock that cannot be set: set back, the other would put it off for ever.
    let uptime = engine.uptime
    var next = uptime.uptime()
    while !mustStop {
      if uptime.uptime() >= next, !engine.options.retentionSeconds.isEmpty {
        next = uptime.uptime() + Storage.retentionSeconds * 1_000_000_000
        do throws(StoreError) { _ = try await retain() } catch {
          // Counted and told by the engine.
        }
      }
      await pause(milliseconds: Storage.restMilliseconds * 5)
    }
  }

  /// Ends early when the store stops.
  private func pause(milliseconds: Int) async {
    if milliseconds <= 0 || mustStop { return await Task.yield() }
    // Cancelled: then the loop ends, which it sees for itself.
    try? await Task.sleep(for: .milliseconds(milliseconds))
  }
}

/// Lets ingest go first: while rows come in, compaction rests as long as it worked.
private final class CompactionPace: Sendable {
  private static let restNanosecondsMax: Int64 = 500_000_000

  private let journal: Journal
  private let clock: any WallClock
  private let last: Mutex<(time: Int64, rows: Int)>

  init(journal: Journal, clock: any WallClock) {
    self.journal = journal
    self.clock = clock
    last = Mutex((clock.now(), journal.statistics().rows))
  }

  func wait() {
    let rows = journal.statistics().rows
    let now = clock.now()
    let before = last.withLock { $0 }
    if rows > before.rows {
      DiskThread.pause(nanoseconds: min(max(now - before.time, 0), CompactionPace.restNanosecondsMax))
    }
    last.withLock { $0 = (clock.now(), rows) }
  }
}
