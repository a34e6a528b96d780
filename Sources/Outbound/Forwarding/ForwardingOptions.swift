import Records

/// How pushes are written.
package enum PushFormat: String, Sendable, Hashable, CaseIterable {
  /// Protobuf in a snappy block: what every Loki takes, and the cheapest.
  case protobuf
  /// JSON, gzip-compressed.
  case json
}

/// Where a forwarder begins with tenants it finds when it is started for the first time.
package enum ForwardingStart: String, Sendable, Hashable, CaseIterable {
  /// With the first record that is still there.
  case earliest
  /// Behind the records that are there. Tenants that come later are forwarded from their first record.
  case latest
}

/// A forwarder's settings; durations in seconds unless said.
package struct ForwardingOptions: Sendable {
  /// Names the cursors; another name begins anew.
  package var name = "loki"
  /// Whose records are forwarded.
  package var dataset = Dataset.logs
  /// Only tenants of these realms are forwarded.
  package var realms: Set<Realm> = [.ingest, .native]
  /// Where a forwarder begins that was never opened before.
  package var start = ForwardingStart.earliest
  /// How pushes are written.
  package var format = PushFormat.protobuf
  /// Which columns become labels, line and metadata.
  package var mapping = LokiMapping.logs
  /// Bounds of memory and of pushes.
  package var limits = ForwardingLimits()
  /// When a push is tried again.
  package var retry = RetryPolicy()
  /// How much a tenant may have waiting.
  package var quota = BacklogQuota()

  /// What holds unless it is configured.
  package init() {}
}

/// What bounds a forwarder's work and memory.
package struct ForwardingLimits: Sendable, Hashable {
  /// Entries in one push, 1 to 100,000.
  package var pushEntriesMax = 1000
  /// Uncompressed bytes of one push; an entry that is larger goes by itself.
  package var pushBytesMax = 1_000_000
  /// How long fewer than ``pushEntriesMax`` entries may wait for more.
  package var lingerSeconds = 0.5
  /// Pushes under way at once, each of another tenant.
  package var pushesInFlightMax = 4
  /// Rows read at a time for one tenant.
  package var windowRowsMax = 65_536
  /// Bytes of text in a window; a single larger record makes a window of its own.
  package var windowBytesMax = 16 << 20
  /// Windows kept between two pushes of their tenants; more tenants than these read as much as one push
  /// takes.
  package var windowsHeldMax = 4
  /// Dead letters a tenant may have; the oldest go first.
  package var deadLettersPerTenantMax = 10_000
  /// How often cursors are saved while they move.
  package var saveSeconds = 1.0
  /// How often what quotas need is saved while cursors stand.
  package var accountingSeconds = 30.0
  /// How often tenants are looked at without a commit's wake-up.
  package var pollSeconds = 5.0

  /// What holds unless it is configured.
  package init() {}
}

/// The most a tenant may have waiting to be forwarded.
package struct BacklogQuota: Sendable, Hashable {
  /// Payload bytes.
  package var bytesMax = 2_000_000_000
  /// How long the oldest record may have waited.
  package var ageSecondsMax = 86_400
  /// The share of both from which on requests are refused.
  package var refusalRatio = 0.8

  /// What holds unless it is configured.
  package init() {}
}
