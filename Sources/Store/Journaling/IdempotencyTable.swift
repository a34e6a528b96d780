import Records

/// The keys of the last minutes. None is forgotten before its time: at a bound new ones are refused.
///
/// Times are seconds of the journal's running time (see ``RunningTime``), so no clock that jumps can end
/// them.
struct IdempotencyTable: Sendable {
  private struct Known: Sendable {
    var entry: KeyEntry
    /// The segment its durable copy lies in.
    var segment: UInt32
  }

  /// What there is of one tenant.
  private struct Holder: Sendable {
    var held = KeyCharge()
    var madeAt = AgeQueue<Int64>()
  }

  private let lifetimeSeconds: Int64
  private let tenantMax: KeyCharge
  private let bytesMax: Int
  private var known: [ScopedKey: Known] = [:]
  /// Keys by age. One that was carried over is here more than once; all but the first are skipped.
  private var ages = AgeQueue<(key: ScopedKey, madeAt: Int64)>()
  private var holders: [Tenant: Holder] = [:]
  private var bytes = 0
  private let memory: MemoryBudget?

  /// - Parameter memory: Is charged with what the keys take.
  init(options: JournalOptions, memory: MemoryBudget? = nil) {
    self.memory = memory
    lifetimeSeconds = Int64(options.idempotencySeconds)
    tenantMax = KeyCharge(
      count: options.idempotencyTenantEntriesMax, bytes: options.idempotencyTenantBytesMax)
    bytesMax = options.idempotencyBytesMax
  }

  var count: Int { known.count }

  /// The entry of `key`, unless its time is over.
  func entry(_ key: ScopedKey, now: Int64) -> KeyEntry? {
    guard let found = known[key], isLive(found.entry, now: now) else { return nil }
    return found.entry
  }

  /// Seconds until there may be room for a key of `tenant` beside what `drafts` is about to add; nil: there
  /// is room now.
  ///
  /// The last quarter of all bytes is for those who have little, so that some who have much do not shut out
  /// all others.
  func secondsToWait(for tenant: Tenant, beside drafts: KeyDrafts, now: Int64) -> Int? {
    let holder = holders[tenant]
    var own = drafts.charges[tenant] ?? KeyCharge()
    own.add(holder?.held ?? KeyCharge())
    let all = bytes + drafts.bytes
    let isOver = own.count >= tenantMax.count || own.bytes >= tenantMax.bytes
    let isModest = own.bytes < tenantMax.bytes / 64
    guard isOver || all >= bytesMax || (all >= bytesMax / 4 * 3 && !isModest) else { return nil }
    let oldest = isOver ? holder?.madeAt.first : ages.first?.madeAt
    return Int(clamping: max(1, (oldest ?? now) + lifetimeSeconds - now))
  }

  /// Keeps a key, bounds or not: it is durable already.
  mutating func insert(_ key: ScopedKey, _ entry: KeyEntry, segment: UInt32, now: Int64) {
    guard isLive(entry, now: now) else { return }
    var holder = holders[key.tenant] ?? Holder()
    if let old = known.updateValue(Known(entry: entry, segment: segment), forKey: key) {
      holder.held.remove(old.entry.memoryBytes(key))
      add(bytes: -old.entry.memoryBytes(key))
    }
    holder.held.add(entry.memoryBytes(key))
    add(bytes: entry.memoryBytes(key))
    holder.madeAt.append(entry.madeAt)
    ages.append((key, entry.madeAt))
    holders[key.tenant] = holder
  }

  private mutating func add(bytes change: Int) {
    bytes += change
    memory?.charge(change)
  }

  /// Forgets what is older than the lifetime.
  mutating func expire(now: Int64) {
    while let oldest = ages.first, oldest.madeAt + lifetimeSeconds <= now {
      ages.removeFirst()
      forget(oldest.key, madeAt: oldest.madeAt)
    }
  }

  private mutating func forget(_ key: ScopedKey, madeAt: Int64) {
    var holder = holders[key.tenant] ?? Holder()
    holder.madeAt.removeFirst()
    if let found = known[key], found.entry.madeAt == madeAt {
      holder.held.remove(found.entry.memoryBytes(key))
      add(bytes: -found.entry.memoryBytes(key))
      known[key] = nil
    }
    holders[key.tenant] = holder.madeAt.first == nil ? nil : holder
  }

  /// The live entries whose durable copy lies in a segment before `segment`, oldest first.
  func entries(before segment: UInt32, now: Int64) -> [(key: ScopedKey, entry: KeyEntry)] {
    known.filter { $0.value.segment < segment && isLive($0.value.entry, now: now) }
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

/// How much of the table something takes.
struct KeyCharge: Sendable, Hashable {
  var count = 0
  var bytes = 0

  mutating func add(_ other: KeyCharge) {
    count += other.count
    bytes += other.bytes
  }

  mutating func add(_ keyBytes: Int) {
    count += 1
    bytes += keyBytes
  }

  mutating func remove(_ keyBytes: Int) {
    count -= 1
    bytes -= keyBytes
  }
}

/// The keys that a commit is about to add.
struct KeyDrafts: Sendable {
  private(set) var charges: [Tenant: KeyCharge] = [:]
  private(set) var bytes = 0

  mutating func add(_ key: ScopedKey, answer: [UInt8]) {
    let keyBytes = KeyEntry.memoryBytes(key, answer: answer)
    charges[key.tenant, default: KeyCharge()].add(keyBytes)
    bytes += keyBytes
  }
}

/// First in, first out; each call O(1) on average.
struct AgeQueue<Element: Sendable>: Sendable {
  private var elements: [Element] = []
  private var start = 0

  var first: Element? { start < elements.count ? elements[start] : nil }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func removeFirst() {
    start += 1
    guard start >= 4096 || start == elements.count else { return }
    elements.removeFirst(start)
    start = 0
  }
}
