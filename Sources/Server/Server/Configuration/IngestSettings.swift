import Access
import EntryDecoding
import Forwarding
import Masking
import Records

/// The ingest API's part of the settings: what is read anew while the server runs.
package struct IngestSettings: Sendable, Hashable {
  /// Opens the routes for administrators; nil: nothing does.
  package var adminToken: String?
  /// In the order of their tokens.
  package var keys: [IngestKey] = []
  /// Bounds of a batch and its entries.
  package var limits = IngestLimits()
  /// How fast a key may send.
  package var rate = RequestRate(perSecond: 2000, burst: 10_000)
  /// Of what waits to be forwarded.
  package var quota = BacklogQuota()
  /// Whether administrators may have all forwarded at once.
  package var isFlushEnabled = true
  /// Which records are masked, and how.
  package var masking = MaskingSettings()
}

/// Which records are masked, and how.
package struct MaskingSettings: Sendable, Hashable {
  /// The realms whose records are masked.
  package var realms: Set<Realm> = [.ingest]
  /// Overrides are by the names of ingest keys, partial rules with the longest name first, so that the first
  /// one found in a member's name is the closest.
  package var rules = MaskingRules()
}

/// Where entries are forwarded to.
package struct LokiSettings: Sendable, Hashable {
  /// Without a slash at its end; nil: nothing is forwarded.
  package var url: String?
  /// Behind ``url``.
  package var pushPath = "/loki/api/v1/push"
  /// Whether pushes are JSON instead of protobuf.
  package var isJSON = false
  /// The value of `X-Scope-OrgID`; nil: none.
  package var tenant: String?
  /// A credential for Loki; nil: none.
  package var bearerToken: String?
  /// Another one (RFC 7617): shown only without a bearer token.
  package var user: String?
  /// The user's.
  package var password: String?
  /// Entries of a push.
  package var batchEntriesMax = 1000
  /// Bytes of a push before it is compressed.
  package var batchBytesMax = 1 << 20
  /// How long an answer may take.
  package var timeoutSeconds = 30
  /// Seconds before the first, second, … retry.
  package var backoffSeconds = [5, 10, 20]
  /// Seconds before each retry after those.
  package var parkSeconds = 60
  /// Whether `/readyz` needs Loki.
  package var isRequiredForReady = true
}
