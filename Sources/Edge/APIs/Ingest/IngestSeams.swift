import Decoding
import EntryDecoding
import Masking
import Records
import Routing

/// Turns bodies into masked rows, by rules that may change while the server runs.
package protocol IngestDecoding: Sendable {
  /// - Parameters:
  ///   - tenant: The key's, for rules of its own.
  ///   - memory: For entries that are not plain.
  /// - Throws: All that is wrong with the body; nothing of it was kept.
  func decode(
    _ body: [UInt8], for tenant: Tenant, within memory: DecodingMemory
  ) throws(ValidationFailure) -> IngestBatch

  /// Masks one entry and keeps nothing. nil: `entry` is no JSON.
  ///
  /// - Parameter tenant: nil: the rules that hold for all keys.
  func tryMasking(_ entry: [UInt8], for tenant: Tenant?) -> MaskingReport?
}

/// Why a tenant may send nothing more until some of it is forwarded.
package struct QuotaRefusal: Sendable, Hashable {
  /// `bytes` or `age`.
  package let kind: String
  /// At least 1.
  package let retryAfterSeconds: Int

  package init(kind: String, retryAfterSeconds: Int) {
    self.kind = kind
    self.retryAfterSeconds = max(1, retryAfterSeconds)
  }
}

/// What a flush did.
package struct IngestFlush: Sendable, Hashable {
  /// What was forwarded of one tenant.
  package struct Part: Sendable, Hashable {
    package var tenant: Tenant
    package var entryCount: Int
    package var bytes: Int

    package init(tenant: Tenant, entryCount: Int, bytes: Int) {
      self.tenant = tenant
      self.entryCount = entryCount
      self.bytes = bytes
    }
  }

  /// One for each tenant that had something, in the order of their names.
  package var parts: [Part]
  /// Why not all is forwarded; nil: it is.
  package var failure: String?

  package init(parts: [Part] = [], failure: String? = nil) {
    self.parts = parts
    self.failure = failure
  }
}

/// An entry that its destination refused for good.
package struct DeadLetterEntry: Sendable, Hashable {
  package let id: Int64
  package let tenant: Tenant
  /// When it was set aside, nanoseconds since 1970.
  package let refusedAt: Int64
  /// In the destination's words, shortened.
  package let reason: String
  /// The entry's time, nanoseconds since 1970.
  package let timestamp: Int64
  /// The entry as it was sent: masked.
  package let line: String

  package init(
    id: Int64, tenant: Tenant, refusedAt: Int64, reason: String, timestamp: Int64, line: String
  ) {
    self.id = id
    self.tenant = tenant
    self.refusedAt = refusedAt
    self.reason = reason
    self.timestamp = timestamp
    self.line = line
  }
}

/// Which dead letters are meant.
package enum DeadLetterChoice: Sendable, Hashable {
  case ids([Int64])
  /// All of a tenant.
  case tenant(Tenant)
  case all
}

/// What forwards entries, as the ingest API sees it.
package protocol EntryForwarding: Sendable {
  /// Whether there is somewhere to forward to.
  var isConfigured: Bool { get }
  /// Whether it does its work.
  var isRunning: Bool { get }
  /// Whether the tenant may add `bytes`; nil: it may. Cheap: asked for each request.
  func refusal(of tenant: Tenant, adding bytes: Int) -> QuotaRefusal?
  /// Counts what became durable.
  func accepted(_ tenant: Tenant, positions: Range<Int64>, bytes: Int)
  /// Forwards what was acknowledged when called, or says what is left after `timeoutSeconds`.
  func flush(timeoutSeconds: Int) async -> IngestFlush
  /// Oldest first, those behind `after`, at most `limit`.
  func deadLetters(
    of tenant: Tenant?, after: Int64, limit: Int
  ) async throws(ForwardingFailure) -> [DeadLetterEntry]
  /// Tries them once more; how many were forwarded.
  func replay(_ choice: DeadLetterChoice) async throws(ForwardingFailure) -> Int
  /// Removes them for good; how many.
  func drop(_ choice: DeadLetterChoice) async throws(ForwardingFailure) -> Int
}

/// Why something about dead letters could not be done. Nothing changed.
package enum ForwardingFailure: Error, Sendable, Hashable {
  /// What they are kept in failed: for the log.
  case storage(String)
  /// The destination does not take them now; a later try may help.
  case destination(String)
}

/// Without a destination: nothing waits, nothing is forwarded.
package struct NoForwarding: EntryForwarding {
  package init() {}
  package var isConfigured: Bool { false }
  package var isRunning: Bool { true }
  package func refusal(of tenant: Tenant, adding bytes: Int) -> QuotaRefusal? { nil }
  package func accepted(_ tenant: Tenant, positions: Range<Int64>, bytes: Int) {}
  package func flush(timeoutSeconds: Int) async -> IngestFlush { IngestFlush() }
  package func deadLetters(
    of tenant: Tenant?, after: Int64, limit: Int
  ) async throws(ForwardingFailure) -> [DeadLetterEntry] { [] }
  package func replay(_ choice: DeadLetterChoice) async throws(ForwardingFailure) -> Int { 0 }
  package func drop(_ choice: DeadLetterChoice) async throws(ForwardingFailure) -> Int { 0 }
}
