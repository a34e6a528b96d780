import Matching
import Platform
import Records
import Synchronization

/// Offers every committed record once to those who follow its partition.
///
/// The journal's thread notes which partitions grew; a thread of the feed's own reads their rows from the
/// head, evaluates filters on columns and queues frames. Rows that left the head before it came to them are
/// read from a snapshot.
package final class LiveFeed: Sendable {
  private struct Registry: Sendable {
    var tails: [Partition: LiveTail] = [:]
    var subscriberCount = 0
    var nextID: UInt64 = 0
    var isStopping = false

    /// Throws unless one more may follow.
    func checkRoom(_ limits: LiveLimits) throws(StoreError) {
      if isStopping { throw .stopping }
      if subscriberCount >= limits.subscribersMax {
        throw .memoryExhausted("there are \(limits.subscribersMax) live subscribers")
      }
    }
  }

  private let feed: any CommitFeed
  private let source: any BatchSource
  private let limits: LiveLimits
  private let clock: any WallClock
  private let budget: LiveBudget
  private let registry = Mutex(Registry())
  private let pending: Mutex<LivePending>
  private let totals = Mutex(LiveStatistics())
  private let observation = Mutex<CommitObservation?>(nil)
  private let thread = DiskThread(name: "tailing")
  private let pool: FairPool

  /// - Parameters:
  ///   - pool: Where rows from the past are read, among their tenant's queries; nil: a thread of its own.
  ///   - clock: Paces rounds (``LiveLimits/roundMilliseconds``).
  ///   - memory: Is charged with what waits; nil: ``LiveLimits/bytesMax`` bytes of its own.
  package init(
    feed: any CommitFeed, source: any BatchSource, pool: FairPool? = nil, limits: LiveLimits = LiveLimits(),
    clock: any WallClock = SystemClock(), memory: MemoryBudget? = nil
  ) {
    self.feed = feed
    self.source = source
    self.pool = pool ?? FairPool(workers: 1, name: "catching-up")
    self.limits = limits
    self.clock = clock
    budget = LiveBudget(
      memory ?? MemoryBudget("live.memory_bytes_max", bytesMax: limits.bytesMax))
    pending = Mutex(LivePending(interval: Int64(limits.roundMilliseconds) * 1_000_000))
    let observation = feed.observeCommits { [weak self] in self?.note($0) }
    self.observation.withLock { $0 = observation }
  }

  /// Follows the rows of `partition` that match: none twice, none left out, those committed from now on.
  /// Takes microseconds but for compiling the filter and for asking the store where the tenant's rows end.
  ///
  /// A row that is deleted between its commit and its delivery may still come.
  ///
  /// - Parameter wake: Called on the feed's thread when there is something to
  ///   ``LiveSubscription/take(bytesMax:)``: must return within microseconds and never block.
  /// - Throws: `.invalid`: the filter does not fit the dataset. `.memoryExhausted`: there are
  ///   `subscribersMax`.
  ///   `.stopping`. What keeps the store from knowing the end.
  package func subscribe(
    to partition: Partition, filter: Records.Predicate, shape: any LiveShape,
    wake: @escaping @Sendable () -> Void
  ) async throws(StoreError) -> LiveSubscription {
    let schema = partition.dataset.schema
    invariant(shape.columns.allSatisfy { schema.field($0) != nil }, "a shape reads columns of the schema")
    let known = try registry.withLock { (registry) throws(StoreError) in
      // Once more below, but who is turned away need not have a filter compiled.
      try registry.checkRoom(limits)
      return registry.tails[partition]?.filter(equalTo: filter, shape: shape)
    }
    let compiled = if let known { known } else { try CompiledPredicate(filter, schema: schema) }
    let queue = LiveQueue(limits: limits, budget: budget, wake: wake)
    // Noted before the end is read: of what is committed behind it the feed is told.
    pending.withLock { $0.follow(partition) }
    do throws(StoreError) {
      let end = try await feed.positionEnd(of: partition.tenant)
      let (start, id, group) = try registry.withLock { (registry) throws(StoreError) in
        try registry.checkRoom(limits)
        // What was told or offered meanwhile lies before the start: a round that has it may be over.
        let told = pending.withLock { $0.end(of: partition) } ?? 0
        let start = max(end, told, registry.tails[partition]?.position ?? 0)
        let id = registry.nextID
        registry.nextID += 1
        registry.subscriberCount += 1
        let group = registry.tails[partition, default: LiveTail(partition: partition, position: start)].add(
          LiveGroup.Member(positionStart: start, queue: queue), id: id, filter: compiled, shape: shape)
        return (start, id, group)
      }
      return LiveSubscription(positionStart: start, queue: queue) { [weak self] in
        self?.remove(id, from: group, of: partition)
      }
    } catch {
      pending.withLock { $0.unfollow(partition) }
      throw error
    }
  }

  private func remove(_ id: UInt64, from group: Int, of partition: Partition) {
    let isRemoved = registry.withLock { registry in
      guard registry.tails[partition]?.remove(id, from: group) == true else { return false }
      if registry.tails[partition]?.groups.isEmpty == true { registry.tails[partition] = nil }
      registry.subscriberCount -= 1
      return true
    }
    if isRemoved { pending.withLock { $0.unfollow(partition) } }
  }

  /// Ends delivery: nobody is woken any more once it has returned. What was queued can still be taken.
  package func stop() async {
    registry.withLock { $0.isStopping = true }
    observation.withLock { $0 = nil }
    pending.withLock { $0.stop() }
    await thread.run {}
  }

  /// Totals since the start, and how it stands. O(partitions that are followed).
  package func statistics() -> LiveStatistics {
    var statistics = totals.withLock { $0 }
    registry.withLock { registry in
      statistics.subscribers = registry.subscriberCount
      statistics.groups = registry.tails.values.reduce(0) { $0 + $1.groups.count }
    }
    statistics.bytesWaiting = budget.bytesUsed
    return statistics
  }
}

