import Synchronization

/// Bytes that may be held at one time for one purpose, counted by those who hold them
/// (Docs/decisions/0024-memory-budget.md).
///
/// A budget may have its share within a larger one: what is taken of it is taken of that too. Any number of
/// threads; a call costs an addition to a counter for each budget.
package final class MemoryBudget: Sendable {
  /// The setting that bounds it, for people.
  package let name: String
  /// All there is of it.
  package let bytesMax: Int
  private let whole: MemoryBudget?
  private let used = Atomic<Int>(0)
  private let refusals = Atomic<Int>(0)
  /// What is asked to give bytes back before somebody is refused. Looked at only then.
  private let lenders = Mutex<[@Sendable (Int) -> Void]>([])

  /// A budget of which nothing is taken.
  ///
  /// - Parameters:
  ///   - bytesMax: Its own bound.
  ///   - whole: What its bytes are bytes of; nil: it stands alone.
  package init(
    _ name: String = "query.memory_bytes_max", bytesMax: Int, within whole: MemoryBudget? = nil
  ) {
    self.name = name
    self.bytesMax = bytesMax
    self.whole = whole
  }

  /// What is held now.
  package var bytesUsed: Int { used.load(ordering: .relaxed) }
  /// How often there was not enough.
  package var refusalCount: Int { refusals.load(ordering: .relaxed) }
  /// What is left, here and in the whole; 0 if more is held than may be.
  package var bytesLeft: Int {
    let own = max(0, bytesMax - bytesUsed)
    return whole.map { min(own, $0.bytesLeft) } ?? own
  }

  /// Whether the budget that this one is part of has so many bytes left; true if it stands alone.
  package func wholeHasLeft(_ bytes: Int) -> Bool { whole.map { $0.bytesLeft >= bytes } ?? true }

  /// Has `giveBack` called before somebody is refused because all of which this is a part is used up, with
  /// how many bytes are lacking: it gives back what it can do without. It is called on any thread, takes
  /// nothing of a budget there, and is kept as long as the whole.
  package func onShortage(_ giveBack: @escaping @Sendable (Int) -> Void) {
    if let whole { return whole.onShortage(giveBack) }
    lenders.withLock { $0.append(giveBack) }
  }

  /// Takes `bytes`; false, and nothing taken, when there are not so many left.
  package func tryTake(_ bytes: Int) -> Bool { lacking(bytes) == nil }

  /// - Throws: `.memoryExhausted`: there are not so many left, and nothing is taken.
  package func take(_ bytes: Int) throws(StoreError) {
    guard let short = lacking(bytes) else { return }
    throw .memoryExhausted("\(short.name) (\(short.bytesMax) bytes) is used up")
  }

  /// Takes `bytes`, or says which budget has not so many left.
  private func lacking(_ bytes: Int) -> MemoryBudget? {
    let after = used.add(bytes, ordering: .relaxed).newValue
    var short = after > bytesMax && !isRelieved(ofBytes: after - bytesMax) ? self : nil
    if short == nil, let whole { short = whole.lacking(bytes) }
    guard let short else { return nil }
    used.subtract(bytes, ordering: .relaxed)
    refusals.add(1, ordering: .relaxed)
    if short === self { whole?.noteRefusal(by: name) }
    return short
  }

  /// A part that has the name of its whole, such as a tenant's, is not looked at by itself.
  private func noteRefusal(by part: String) {
    guard part.hasBytes(of: name) else { return }
    refusals.add(1, ordering: .relaxed)
    whole?.noteRefusal(by: name)
  }

  /// Whether what is held fits again after those who lend have given back.
  private func isRelieved(ofBytes bytes: Int) -> Bool {
    let lenders = lenders.withLock { $0 }
    for giveBack in lenders where bytesUsed > bytesMax { giveBack(bytes) }
    return !lenders.isEmpty && bytesUsed <= bytesMax
  }

  /// Takes `bytes` whatever the bound: they are held already, and others shall know.
  package func charge(_ bytes: Int) {
    used.add(bytes, ordering: .relaxed)
    whole?.charge(bytes)
  }

  /// Gives back what was taken or charged.
  package func give(back bytes: Int) {
    used.subtract(bytes, ordering: .relaxed)
    whole?.give(back: bytes)
  }
}

/// Bytes of a budget that something holds; given back when it goes. Any number of threads.
package final class MemoryReservation: Sendable {
  private let budget: MemoryBudget
  private let held = Atomic<Int>(0)

  /// Nothing yet.
  package init(of budget: MemoryBudget) { self.budget = budget }

  deinit { budget.give(back: held.load(ordering: .relaxed)) }

  /// Bytes held.
  package var byteCount: Int { held.load(ordering: .relaxed) }

  /// - Throws: See ``MemoryBudget/take(_:)``.
  package func take(_ bytes: Int) throws(StoreError) {
    try budget.take(bytes)
    held.add(bytes, ordering: .relaxed)
  }

  /// See ``MemoryBudget/charge(_:)``.
  package func charge(_ bytes: Int) {
    budget.charge(bytes)
    held.add(bytes, ordering: .relaxed)
  }

  /// Gives back some of it.
  package func give(back bytes: Int) {
    budget.give(back: bytes)
    held.subtract(bytes, ordering: .relaxed)
  }
}
