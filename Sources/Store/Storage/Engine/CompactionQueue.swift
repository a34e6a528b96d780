import Records

/// Partitions whose blocks may be worth writing anew: those that an edit touched since they were last looked
/// at, and all of them now and then, since blocks also become due by age. Not shared between threads.
struct CompactionQueue {
  /// Spans of merging are an hour at least.
  private static let recheckNanoseconds: Int64 = 600_000_000_000

  private var waiting: Set<Partition> = []
  private var checkedAt: Int64?

  mutating func add(_ partitions: some Sequence<Partition>) { waiting.formUnion(partitions) }

  /// Takes all that wait, in the order in which they are looked at; `all` now and then.
  mutating func take(now: Int64, all: () -> [Partition]) -> [Partition] {
    let isRecent = checkedAt.map { now >= $0 && now - $0 < CompactionQueue.recheckNanoseconds } ?? false
    if !isRecent {
      checkedAt = now
      waiting.formUnion(all())
    }
    defer { waiting = [] }
    return waiting.sorted { $0.precedes($1) }
  }
}
