import Records

/// The last piece of each import, for a month.
///
/// At a bound those go that nobody went on with for a day; when there is none, new imports are refused. Times
/// are as in ``IdempotencyTable``.
struct ImportTable: Sendable {
  private struct Known: Sendable {
    var entry: KeyEntry
    /// The segment its durable copy lies in.
    var segment: UInt32
  }

  private let lifetimeSeconds: Int64
  private let lifetimeSecondsMin: Int64
  private let tenantEntriesMax: Int
  private let bytesMax: Int
  private let memory: MemoryBudget?
  private var known: [ScopedKey: Known] = [:]
  private var held: [Tenant: KeyCharge] = [:]
  private var bytes = 0
  /// The second before which looking for what may go is in vain.
  private var roomAt: Int64 = 0

  /// - Parameter memory: Is charged with what the imports take.
  init(options: JournalOptions, memory: MemoryBudget? = nil) {
    self.memory = memory
    lifetimeSeconds = Int64(options.importSeconds)
    lifetimeSecondsMin = Int64(options.importSecondsMin)
    tenantEntriesMax = options.importTenantEntriesMax
    bytesMax = options.importBytesMax
  }

  /// The entry of the import `key`, unless its time is over.
  func entry(_ key: ScopedKey, now: Int64) -> KeyEntry? {
    guard let found = known[key], isLive(found.entry, now: now) else { return nil }
    return found.entry
  }

  /// Seconds until there may be room for an import of `tenant` beside those that `drafts` is about to add;
  /// nil: there is room now. Makes room if it can: O(imports), but at most once before the next may go.
  mutating func secondsToWait(for tenant: Tenant, beside drafts: KeyDrafts, now: Int64) -> Int? {
    guard isFull(for: tenant, beside: drafts) else { return nil }
    if now >= roomAt {
      forget(now: now, lifetimeSeconds: lifetimeSecondsMin)
      guard isFull(for: tenant, beside: drafts) else { return nil }
      roomAt = (known.values.map(\.entry.madeAt).min() ?? now) + lifetimeSecondsMin
    }
    return Int(clamping: max(1, roomAt - now))
  }

  private func isFull(for tenant: Tenant, beside drafts: KeyDrafts) -> Bool {
    let own = (held[tenant]?.count ?? 0) + (drafts.charges[tenant]?.count ?? 0)
    return own >= tenantEntriesMax || bytes + drafts.bytes >= bytesMax
  }

  /// Keeps a piece in place of the one before, bounds or not: it is durable already.
  mutating func insert(_ key: ScopedKey, _ entry: KeyEntry, segment: UInt32) {
    remove(key)
    known[key] = Known(entry: entry, segment: segment)
    held[key.tenant, default: KeyCharge()].add(entry.memoryBytes(key))
    add(bytes: entry.memoryBytes(key))
  }

  private mutating func remove(_ key: ScopedKey) {
    guard let found = known.removeValue(forKey: key) else { return }
    held[key.tenant]?.remove(found.entry.memoryBytes(key))
    add(bytes: -found.entry.memoryBytes(key))
    if held[key.tenant]?.count == 0 { held[key.tenant] = nil }
  }

  private mutating func add(bytes change: Int) {
    bytes += change
    memory?.charge(change)
  }

  private mutating func forget(now: Int64, lifetimeSeconds: Int64) {
    let old = known.filter { $0.value.entry.madeAt + lifetimeSeconds <= now }
    for key in old.keys { remove(key) }
  }

  /// Forgets what is over, and returns the entries whose durable copy lies in a segment before `segment`,
  /// oldest first. O(imports).
  mutating func entries(before segment: UInt32, now: Int64) -> [(key: ScopedKey, entry: KeyEntry)] {
    forget(now: now, lifetimeSeconds: lifetimeSeconds)
    return known.filter { $0.value.segment < segment }
      .map { ($0.key, $0.value.entry) }
      .sorted { ($0.entry.madeAt, $0.key.key) < ($1.entry.madeAt, $1.key.key) }
  }

  /// Notes that the entry was carried over to `segment`.
  mutating func move(_ key: ScopedKey, to segment: UInt32) {
    known[key]?.segment = segment
  }

  private func isLive(_ entry: KeyEntry, now: Int64) -> Bool {
    entry.madeAt + lifetimeSeconds > now
  }
}
