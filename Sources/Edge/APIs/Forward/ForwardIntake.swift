import Access
import Columnar
import Decoding
import EntryDecoding
import Masking
import Platform
import Records
import Routing

/// What comes by listeners of Fluentd's forward protocol: events become records of the dataset `logs`
/// (Docs/forward.md).
package struct ForwardIntake: Sendable {
  private let store: RecordStoring
  private let decoder: Replaceable<ForwardDecoder>
  private let clock: any WallClock
  private let entriesMax: Int

  package init(_ services: APIServices) {
    store = services.store
    clock = services.clock
    entriesMax = services.decodingLimits.entriesMax
    decoder = Replaceable(ForwardDecoder(limits: services.decodingLimits))
  }

  /// Takes other masking.
  package func use(_ plan: MaskingPlan) { decoder.replace(with: decoder.value.masked(by: plan)) }

  /// What one listener's messages go to.
  package func listener(tenant: Tenant, messageBytesMax: Int) -> any MessageIntake {
    ListenerIntake(.forward, tenant: tenant, messageBytesMax: messageBytesMax, entriesMax: entriesMax) {
      await store($0, for: $1, messageBytesMax: messageBytesMax)
    }
  }

  /// - Parameter batch: Of one message, where that asks for an answer.
  private func store(
    _ batch: MessageBatch, for principal: Principal, messageBytesMax: Int
  ) async -> IntakeOutcome {
    var messages: [ForwardMessage] = []
    var refusedCount = 0
    for message in batch.messages {
      do throws(PushFault) {
        let read = try ForwardMessage(batch.bytes, message.range)
        if read.isOfOtherKind { refusedCount += 1 } else { messages.append(read) }
      } catch { refusedCount += 1 }
    }
    let chunk = messages.count == 1 ? messages[0].chunk : nil
    let answer = chunk == nil ? [] : messages[0].answer(in: batch.bytes)
    let (kept, malformedCount) = (messages, refusedCount)
    return await store.outcome(
      of: batch.messages.count, by: ForwardIntake.name, for: principal, answer: answer
    ) {
      () throws(Problem) in
      let (decoder, now, uploads) = (decoder.value, clock.now(), store.uploads)
      let (decoded, brokenCount) = try await store.decoding(batch.bytes) {
        bytes, memory throws(Problem) -> (ListenedRecords, Int) in
        var (taken, brokenCount) = (0, 0)
        defer { uploads.give(taken) }
        var parts: [ForwardDecoder.Part] = []
        for message in kept {
          do throws(Problem) {
            let unpacked = try ForwardIntake.unpacked(message, bytes, bytesMax: messageBytesMax, uploads)
            taken += unpacked?.count ?? 0
            parts.append(ForwardDecoder.Part(message, in: bytes, unpacked: unpacked))
          } catch {
            if error.status >= 500 { throw error }
            brokenCount += 1
          }
        }
        do throws(PushFault) {
          return (try decoder.decode(parts, now: now, within: memory), brokenCount)
        } catch { throw Problem(error) }
      }
      try await store.store(
        decoded, by: ForwardIntake.name, bodyBytes: batch.bytes.count, for: principal,
        repeated: chunk.map { (Array(batch.bytes[$0]), batch.bytes) })
      store.countPush(by: ForwardIntake.name, refused: malformedCount + brokenCount, timesUnread: 0)
    }
  }

  /// - Throws: 415: compressed in a way that is not known; what decompressing throws.
  private static func unpacked(
    _ message: ForwardMessage, _ bytes: [UInt8], bytesMax: Int, _ uploads: UploadBudget
  ) throws(Problem) -> [UInt8]? {
    guard case .packed(let range, let coding?) = message.events else { return nil }
    guard let known = ContentCoding(coding) else {
      throw Problem(415, "Events are compressed as gzip or zstd.")
    }
    return try known.decode(Array(bytes[range]), bytesMax: bytesMax, budget: uploads)
  }

  /// In metrics.
  private static let name = "forward"
}
