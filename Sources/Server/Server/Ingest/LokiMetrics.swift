import APIs
import Forwarding
import HTTP
import Records
import Routing

/// Figures of the forwarder under the names of the ingest system, and what those leave out.
enum LokiMetrics {
  /// Writes the families. Tenants are keys, of which the first thousand have samples.
  static func collect(_ metrics: ForwardingMetrics, now: Int64, into text: inout MetricsText) {
    collectPushes(metrics, into: &text)
    let tenants = metrics.tenants.sorted { $0.key.name < $1.key.name }.prefix(IngestMetrics.keysMax)
    collect(Array(tenants), now: now, into: &text)
  }

  private static func collectPushes(_ metrics: ForwardingMetrics, into text: inout MetricsText) {
    text.family("loki_requests_total", .counter, "Pushes by Loki's status; 0: no answer.")
    for (status, count) in metrics.requestsByStatus.sorted(by: { $0.key < $1.key }) {
      text.sample("loki_requests_total", [("status_code", String(status))], Double(count))
    }
    let name = "loki_request_duration_seconds"
    text.family(name, .histogram, "Time of a push.")
    var total = 0
    for (index, count) in metrics.durationCounts.enumerated() {
      total += count
      let bounds = ForwardingMetrics.durationBounds
      let bound = index < bounds.count ? String(bounds[index]) : "+Inf"
      text.sample(name + "_bucket", [("le", bound)], Double(total))
    }
    text.sample(name + "_sum", [], metrics.durationSecondsSum)
    text.sample(name + "_count", [], Double(total))
    text.single("loki_sent_bytes_total", .counter, "Compressed bytes of pushes.", Double(metrics.bytesSent))
    text.single(
      "forwarder_dead_letters_dropped_total", .counter, "Dead letters dropped because a key had too many.",
      Double(metrics.deadLettersDropped))
    text.single(
      "forwarder_state_failing", .gauge, "1 while cursors cannot be saved.", metrics.isStateFailing ? 1 : 0)
  }

  private static func collect(
    _ tenants: [(key: Tenant, value: TenantForwarding)], now: Int64, into text: inout MetricsText
  ) {
    let families: [(String, MetricKind, String, (TenantForwarding) -> Double)] = [
      ("loki_entries_forwarded_total", .counter, "Entries Loki took.", { Double($0.entriesForwarded) }),
      (
        "wal_segments_forwarded_total", .counter, "The same as loki_entries_forwarded_total.",
        { Double($0.entriesForwarded) }
      ),
      (
        "forwarder_entries_deleted_before_total", .counter, "Entries deleted before they were forwarded.",
        { Double($0.entriesDeletedBefore) }
      ),
      ("forwarder_dead_letters", .gauge, "Entries Loki refused for good.", { Double($0.deadLetterCount) }),
      ("forwarder_backlog_entries", .gauge, "Entries that wait, at most.", { Double($0.backlogRows) }),
      ("forwarder_backlog_bytes", .gauge, "Bytes that wait.", { Double($0.backlogBytes) }),
      (
        "forwarder_backlog_age_seconds", .gauge, "How long the oldest entry has waited.",
        { $0.oldestAt.map { Double(max(0, now - $0)) / 1e9 } ?? 0 }
      ),
      ("forwarder_parked", .gauge, "1 while the key's pushes are put off.", { $0.isParked ? 1 : 0 }),
    ]
    for (name, kind, help, value) in families {
      text.family(name, kind, help)
      for (tenant, figures) in tenants { text.sample(name, [("token", tenant.name)], value(figures)) }
    }
    text.family("loki_retries_total", .counter, "Pushes tried again, by key and number of the try.")
    for (tenant, figures) in tenants {
      for (index, count) in figures.retries.enumerated() {
        text.sample(
          "loki_retries_total", [("token", tenant.name), ("attempt", String(index + 1))], Double(count))
      }
    }
  }
}
