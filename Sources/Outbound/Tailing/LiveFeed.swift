import Matching
import Platform
import Records
import Synchronization

/// Offers every committed record once to those who follow its partition.
///
/// The journal's thread notes which partitions grew; a thread of the feed's own reads their rows from the head, evaluates
/// filters on columns and queues frames. Rows that left the head before it came to them are read from a snapshot.
package final class LiveFeed: Sendable {
  private struct Registry: Sendable {
    var tails: [Partition: LiveTail] = [:]
    var subscriberCount = 0
    var nextID: UInt64 = 0
    var isStopping = false
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
  private let catchUpThread = DiskThread(name: "catching-up")

  /// - Parameter clock: Paces rounds (``LiveLimits/roundMilliseconds``).
  package init(
    feed: any CommitFeed, source: any BatchSource, limits: LiveLimits = LiveLimits(),
    clock: any WallClock = SystemClock()
  ) {
    self.feed = feed
    self.source = source
    self.limits = limits
    self.clock = clock
    budget = LiveBudget(bytesMax: limits.bytesMax)
    pending = Mutex(LivePending(interval: Int64(limits.roundMilliseconds) * 1_000_000))
    let observation = feed.observeCommits { [weak self] in self?.note($0) }
    self.observation.withLock { $0 = observation }
  }

  /// Follows the rows of `partition` that match: none twice, none left out, those committed from now on. Takes
  /// microseconds but for compiling the filter; any thread.
  ///
  /// A row that is deleted between its commit and its delivery may still come.
  ///
  /// - Parameter wake: Called on the feed's thread when there is something to ``LiveSubscription/take(bytesMax:)``: must
  ///   return within microseconds and never block.
  /// - Throws: `.invalid`: the filter does not fit the dataset. `.memoryExhausted`: there are `subscribersMax`.
  ///   `.stopping`.
  package func subscribe(
    to partition: Partition, filter: Records.Predicate, shape: any LiveShape,
    wake: @escaping @Sendable () -> Void
  ) throws(StoreError) -> LiveSubscription {
    let schema = partition.dataset.schema
    precondition(shape.columns.allSatisfy { schema.field($0) != nil }, "a shape reads columns of the schema")
    let known = registry.withLock { $0.tails[partition]?.filter(equalTo: filter, shape: shape) }
    let compiled = if let known { known } else { try CompiledPredicate(filter, schema: schema) }
    let queue = LiveQueue(limits: limits, budget: budget, wake: wake)
    // Noted before the start is read: what is committed behind it then brings the thread to look.
    pending.withLock { $0.follow(partition) }
    do throws(StoreError) {
      let (start, id, group) = try registry.withLock { (registry) throws(StoreError) in
        if registry.isStopping { throw .stopping }
        if registry.subscriberCount >= limits.subscribersMax {
          throw .memoryExhausted("there are \(limits.subscribersMax) live subscribers")
        }
        let start = feed.positionEnd(of: partition.tenant)
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
  /// The matching rows from `position` up to `end`, usually ``LiveSubscription/positionStart``; what was deleted is
  /// missing.
  ///
  /// - Throws: `.invalid`: the filter does not fit the dataset.
  package func catchUp(
    _ partition: Partition, filter: Records.Predicate, shape: any LiveShape, from position: Int64,
    to end: Int64
  ) throws(StoreError) -> LiveCatchUp {
    // For its errors: scans compile it anew.
    _ = try CompiledPredicate(filter, schema: partition.dataset.schema)
    let source = source
    return LiveCatchUp(thread: catchUpThread, shape: shape) {
      PositionScan(
        source.snapshot(of: partition), dataset: partition.dataset, columns: shape.columns, filter: filter,
        positions: max(0, position)..<max(0, position, end))
    }
  }

  /// The matching rows from `position` up to `end` for one who has seen all before `position`; nil if rows behind it may
  /// have been deleted meanwhile or `position` lies beyond `end`: then the client must start anew (`reset`).
  ///
  /// Deleted is what lies below the first row that still exists: rows deleted by a filter among others that stay are just
  /// missing.
  ///
  /// - Throws: `.invalid`: the filter does not fit the dataset. `.disk`, `.corrupt`: rows cannot be read.
  package func resume(
    _ partition: Partition, filter: Records.Predicate, shape: any LiveShape, from position: Int64,
    to end: Int64
  ) async throws(StoreError) -> LiveCatchUp? {
    _ = try CompiledPredicate(filter, schema: partition.dataset.schema)
    if position < 0 || position > end { return nil }
    let source = source
    // The first row there ever was from there on, if none of them was archived: deleted ones are in the head too.
    let raw = feed.committed(to: partition, from: position, columns: ["position"], rowsMax: 1)
    let firstCommitted = raw.map { rows in
      rows.batches.first?.columns[0].withInt64 { $0[0] } ?? end
    }
    // One snapshot for both: what it does not lack cannot be lacking when it is read.
    let snapshot = try await catchUpThread.run { () throws(StoreError) -> (any PartitionSnapshot)? in
      let snapshot = source.snapshot(of: partition)
      if position == end { return snapshot }
      let first = try PositionScan.firstPosition(in: snapshot) ?? end
      if first == firstCommitted { return snapshot }
      return position < first ? nil : snapshot
    }
    guard let snapshot else { return nil }
    return LiveCatchUp(thread: catchUpThread, shape: shape) {
      PositionScan(
        snapshot, dataset: partition.dataset, columns: shape.columns, filter: filter,
        positions: position..<end
      )
    }
  }
}

// The thread
extension LiveFeed {
  /// On the journal's thread.
  private func note(_ partitions: Set<Partition>) {
    let mustStart = pending.withLock { $0.note(partitions) }
    if mustStart { thread.submit { [self] in work() } }
  }

  /// One round: a range of each partition that grew.
  private func work() {
    DiskThread.pause(nanoseconds: pending.withLock { $0.rest(now: clock.now()) })
    var unfinished: Set<Partition> = []
    for partition in pending.withLock({ $0.take(now: clock.now()) }) where offerNext(of: partition) {
      unfinished.insert(partition)
    }
    totals.withLock { $0.rounds += 1 }
    let goesOn = pending.withLock { $0.finish(unfinished) }
    if goesOn { thread.submit { [self] in work() } }
  }

  /// Offers the partition's next range; whether more waits.
  private func offerNext(of partition: Partition) -> Bool {
    let next = registry.withLock { registry -> (range: LiveRange, end: Int64)? in
      if registry.isStopping { return nil }
      let end = feed.positionEnd(of: partition.tenant)
      guard let range = registry.tails[partition]?.nextRange(below: end) else { return nil }
      return (range, end)
    }
    guard let (range, end) = next else { return false }
    var round = LiveRound(
      plan: range.plan, positionStart: range.positions.lowerBound, limits: limits, budget: budget)
    let reached: Int64
    do throws(StoreError) {
      reached = try offer(range, of: partition, in: &round)
    } catch {
      fail(partition, error)
      return false
    }
    registry.withLock { $0.tails[partition]?.advance(to: reached) }
    totals.withLock { $0.add(round.statistics) }
    return reached < end
  }

  /// Where it came to, within the range.
  private func offer(
    _ range: LiveRange, of partition: Partition, in round: inout LiveRound
  ) throws(StoreError) -> Int64 {
    let rows = feed.committed(
      to: partition, from: range.positions.lowerBound, columns: range.plan.columns,
      rowsMax: limits.roundRowsMax)
    let reached: Int64
    var chunks: RowChunks
    if let rows {
      reached = min(rows.positionEnd, range.positions.upperBound)
      chunks = RowChunks(rows.batches.compactMap { $0.rows(below: reached) })
    } else {
      var scan = PositionScan(
        source.snapshot(of: partition), dataset: partition.dataset, columns: range.plan.columns, filter: .all,
        positions: range.positions)
      let batch = try scan.next()
      reached = scan.position
      chunks = RowChunks(batch.map { [$0] } ?? [])
      totals.withLock { $0.scans += 1 }
    }
    while let batch = chunks.next() { round.offer(batch) }
    return reached
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