// Rows from the past
extension LiveFeed {
  /// The newest `count` of the matching rows below `end`, by their positions; fewer if there are no more.
  ///
  /// - Parameter memory: For the rows that are held while they are given out.
  /// - Throws: `.invalid`: the filter does not fit the dataset. `.memoryExhausted`: there is no room.
  package func newest(
    _ count: Int, of partition: Partition, filter: Records.Predicate, shape: any LiveShape, below end: Int64,
    memory: MemoryReservation
  ) throws(StoreError) -> LiveCatchUp {
    // For its errors: scans compile it anew.
    _ = try CompiledPredicate(filter, schema: partition.dataset.schema)
    let source = source
    let account = pool.account(of: partition.tenant)
    return try LiveCatchUp(account: account, memory: end <= 0 ? nil : memory, shape: shape) {
      token async throws(StoreError) in
      let snapshot = try await source.snapshot(of: partition)
      var scan = PositionScan(
        snapshot, dataset: partition.dataset, columns: shape.columns, filter: filter,
        positions: max(0, end)..<max(0, end), cancellation: token)
      scan.beginBefore(count: count)
      return scan
    }
  }

  /// What there still is for one who has seen all rows before a position.
  package struct Resumption: Sendable {
    /// The matching rows from there on.
    package let rows: LiveCatchUp
    /// Positions of which rows may have been deleted since: those below the first row that still exists. nil:
    /// none. Rows deleted by a filter among others that stay are just missing.
    package let deleted: Range<Int64>?
  }

  /// The matching rows from `position` up to `end` for one who has seen all before `position`; nil if
  /// `position` lies beyond `end`, and so is of another store: then the client must start anew (`reset`).
  ///
  /// - Parameter memory: For the rows that are held while they are given out.
  /// - Throws: `.invalid`: the filter does not fit the dataset. `.disk`, `.corrupt`: rows cannot be read.
  ///   `.memoryExhausted`: there is no room.
  package func resume(
    _ partition: Partition, filter: Records.Predicate, shape: any LiveShape, from position: Int64,
    to end: Int64, memory: MemoryReservation
  ) async throws(StoreError) -> Resumption? {
    _ = try CompiledPredicate(filter, schema: partition.dataset.schema)
    if position < 0 || position > end { return nil }
    // The first row there ever was from there on, if none of them was archived: deleted ones are in the head
    // too.
    let raw = feed.committed(to: partition, from: position, columns: ["position"], rowsMax: 1)
    let firstCommitted = raw.map { rows in
      rows.batches.first?.columns[0].withInt64 { $0[0] } ?? end
    }
    // One snapshot for both: what it does not lack cannot be lacking when it is read.
    let snapshot = try await source.snapshot(of: partition)
    let account = pool.account(of: partition.tenant)
    let deleted = try await account.run { () throws(StoreError) -> Range<Int64>? in
      if position == end { return nil }
      let first = min(end, try PositionScan.firstPosition(in: snapshot) ?? end)
      return first == firstCommitted || position >= first ? nil : position..<first
    }
    let rows = try LiveCatchUp(
      account: account, memory: position == end ? nil : memory, shape: shape
    ) { token in
      PositionScan(
        snapshot, dataset: partition.dataset, columns: shape.columns, filter: filter,
        positions: position..<end, cancellation: token)
    }
    return Resumption(rows: rows, deleted: deleted)
  }
}

