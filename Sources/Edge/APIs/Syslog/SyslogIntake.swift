import Access
import Decoding
import EntryDecoding
import Masking
import Platform
import Records
import Routing

/// What comes by syslog listeners: messages become records of the dataset `logs` (Docs/syslog.md).
package struct SyslogIntake: Sendable {
  private let store: RecordStoring
  private let decoder: Replaceable<SyslogDecoder>
  private let clock: any WallClock
  private let entriesMax: Int
  /// Seconds east of UTC at an instant.
  package typealias Zone = @Sendable (_ nanoseconds: Int64) -> Int

  package init(_ services: APIServices) {
    store = services.store
    clock = services.clock
    entriesMax = services.decodingLimits.entriesMax
    decoder = Replaceable(SyslogDecoder(limits: services.decodingLimits))
  }

  /// Takes other masking.
  package func use(_ plan: MaskingPlan) { decoder.replace(with: decoder.value.masked(by: plan)) }

  /// What one listener's messages go to.
  ///
  /// - Parameter zone: Of times that name none.
  package func listener(tenant: Tenant, zone: @escaping Zone, messageBytesMax: Int) -> any MessageIntake {
    ListenerIntake(.syslog, tenant: tenant, messageBytesMax: messageBytesMax, entriesMax: entriesMax) {
      await store($0, for: $1, zone: zone)
    }
  }

  private func store(
    _ batch: MessageBatch, for principal: Principal, zone: @escaping Zone
  ) async -> IntakeOutcome {
    await store.outcome(of: batch.messages.count, by: SyslogIntake.name, for: principal) {
      () throws(Problem) in
      let (decoder, now) = (decoder.value, clock.now())
      let decoded = try await store.decoding(batch.bytes) { _, memory throws(Problem) -> ListenedRecords in
        do throws(PushFault) {
          return try decoder.decode(batch, offsetSeconds: zone(now), now: now, within: memory)
        } catch { throw Problem(error) }
      }
      try await store.store(decoded, by: SyslogIntake.name, bodyBytes: batch.bytes.count, for: principal)
    }
  }

  /// In metrics.
  private static let name = "syslog"
}

extension RecordStoring {
  /// Stores what messages came to, and counts what of them is not stored.
  func store(
    _ decoded: ListenedRecords, by way: String, bodyBytes: Int, for principal: Principal,
    repeated: (key: [UInt8], body: [UInt8])? = nil
  ) async throws(Problem) {
    if let records = decoded.records.batch {
      try await store(
        RecordWrite(records, .logs, bodyBytes: bodyBytes, salt: 0), for: principal, repeated: repeated)
    }
    countPush(by: way, refused: decoded.records.refusedCount, timesUnread: decoded.timesUnreadCount)
  }
}
