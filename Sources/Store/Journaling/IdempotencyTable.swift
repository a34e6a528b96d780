import Records

/// The keys of the last minutes: bounded by time, count and bytes. At a bound the oldest is forgotten.
struct IdempotencyTable: Sendable {
  private struct Known: Sendable {
    var entry: KeyEntry
    /// The segment its durable copy lies in.
    var segment: UInt32
  }

  private let lifetimeNanoseconds: Int64
  private let entriesMax: Int
  private let bytesMax: Int
  private var known: [ScopedKey: Known] = [:]
  /// Keys by age. One that was replaced stays here until its turn and is then skipped.
  private var ages: [(key: ScopedKey, ingestedAt: Int64)] = []
  private var oldest = 0
  private var bytes = 0

  init(options: JournalOptions) {
    lifetimeNanoseconds = Int64(options.idempotencySeconds) * 1_000_000_000
    entriesMax = options.idempotencyEntriesMax
    bytesMax = options.idempotencyBytesMax
  }

  var count: Int { known.count }

  /// The entry of `key`, unless its time is over.
  func entry(_ key: ScopedKey, now: Int64) -> KeyEntry? {
    guard let found = known[key], isLive(found.entry, now: now) else { return nil }
    return found.entry
  }

  mutating func insert(_ key: ScopedKey, _ entry: KeyEntry, segment: UInt32, now: Int64) {
    guard isLive(entry, now: now) else { return }
    if let old = known.updateValue(Known(entry: entry, segment: segment), forKey: key) {
      bytes -= old.entry.memoryBytes(key)
    }
    bytes += entry.memoryBytes(key)
    ages.append((key, entry.ingestedAt))
    while known.count > entriesMax || bytes > bytesMax, oldest < ages.count { removeOldest() }
  }

  /// Forgets what is older than the lifetime.
  mutating func expire(now: Int64) {
    while oldest < ages.count, ages[oldest].ingestedAt &+ lifetimeNanoseconds <= now { removeOldest() }
  }

  /// The live entries whose durable copy lies in a segment before `segment`, oldest first.
  func entries(before segment: UInt32, now: Int64) -> [(key: ScopedKey, entry: KeyEntry)] {
    known.filter { $0.value.segment < segment && isLive($0.value.entry, now: now) }
      .map { ($0.key, $0.value.entry) }
      .sorted { ($0.entry.ingestedAt, $0.key.key) < ($1.entry.ingestedAt, $1.key.key) }
  }

  /// Notes that the entry was carried over to `segment`.
  mutating func move(_ key: ScopedKey, to segment: UInt32) {
    known[key]?.segment = segment
  }

  private func isLive(_ entry: KeyEntry, now: Int64) -> Bool {
    entry.ingestedAt &+ lifetimeNanoseconds > now
  }

  private mutating func removeOldest() {
    let (key, ingestedAt) = ages[oldest]
    oldest += 1
    if let found = known[key], found.entry.ingestedAt == ingestedAt {
      bytes -= found.entry.memoryBytes(key)
      known[key] = nil
    }
    if oldest >= 4096 {
      ages.removeFirst(oldest)
      oldest = 0
    }
  }
}
