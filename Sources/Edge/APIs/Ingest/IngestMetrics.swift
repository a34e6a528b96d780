import EntryDecoding
import Masking
import Records
import Routing
import Synchronization

/// Figures of the ingest API by key. The label `token` is a key's name; beyond ``keysMax`` names the rest is
/// one.
package final class IngestMetrics: Sendable {
  enum Reason: String, CaseIterable, Sendable {
    case validation
    case rateLimit = "rate_limit"
    case quota
    case noSpace = "no_space"
    case unavailable
  }

  private struct Figures {
    var ingested = 0
    var rejected: [Reason: Int] = [:]
    var masked: [String: Int] = [:]
    var maskingFailed = 0
    var batchCount = 0
    var batchBytes = Histogram(bounds: IngestMetrics.bytesBounds)

    mutating func add(_ body: IngestBatch, bodyBytes: Int) {
      ingested += body.entryCount
      batchCount += 1
      batchBytes.record(Double(bodyBytes))
      maskingFailed += body.maskingFailedCount
      for hit in body.maskedCounts {
        let isKnown = masked[hit.rule] != nil || masked.count < IngestMetrics.rulesMax
        masked[isKnown ? hit.rule : IngestMetrics.other, default: 0] += hit.count
      }
    }
  }

  private struct State {
    var keys: [String: Figures] = [:]
    var refusedCount = 0
    var batchEntries = Histogram(bounds: [1, 5, 10, 25, 50, 100, 250, 500])
  }

  package static let keysMax = 1_000
  static let rulesMax = 100
  private static let other = "other"
  private static let bytesBounds: [Double] = [
    1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864, 134_217_728,
  ]

  private let state = Mutex(State())
  private let usage: @Sendable () async throws(StoreError) -> [PartitionUsage]

  /// - Parameter usage: What the store holds, for the journal's share of each key.
  package init(usage: @escaping @Sendable () async throws(StoreError) -> [PartitionUsage]) {
    self.usage = usage
  }

  func accepted(_ tenant: Tenant, _ body: IngestBatch, bodyBytes: Int) {
    let count = body.entryCount
    state.withLock { state in
      let name = IngestMetrics.label(tenant, in: state.keys)
      state.keys[name, default: Figures()].add(body, bodyBytes: bodyBytes)
      state.batchEntries.record(Double(count))
    }
  }

  func rejected(_ tenant: Tenant, _ reason: Reason, count: Int) {
    state.withLock { state in
      let name = IngestMetrics.label(tenant, in: state.keys)
      state.keys[name, default: Figures()].rejected[reason, default: 0] += count
    }
  }

  /// A credential that opens nothing belongs to no key.
  func refused() { state.withLock { $0.refusedCount += 1 } }

  private static func label(_ tenant: Tenant, in keys: [String: Figures]) -> String {
    keys[tenant.name] != nil || keys.count < keysMax ? tenant.name : other
  }

  /// Writes the families.
  package func collect(into text: inout MetricsText) async {
    let state = self.state.withLock { $0 }
    let keys = state.keys.sorted { $0.key < $1.key }
    text.family("logs_ingested_total", .counter, "Entries stored, by key.")
    for (name, figures) in keys {
      text.sample("logs_ingested_total", [("token", name)], Double(figures.ingested))
    }
    text.family(
      "logs_rejected_total", .counter,
      "Entries refused, by key and reason. A body that does not validate counts once.")
    for (name, figures) in keys {
      for reason in Reason.allCases {
        guard let count = figures.rejected[reason] else { continue }
        text.sample("logs_rejected_total", [("token", name), ("reason", reason.rawValue)], Double(count))
      }
    }
    text.sample(
      "logs_rejected_total", [("token", ""), ("reason", "authentication")], Double(state.refusedCount))
    text.family("rate_limit_exceeded_total", .counter, "Entries refused because their key asked too often.")
    for (name, figures) in keys {
      text.sample("rate_limit_exceeded_total", [("token", name)], Double(figures.rejected[.rateLimit] ?? 0))
    }
    text.family("ingestion_batch_size_entries", .histogram, "Entries of a request.")
    state.batchEntries.write("ingestion_batch_size_entries", [], to: &text)
    text.family("masking_operations_total", .counter, "Values masked, by key and kind of rule.")
    for (name, figures) in keys {
      for (rule, count) in figures.masked.sorted(by: { $0.key < $1.key }) {
        text.sample("masking_operations_total", [("token", name), ("field", rule)], Double(count))
      }
    }
    text.family(
      "masking_errors_total", .counter,
      "Entries that were dropped but for their names: masking went beyond its bounds.")
    for (name, figures) in keys {
      text.sample("masking_errors_total", [("token", name)], Double(figures.maskingFailed))
    }
    // A store that cannot say what it holds leaves the samples out.
    let parts = (try? await usage()) ?? []
    collectJournal(keys, parts, into: &text)
  }

  /// What of the journal is a key's. A request is one segment in the words of these families.
  private func collectJournal(
    _ keys: [(key: String, value: Figures)], _ parts: [PartitionUsage], into text: inout MetricsText
  ) {
    text.family("wal_segments_created_total", .counter, "Requests written to the journal, by key.")
    for (name, figures) in keys {
      text.sample("wal_segments_created_total", [("token", name)], Double(figures.batchCount))
    }
    text.family("wal_segment_size_bytes", .histogram, "Bodies of requests written to the journal, by key.")
    for (name, figures) in keys {
      figures.batchBytes.write("wal_segment_size_bytes", [("token", name)], to: &text)
    }
    var head: [String: (rows: Int, bytes: Int)] = [:]
    for part in parts where part.partition.tenant.realm == .ingest {
      let tenant = part.partition.tenant.name
      let name =
        state.withLock { $0.keys[tenant] != nil } || head.count < IngestMetrics.keysMax
        ? tenant : IngestMetrics.other
      head[name, default: (0, 0)].rows += part.headRows
      head[name, default: (0, 0)].bytes += part.headBytes
    }
    let sorted = head.sorted { $0.key < $1.key }
    text.family(
      "wal_segments_active", .gauge, "1 while the journal holds entries of the key that are in no block.")
    for (name, part) in sorted {
      text.sample("wal_segments_active", [("token", name)], part.rows > 0 ? 1 : 0)
    }
    text.family("wal_disk_usage_bytes", .gauge, "Bytes of the journal that are in no block, by key.")
    for (name, part) in sorted {
      text.sample("wal_disk_usage_bytes", [("token", name)], Double(part.bytes))
    }
  }
}
