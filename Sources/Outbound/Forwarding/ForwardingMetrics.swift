import Records

/// What a forwarder did since it was started, and how it stands.
package struct ForwardingMetrics: Sendable {
  /// Upper bounds of the buckets of durations, in seconds; one more holds the rest.
  package static let durationBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

  /// Answers by status; 0: no answer.
  package var requestsByStatus: [Int: Int] = [:]
  /// Requests in each bucket of ``durationBounds`` (not added up), and behind the last.
  package var durationCounts = [Int](repeating: 0, count: durationBounds.count + 1)
  /// Seconds of all pushes together.
  package var durationSecondsSum = 0.0
  /// Compressed bytes of all pushes.
  package var bytesSent = 0
  /// Dead letters that went because their tenant had too many.
  package var deadLettersDropped = 0
  /// Whether the last change could not be made durable: then entries may be sent twice after a restart.
  package var isStateFailing = false
  /// Why the store could not be asked what waits when it was asked last; nil: it could.
  package var storeFailure: StoreError?
  /// Each tenant's share.
  package var tenants: [Tenant: TenantForwarding] = [:]

  /// As a new forwarder has it.
  package init() {}

  mutating func record(status: Int, seconds: Double, bytes: Int) {
    requestsByStatus[status, default: 0] += 1
    let bucket = ForwardingMetrics.durationBounds.firstIndex { seconds <= $0 }
    durationCounts[bucket ?? ForwardingMetrics.durationBounds.count] += 1
    durationSecondsSum += seconds
    bytesSent += bytes
  }
}

/// Why a tenant does not move on.
package enum ForwardingFault: Sendable, Hashable {
  /// No answer.
  case noAnswer(PushFailure)
  /// A status that a later try may not meet: 408, 429, 5xx.
  case busy(status: Int)
  /// A status that says the forwarder is set up wrongly: 401, 403, 404 and their like.
  case configuration(status: Int)
  /// The tenant's records could not be read.
  case unreadable
}

/// One tenant's share of ``ForwardingMetrics``.
package struct TenantForwarding: Sendable {
  /// Entries Loki took.
  package var entriesForwarded = 0
  /// Retries by number, the first at 0; the last place counts those out of the parking place.
  package var retries: [Int] = []
  /// Positions passed without a record to send in realms with one dataset: deleted before they were
  /// forwarded.
  package var entriesDeletedBefore = 0
  /// Entries Loki refused for good and nobody dropped.
  package var deadLetterCount = 0
  /// Positions between the cursor and the durable end: an upper bound of the records that wait.
  package var backlogRows: Int64 = 0
  /// Payload bytes that wait.
  package var backlogBytes = 0
  /// When the oldest record that waits was accepted, ns since 1970; nil: none waits.
  package var oldestAt: Int64?
  /// Whether pushes are put off after many that failed.
  package var isParked = false
  /// nil once a push was accepted.
  package var fault: ForwardingFault?

  /// As a new forwarder has it.
  package init() {}
}
