import Access
import Records

/// The ingest API's part of the settings: what is read anew while the server runs.
package struct IngestSettings: Sendable, Hashable {
  package var adminToken: String?
  /// In the order of their tokens.
  package var keys: [IngestKey] = []
  package var entryBytesMax = 32_768
  package var batchEntriesMax = 500
  package var batchBytesMax = 1 << 20
  package var rate = RequestRate(perSecond: 2000, burst: 10_000)
  /// 0: no bound.
  package var quotaBytes = 2 << 30
  /// 0: no bound.
  package var quotaAgeSeconds = 86_400
  package var isFlushEnabled = true
  package var masking = MaskingSettings()
}

/// Which records are masked, and how.
package struct MaskingSettings: Sendable, Hashable {
  package enum Heuristics: String, Sendable { case words, substring, off }

  /// What is left of a masked text.
  package enum Partial: Sendable, Hashable {
    case keepPrefix(Int)
    case keepSuffix(Int)
    case email
  }

  package struct PartialRule: Sendable, Hashable {
    package var name: String
    package var partial: Partial
  }

  /// The realms whose records are masked.
  package var realms: Set<Realm> = [.ingest]
  package var baselineKeys: [String] = []
  /// The longest name first, so that the first one found in a member's name is the closest.
  package var partialRules: [PartialRule] = []
  /// More names, by the name of the key they hold for.
  package var overrides: [String: [String]] = [:]
  package var heuristics = Heuristics.words
  package var detectors: [String] = []
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
