import Access
import Decoding
import Forwarding
import Masking
import Records

/// The ingest API's part of the settings: what is read anew while the server runs.
package struct IngestSettings: Sendable, Hashable {
  package var adminToken: String?
  /// In the order of their tokens.
  package var keys: [IngestKey] = []
  package var limits = IngestLimits()
  package var rate = RequestRate(perSecond: 2000, burst: 10_000)
  /// Of what waits to be forwarded.
  package var quota = BacklogQuota()
  package var isFlushEnabled = true
  package var masking = MaskingSettings()
}

/// Which records are masked, and how.
package struct MaskingSettings: Sendable, Hashable {
  /// The realms whose records are masked.
  package var realms: Set<Realm> = [.ingest]
  /// Overrides are by the names of ingest keys, partial rules with the longest name first, so that the first one found in
  /// a member's name is the closest.
  package var rules = MaskingRules()
}

/// Where entries are forwarded to.
package struct LokiSettings: Sendable, Hashable {
  /// Without a slash at its end; nil: nothing is forwarded.
  package var url: String?
  package var pushPath = "/loki/api/v1/push"
  package var isJSON = false
  package var tenant: String?
  package var bearerToken: String?
  package var batchEntriesMax = 1000
  package var batchBytesMax = 1 << 20
  package var timeoutSeconds = 30
  package var backoffSeconds = [5, 10, 20]
  package var parkSeconds = 60
  package var isRequiredForReady = true
}
