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
    Listener(intake: self, tenant: tenant, zone: zone, messageBytesMax: messageBytesMax)
  }

  private struct Listener: MessageIntake {
    let intake: SyslogIntake
    let tenant: Tenant
    let zone: Zone
    let messageBytesMax: Int
    var batchMessagesMax: Int { min(intake.entriesMax, SyslogIntake.batchMessagesMax) }

    func store(_ batch: MessageBatch) async -> IntakeOutcome {
      let principal = Principal(tenant: tenant, subject: "syslog", role: .writer, credential: 0)
      return await intake.store(batch, for: principal, zone: zone)
    }
  }

  private func store(
    _ batch: MessageBatch, for principal: Principal, zone: @escaping Zone
  ) async -> IntakeOutcome {
    do throws(Problem) {
      try store.admit(principal)
      let (decoder, now) = (decoder.value, clock.now())
      let decoded = try await store.decoding(batch.bytes) {
        _, memory throws(Problem) -> SyslogDecoder.Decoded in
        do throws(PushFault) {
          return try decoder.decode(batch, offsetSeconds: zone(now), now: now, within: memory)
        } catch { throw Problem(error) }
      }
      if let records = decoded.records.batch {
        try await store.store(
          RecordWrite(records, .logs, bodyBytes: batch.bytes.count, salt: 0), for: principal)
      }
      store.countPush(
        by: SyslogIntake.name, refused: decoded.records.refusedCount, timesUnread: decoded.timesUnreadCount)
      return .done
    } catch {
      // What passes by itself: others have the memory, the disk is full, the rate is used up.
      if error.status == 429 || error.status >= 500 {
        return .later(seconds: Double(error.retryAfterSeconds ?? 1), reason: error.cause ?? error.detail)
      }
      store.countPush(by: SyslogIntake.name, refused: batch.messages.count, timesUnread: 0)
      return .done
    }
  }

  /// However many a request may have.
  private static let batchMessagesMax = 20_000
  /// In metrics.
  private static let name = "syslog"
}
