import Records
import Synchronization

/// How the groups of a query are bounded.
struct GroupLimits: Sendable {
  /// What the groups of one query may hold together, on all workers.
  var bytesMax: Int
  /// How many groups a worker gathers before it drops those that cannot be in the answer.
  var pruneMin = 1 << 16
  /// How many pieces of a query are worked on at once.
  var workerCount = 1

  /// From where on a worker drops groups however few they are.
  var pruneBytes: Int { bytesMax / (4 * max(1, workerCount)) }
}

/// Memory that the groups of a query hold in one pass over its rows: a part of the query's share, given back
/// with it.
///
/// Once it does not suffice it never does again: all workers of the pass end at their next batch.
final class GroupMemory: Sendable {
  let limits: GroupLimits
  private let share: MemoryShare
  private let held = Atomic<Int>(0)
  private let isExhausted = Atomic<Bool>(false)

  init(_ share: MemoryShare, limits: GroupLimits) {
    self.share = share
    self.limits = limits
  }

  deinit { giveBackAll() }

  /// - Throws: `.memoryExhausted`: the groups would hold more than they may, or the share does.
  func take(_ bytes: Int) throws(StoreError) {
    let after = held.add(bytes, ordering: .relaxed).newValue
    guard after <= limits.bytesMax else {
      held.subtract(bytes, ordering: .relaxed)
      throw GroupMemory.exhausted(limits)
    }
    do throws(StoreError) { try share.take(bytes) } catch {
      held.subtract(bytes, ordering: .relaxed)
      throw error
    }
  }

  func give(back bytes: Int) {
    share.give(back: bytes)
    held.subtract(bytes, ordering: .relaxed)
  }

  /// The pass is over, and nothing of it is used any more. Threads may hold it a moment longer.
  func giveBackAll() { share.give(back: held.exchange(0, ordering: .relaxed)) }

  /// What a unit holds while it is read counts towards the share, not towards the groups.
  func withRoom(_ bytes: Int, _ body: () throws(StoreError) -> Void) throws(StoreError) {
    try share.take(bytes)
    defer { share.give(back: bytes) }
    try body()
  }

  /// - Throws: `.memoryExhausted` after ``end()`` of any worker; `.cancelled`, `.deadlineExceeded`.
  func check() throws(StoreError) {
    try share.check()
    if isExhausted.load(ordering: .relaxed) { throw GroupMemory.exhausted(limits) }
  }

  /// Ends the pass on all workers.
  func end() { isExhausted.store(true, ordering: .relaxed) }

  static func exhausted(_ limits: GroupLimits) -> StoreError {
    .memoryExhausted(
      "its groups need more than \(limits.bytesMax) bytes; ask for fewer: by a narrower filter, by a limit, "
        + "by order_by with the greatest first")
  }
}
