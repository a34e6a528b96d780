import Records

/// What came of one push.
struct PushReport: Sendable {
  /// How many of the rows asked for were in it.
  var rowCount: Int
  /// Bytes before and after compression.
  var plainByteCount: Int
  var byteCount: Int
  var seconds: Double
  var outcome: PushOutcome
}

/// What an engine is told.
enum ForwardingEvent: Sendable {
  /// The tenant has records below `positionEnd`; unknown tenants are made known.
  case grown(Tenant, positionEnd: Int64)
  case windowRead(Tenant, EntryWindow)
  /// Records could not be read or not be encoded.
  case readFailed(Tenant)
  case pushed(Tenant, PushReport)
  /// The last save is durable. nil: there was nothing to save.
  case saved(DeadLetterCounts?)
  case saveFailed
  /// How many letters there are once an operator dropped or replayed some.
  case lettersCounted(DeadLetterCounts)
  /// Time went on; several times a second.
  case tick
  /// Forward what is there; waits are cut short. Answered by `flushed` at the deadline at the latest.
  case flush(Int, deadline: Int64)
  /// Begin nothing more; answered by `finish` at the deadline at the latest.
  case stop(deadline: Int64)
}

/// What an engine wants done. Each read, push and save is answered by one event.
enum ForwardingAction: Sendable {
  case read(Tenant, from: Int64, bounds: WindowBounds)
  /// Send the rows, or as many of the first of them as `bytesMax` bytes hold.
  case push(Tenant, EntryWindow, rows: Range<Int>, bytesMax: Int)
  /// Save cursors and letters in one step, and for the tenants of `standing` whose quota's account changed
  /// that too.
  case save(cursors: [Tenant: Int64], letters: [DeadLetter], standing: [Tenant: Int64])
  /// The cursor moved. `oldestAt`: when the record there was accepted, if known.
  case advanced(Tenant, to: Int64, oldestAt: Int64?)
  case flushed(Int, FlushReport)
  /// Nothing is under way and everything is saved, or the deadline has come.
  case finish
}

/// What a flush did.
package struct FlushReport: Sendable, Hashable {
  /// Entries forwarded meanwhile, of tenants with at least one.
  package var entriesByTenant: [Tenant: Int]
  /// Whether everything that was there when it began was forwarded or is among the dead letters.
  package var isComplete: Bool

  /// What a flush came to.
  package init(entriesByTenant: [Tenant: Int], isComplete: Bool) {
    self.entriesByTenant = entriesByTenant
    self.isComplete = isComplete
  }

  /// Of all tenants.
  package var entryCount: Int { entriesByTenant.values.reduce(0, +) }
}
