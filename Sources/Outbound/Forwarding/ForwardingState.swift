import Records

/// How far a tenant was forwarded, and what its quota needs to know after a restart.
package struct SavedCursor: Sendable, Hashable {
  /// Whose it is.
  package let tenant: Tenant
  /// Every record below it was accepted, was put among the dead letters, or was deleted before its turn.
  package var position: Int64
  /// What waits.
  package var backlog: SavedBacklog

  /// A cursor as it is saved.
  package init(tenant: Tenant, position: Int64, backlog: SavedBacklog = SavedBacklog()) {
    self.tenant = tenant
    self.position = position
    self.backlog = backlog
  }
}

/// A tenant's backlog at the time it was saved.
package struct SavedBacklog: Sendable, Hashable {
  /// Payload bytes accepted and not forwarded.
  package var bytes: Int
  /// Records from this position on are not in `bytes`.
  package var countedEnd: Int64
  /// Mean payload bytes of a record, for those after `countedEnd`; 0: not known.
  package var recordBytesMean: Int
  /// When the oldest record not forwarded was accepted, ns since 1970; nil: there was none.
  package var oldestAt: Int64?

  /// Without arguments: nothing waits.
  package init(bytes: Int = 0, countedEnd: Int64 = 0, recordBytesMean: Int = 0, oldestAt: Int64? = nil) {
    self.bytes = bytes
    self.countedEnd = countedEnd
    self.recordBytesMean = recordBytesMean
    self.oldestAt = oldestAt
  }
}

/// Why Loki refused an entry; told from its answer without taking anything over from it.
package enum RefusalReason: String, Sendable, Hashable, CaseIterable {
  case tooOld = "timestamp too old"
  case tooFarBehind = "entry too far behind or out of order"
  case tooNew = "timestamp too far in the future"
  case tooLarge = "entry too large"
  case labels = "labels not accepted"
  case structuredMetadata = "structured metadata not accepted"
  case other = "refused"
}

/// An entry Loki refused for good, masked as its record is.
package struct DeadLetter: Sendable, Hashable {
  /// Given by the state when it is stored, increasing; 0 before.
  package var number: Int64
  /// Whose it is.
  package let tenant: Tenant
  /// The record's.
  package let position: Int64
  /// The record's id, 16 bytes.
  package let id: [UInt8]
  /// Nanoseconds since 1970: of the record, of its arrival, of the refusal.
  package let timestamp: Int64
  /// As ``timestamp``.
  package let ingestedAt: Int64
  /// As ``timestamp``.
  package var refusedAt: Int64
  /// What Loki found.
  package var reason: RefusalReason
  /// Of Loki's answer.
  package var status: Int
  /// How often it was sent by itself.
  package var attempts: Int
  /// JSON text: a stream of Loki's push with this one value, `{"stream":{…},"values":[["ns","line"]]}`.
  package let entry: [UInt8]

  /// A letter that is not stored yet, unless it has a number.
  package init(
    number: Int64 = 0, tenant: Tenant, position: Int64, id: [UInt8], timestamp: Int64, ingestedAt: Int64,
    refusedAt: Int64, reason: RefusalReason, status: Int, attempts: Int, entry: [UInt8]
  ) {
    self.number = number
    self.tenant = tenant
    self.position = position
    self.id = id
    self.timestamp = timestamp
    self.ingestedAt = ingestedAt
    self.refusedAt = refusedAt
    self.reason = reason
    self.status = status
    self.attempts = attempts
    self.entry = entry
  }
}

/// Why the durable state failed. Nothing changed, or all of the change is there: writing it again is safe.
package enum ForwardingStateError: Error, Sendable, Hashable {
  /// The database refused; the text says what was done, without values. A retry may help.
  case unavailable(String)
}

/// What a forwarder left when it ran last.
package struct SavedForwarder: Sendable, Hashable {
  /// Whether this name was never opened before.
  package var isNew: Bool
  /// One a tenant, in no order.
  package var cursors: [SavedCursor]
  /// How many each tenant has.
  package var deadLetters: [Tenant: Int]

  /// As the state has it.
  package init(isNew: Bool, cursors: [SavedCursor], deadLetters: [Tenant: Int]) {
    self.isNew = isNew
    self.cursors = cursors
    self.deadLetters = deadLetters
  }
}

/// One durable step: cursors and dead letters together or not at all.
package struct ForwardingChange: Sendable, Hashable {
  /// Replace the tenants' earlier cursors.
  package var cursors: [SavedCursor] = []
  /// To be stored. One of the same tenant and position that is there is replaced and keeps its number.
  package var letters: [DeadLetter] = []
  /// The most letters a tenant may have: beyond it the ones with the lowest numbers go.
  package var lettersPerTenantMax: Int

  /// A step that changes what it is given and nothing else.
  package init(cursors: [SavedCursor] = [], letters: [DeadLetter] = [], lettersPerTenantMax: Int) {
    self.cursors = cursors
    self.letters = letters
    self.lettersPerTenantMax = lettersPerTenantMax
  }
}

/// How many dead letters there are.
package struct DeadLetterCounts: Sendable, Hashable {
  /// Tenants with at least one.
  package var byTenant: [Tenant: Int]
  /// How many the change dropped because a tenant had too many.
  package var droppedCount: Int

  /// As the state has them.
  package init(byTenant: [Tenant: Int], droppedCount: Int = 0) {
    self.byTenant = byTenant
    self.droppedCount = droppedCount
  }
}

/// Where cursors and dead letters are durable. Calls may come at once from several tasks.
package protocol ForwardingState: Sendable {
  /// What was saved for `forwarder`; makes its name known.
  func open(_ forwarder: String) async throws(ForwardingStateError) -> SavedForwarder

  /// Carries `change` out in one durable transaction.
  func save(_ change: ForwardingChange, of forwarder: String) async throws(ForwardingStateError)
    -> DeadLetterCounts

  /// Letters by number, ascending.
  /// - Parameters:
  ///   - tenant: nil: of all tenants.
  ///   - after: Only greater numbers; 0: from the first.
  ///   - limit: At most so many, 1 to 10,000.
  func deadLetters(of forwarder: String, tenant: Tenant?, after: Int64, limit: Int)
    async throws(ForwardingStateError) -> [DeadLetter]

  /// The letters of these numbers, ascending; numbers that do not exist are left out.
  func deadLetters(of forwarder: String, numbers: [Int64]) async throws(ForwardingStateError)
    -> [DeadLetter]

  /// Removes letters; numbers that do not exist are passed over.
  func drop(_ numbers: [Int64], of forwarder: String) async throws(ForwardingStateError)
    -> DeadLetterCounts
}
