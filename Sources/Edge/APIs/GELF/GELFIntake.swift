import Access
import Columnar
import Decoding
import EntryDecoding
import Masking
import Platform
import Records
import Routing

/// What comes by GELF listeners: messages become records of the dataset `logs` (Docs/gelf.md).
package struct GELFIntake: Sendable {
  private let store: RecordStoring
  private let decoder: Replaceable<GELFDecoder>
  private let clock: any WallClock
  private let entriesMax: Int

  package init(_ services: APIServices) {
    store = services.store
    clock = services.clock
    entriesMax = services.decodingLimits.entriesMax
    decoder = Replaceable(GELFDecoder(limits: services.decodingLimits))
  }

  /// Takes other masking.
  package func use(_ plan: MaskingPlan) { decoder.replace(with: decoder.value.masked(by: plan)) }

  /// What one listener's messages go to.
  package func listener(tenant: Tenant, messageBytesMax: Int) -> any MessageIntake {
    ListenerIntake(.gelf, tenant: tenant, messageBytesMax: messageBytesMax, entriesMax: entriesMax) {
      await store($0, for: $1, messageBytesMax: messageBytesMax)
    }
  }

  private func store(
    _ batch: MessageBatch, for principal: Principal, messageBytesMax: Int
  ) async -> IntakeOutcome {
    await store.outcome(of: batch.messages.count, by: GELFIntake.name, for: principal) {
      () throws(Problem) in
      let (decoder, now, uploads) = (decoder.value, clock.now(), store.uploads)
      let decoded = try await store.decoding(batch.bytes) { _, memory throws(Problem) -> ListenedRecords in
        var plain = batch
        var taken = 0
        defer { uploads.give(taken) }
        if batch.messages.contains(where: { batch.coding(of: $0) != nil }) {
          plain = MessageBatch()
          for message in batch.messages {
            let bytes = batch.bytes[message.range]
            let source = batch.sources[message.source]
            guard let coding = batch.coding(of: message) else {
              plain.append(bytes, from: source, isCut: message.isCut)
              continue
            }
            do throws(Problem) {
              let unpacked = try coding.decode(Array(bytes), bytesMax: messageBytesMax, budget: uploads)
              taken += unpacked.count
              plain.append(unpacked[...], from: source)
            } catch {
              if error.status >= 500 { throw error }
              // What cannot be unpacked is kept as it came.
              plain.append(bytes, from: source, isCut: true)
            }
          }
        }
        do throws(PushFault) { return try decoder.decode(plain, now: now, within: memory) } catch {
          throw Problem(error)
        }
      }
      try await store.store(decoded, by: GELFIntake.name, bodyBytes: batch.bytes.count, for: principal)
    }
  }

  /// In metrics.
  private static let name = "gelf"
}

extension MessageBatch {
  /// How a GELF message is compressed, which its first bytes tell; nil: not at all.
  fileprivate func coding(of message: Message) -> ContentCoding? {
    let bytes = bytes[message.range]
    if bytes.starts(with: [0x1F, 0x8B]) { return .gzip }
    // The two bytes of zlib are a multiple of 31 (RFC 1950, §2.2).
    guard bytes.count > 2, bytes.first == 0x78 else { return nil }
    return (0x7800 + Int(bytes[bytes.startIndex + 1])) % 31 == 0 ? .deflate : nil
  }
}
