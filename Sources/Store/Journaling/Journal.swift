import Platform
import Records
import Synchronization

/// The journal as the rest of the server sees it: ``JournalFile`` on a thread of its own. Appends wait in a
/// queue; the thread takes all that wait, commits them together, and answers them.
package final class Journal: Sendable {
  private struct Waiting: Sendable {
    let request: AppendRequest
    let continuation: CheckedContinuation<Result<AppendReceipt, StoreError>, Never>
  }

  private struct Queue: Sendable {
    var waiting: [Waiting] = []
    var bytes = 0
    /// Whether a commit is running or about to.
    var isBusy = false
    var isStopping = false
  }

  private let file: JournalFile
  private let options: JournalOptions
  private let thread = DiskThread(name: "journal")
  private let queue = Mutex(Queue())

  /// Opens the journal in `directory` (made if missing), cuts off what was not committed, and starts its
  /// threads. Blocks for as long as reading the head takes (about 0.5 s a GiB): call on a disk thread.
  ///
  /// - Throws: ``JournalError/corrupt(file:offsetBytes:reason:)``: synced bytes have changed; nothing was
  ///   written.
  package static func open(
    directory: String, environment: StoreEnvironment, options: JournalOptions, start: JournalStart
  ) throws(JournalError) -> (journal: Journal, recovery: JournalRecovery) {
    let reporter = StoreReporter(environment.observer)
    let source = SegmentPreparer(
      directory: directory, fileSystem: environment.fileSystem, segmentBytes: options.segmentBytes,
      reporter: reporter)
    let anchor = try JournalFile.anchor(of: directory, start, environment.fileSystem)
    let file = JournalFile(
      directory: directory, anchor: anchor, environment: environment, reporter: reporter, options: options,
      source: source)
    let recovery = try file.recover(start)
    file.removeSegments()
    return (Journal(file: file, options: options), recovery)
  }

  private init(file: JournalFile, options: JournalOptions) {
    self.file = file
    self.options = options
  }

  /// See ``BatchSink``. Suspends until the commit that holds the batch is done.
  package func append(
    _ batch: RecordBatch, to partition: Partition, idempotency: IdempotencyKey?
  ) async throws(StoreError) -> AppendReceipt {
    let request = AppendRequest(batch: batch, partition: partition, idempotency: idempotency)
    let result: Result<AppendReceipt, StoreError> = await withCheckedContinuation { continuation in
      let waiting = Waiting(request: request, continuation: continuation)
      switch enqueue(waiting) {
      case .refused(let error): continuation.resume(returning: .failure(error))
      case .commitIsDue: thread.submit { [self] in commitWaiting() }
      case .waits: break
      }
    }
    return try result.get()
  }

  private enum Enqueued {
    case refused(StoreError)
    case commitIsDue
    case waits
  }

  private func enqueue(_ waiting: Waiting) -> Enqueued {
    queue.withLock { queue in
      if queue.isStopping { return .refused(.stopping) }
      if !queue.waiting.isEmpty, queue.bytes + waiting.request.bytes > options.queuedBytesMax {
        return .refused(.headFull(retryAfterSeconds: options.retryAfterSeconds))
      }
      queue.waiting.append(waiting)
      queue.bytes += waiting.request.bytes
      if queue.isBusy { return .waits }
      queue.isBusy = true
      return .commitIsDue
    }
  }

  /// Commits what waits, and again while something does. One commit a job, so that other jobs get their turn.
  private func commitWaiting() {
    let batch = takeWaiting()
    if batch.isEmpty { return }
    let results = file.commit(batch.map(\.request))
    for (waiting, result) in zip(batch, results) { waiting.continuation.resume(returning: result) }
    thread.submit { [self] in commitWaiting() }
  }

  private func takeWaiting() -> [Waiting] {
    queue.withLock { queue in
      var count = 0
      var bytes = 0
      while count < queue.waiting.count {
        bytes += queue.waiting[count].request.bytes
        if count > 0 && bytes > options.commitBytesMax {
          bytes -= queue.waiting[count].request.bytes
          break
        }
        count += 1
      }
      queue.isBusy = count > 0
      queue.bytes -= bytes
      if count == queue.waiting.count {
        defer { queue.waiting = [] }
        return queue.waiting
      }
      defer { queue.waiting.removeFirst(count) }
      return Array(queue.waiting[..<count])
    }
  }

  /// The partition's rows at this moment. To see no row twice or never beside blocks: take the head first,
  /// then the live blocks and the archived-through position of one manifest state, and drop frames below that
  /// position. O(frames), no disk.
  package func head(of partition: Partition) -> HeadSnapshot { file.head(of: partition) }

  /// What the head holds, by partition, in no order. O(partitions).
  package func heads() -> [HeadStatistics] { file.heads() }

  /// See ``JournalFile/takeChangedHeads()``.
  package func takeChangedHeads() -> [HeadStatistics] { file.takeChangedHeads() }

  /// What the head and its files take. O(segments).
  package func extent() -> JournalExtent { file.extent() }

  /// Bytes of all frames in the head, to be held against ``JournalOptions/headBytesMax``.
  package var headBytes: Int { file.headBytes }

  /// Takes rows below the positions (a frame's ``HeadFrame/positionEnd``), which blocks now hold durably, out
  /// of the head, and removes segments that nobody needs. Failing to remove one is told and
  /// tried again the next time.
  package func release(_ archivedThrough: [Partition: Int64]) async {
    let file = file
    await thread.run { file.release(archivedThrough) }
  }

  /// The position the tenant's next record will get, and thus one behind the last committed.
  package func nextPosition(of tenant: Tenant) -> Int64 { file.nextPosition(of: tenant) }

  /// See ``CommitFeed``.
  package func observeCommits(
    _ wake: @escaping @Sendable ([Partition: Int64]) -> Void
  ) -> CommitObservation {
    file.observeCommits(wake)
  }

  /// See ``CommitFeed``.
  package func committed(
    to partition: Partition, from position: Int64, columns: [String], rowsMax: Int
  ) -> CommittedRows? {
    file.committed(to: partition, from: position, columns: columns, rowsMax: rowsMax)
  }

  /// nil while writes are possible; else what they are answered until the journal is opened again.
  package func writeFailure() -> StoreError? { file.writeFailure }

  /// See ``JournalFile/refusal()``; waits for the commit under way.
  package func refusal() async -> StoreError? {
    let file = file
    return await thread.run { file.refusal() }
  }

  /// Totals since the journal was opened.
  package func statistics() -> JournalStatistics { file.statistics() }

  /// See ``JournalFile/raisedPositions``.
  package var raisedPositions: RaisedPositions? { file.raisedPositions }

  /// See ``JournalFile/settle()``. Before the first append.
  package func settle() throws(StoreError) { try file.settle() }

  /// Refuses new appends with `stopping`, commits those that wait, syncs whatever the durability, and marks
  /// the journal's end.
  package func stop() async {
    queue.withLock { $0.isStopping = true }
    await thread.run { [self] in
      while case let batch = takeWaiting(), !batch.isEmpty {
        let results = file.commit(batch.map(\.request))
        for (waiting, result) in zip(batch, results) { waiting.continuation.resume(returning: result) }
      }
      // A failure has poisoned the journal, which was told by that; here is nothing left to refuse.
      try? file.finish()
    }
  }
}
