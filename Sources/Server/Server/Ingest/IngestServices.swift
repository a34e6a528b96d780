import APIs
import Access
import Decoding
import HTTP
import Masking
import Platform
import Records
import Routing

/// What the ingest API is made of, and what of it may change while the server runs.
package struct IngestServices: Sendable {
  let keys: IngestKeys
  let decoder: MaskedDecoding
  let buckets: TokenBuckets
  let forwarding: any EntryForwarding
  /// nil: nothing is forwarded.
  let loki: LokiForwarding?
  let metrics: IngestMetrics

  init(
    _ settings: IngestSettings, store: KeyStore, loki: LokiForwarding?, control: any StoreControl,
    clock: any WallClock
  ) {
    keys = IngestKeys(configured: settings.keys, adminToken: settings.adminToken, store: store)
    decoder = MaskedDecoding(settings.masking.rules(for: .ingest), limits: settings.limits)
    buckets = TokenBuckets(settings.rate, clock: clock)
    self.loki = loki
    forwarding = loki ?? NoForwarding()
    metrics = IngestMetrics(usage: { () async throws(StoreError) in try await control.usage() })
  }

  /// Takes new keys, rules, limits and quotas.
  func use(_ settings: IngestSettings) {
    keys.use(configured: settings.keys, adminToken: settings.adminToken)
    decoder.use(settings.masking.rules(for: .ingest), limits: settings.limits)
    buckets.use(settings.rate)
    loki?.use(settings.quota)
  }
}

extension MaskingSettings {
  /// The rules for records of a realm; nothing is masked where it is not asked for.
  func rules(for realm: Realm) -> MaskingRules {
    guard realms.contains(realm) else { return .off }
    var rules = rules
    if realm != .ingest { rules.overrides = [:] }
    return rules
  }

  /// The plan for records of a dataset that come by an API of `realm`.
  func plan(for dataset: Dataset, of realm: Realm) -> MaskingPlan {
    MaskingPlan(rules(for: realm), for: dataset.schema)
  }
}