// The thread
extension LiveFeed {
  /// On the journal's thread.
  private func note(_ partitions: [Partition: Int64]) {
    let mustStart = pending.withLock { $0.note(partitions) }
    if mustStart { thread.submit { [self] in work() } }
  }

  /// Partitions of a round that were not looked at yet, and those with more rows than their turn takes.
  private struct Round: Sendable {
    var waiting: [Partition: Int64]
    var unfinished: [Partition: Int64] = [:]
  }

  /// One round: a range of each partition that grew.
  private func work() {
    DiskThread.pause(nanoseconds: pending.withLock { $0.rest(now: clock.now()) })
    goOn(Round(waiting: pending.withLock { $0.take(now: clock.now()) }))
  }

  private func goOn(_ round: Round) {
    var round = round
    while let (partition, end) = round.waiting.popFirst() {
      let range = registry.withLock { registry in
        registry.isStopping ? nil : registry.tails[partition]?.nextRange(below: end)
      }
      guard let range else { continue }
      let rows = feed.committed(
        to: partition, from: range.positions.lowerBound, columns: range.plan.columns,
        rowsMax: limits.roundRowsMax)
      // The round goes on when the rows were read elsewhere.
      guard let rows else { return readSnapshot(range, of: partition, below: end, in: round) }
      let reached = min(rows.positionEnd, range.positions.upperBound)
      offer(rows.batches.compactMap { $0.rows(below: reached) }, of: range, to: partition, reached: reached)
      if reached < end { round.unfinished[partition] = end }
    }
    totals.withLock { $0.rounds += 1 }
    let goesOn = pending.withLock { $0.finish(round.unfinished) }
    if goesOn { thread.submit { [self] in work() } }
  }

  /// Offers rows of the range, up to `reached`, to those who follow the partition.
  private func offer(
    _ batches: [RecordBatch], of range: LiveRange, to partition: Partition, reached: Int64
  ) {
    var round = LiveRound(
      plan: range.plan, positionStart: range.positions.lowerBound, limits: limits, budget: budget)
    var chunks = RowChunks(batches)
    while let batch = chunks.next() { round.offer(batch) }
    registry.withLock { $0.tails[partition]?.advance(to: reached) }
    totals.withLock { $0.add(round.statistics) }
  }

  /// Rows that are no longer at hand are read from a snapshot, for which this thread does not wait.
  private func readSnapshot(
    _ range: LiveRange, of partition: Partition, below end: Int64, in round: Round
  ) {
    let (source, thread) = (source, thread)
    Task { [self] in
      let snapshot: Result<any PartitionSnapshot, StoreError>
      do throws(StoreError) { snapshot = .success(try await source.snapshot(of: partition)) } catch {
        snapshot = .failure(error)
      }
      thread.submit { [self] in
        var round = round
        if offer(range, of: partition, from: snapshot) < end { round.unfinished[partition] = end }
        goOn(round)
      }
    }
  }

  /// Offers a window of the range. Where it came to; `.max` if nobody follows any more.
  private func offer(
    _ range: LiveRange, of partition: Partition, from snapshot: Result<any PartitionSnapshot, StoreError>
  ) -> Int64 {
    if registry.withLock({ $0.isStopping }) { return .max }
    do throws(StoreError) {
      var scan = PositionScan(
        try snapshot.get(), dataset: partition.dataset, columns: range.plan.columns, filter: .all,
        positions: range.positions)
      let batch = try scan.next()
      totals.withLock { $0.scans += 1 }
      offer(batch.map { [$0] } ?? [], of: range, to: partition, reached: scan.position)
      return scan.position
    } catch {
      fail(partition, error)
      return .max
    }
  }

  /// Tells all who follow the partition that it cannot go on, and forgets them.
  private func fail(_ partition: Partition, _ error: StoreError) {
    let members = registry.withLock { registry -> [LiveGroup.Member] in
      guard let tail = registry.tails.removeValue(forKey: partition) else { return [] }
      let members = tail.groups.values.flatMap { $0.members.values }
      registry.subscriberCount -= members.count
      return members
    }
    for member in members {
      pending.withLock { $0.unfollow(partition) }
      member.queue.fail(error)
    }
  }
}

extension RecordBatch {
  /// The rows at positions below `end`, which come first; nil if there are none.
  fileprivate func rows(below end: Int64) -> RecordBatch? {
    let positions = positions
    guard let last = positions.last, last >= end else { return self }
    let count = positions.firstIndex { $0 >= end } ?? positions.count
    return count == 0 ? nil : rows(0..<count)
  }
}
