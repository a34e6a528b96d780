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
      let isCompressed = batch.messages.contains { batch.coding(of: $0) != nil }
      let (decoded, brokenCount) = try await store.decoding(batch.bytes, isCompressed: isCompressed) {
        _, memory throws(Problem) -> (ListenedRecords, Int) in
        var taken = 0
        defer { uploads.give(taken) }
        let plain =
          isCompressed ? try batch.unpacked(messageBytesMax: messageBytesMax, uploads, &taken) : batch
        let brokenCount = batch.messages.count - plain.messages.count
        do throws(PushFault) {
          return (try decoder.decode(plain, now: now, within: memory), brokenCount)
        } catch { throw Problem(error) }
      }
      try await store.store(decoded, by: GELFIntake.name, bodyBytes: batch.bytes.count, for: principal)
      store.countPush(by: GELFIntake.name, refused: brokenCount, timesUnread: 0)
    }
  }

  /// In metrics.
  private static let name = "gelf"
}

extension MessageBatch {
  /// What a batch comes to at most.
  private static let unpackedBytesMax = 16 << 20

  /// The same messages, decompressed. What cannot be, or comes to more than a message or a batch may, is left
  /// out.
  ///
  /// - Parameter taken: Bytes that were taken of `uploads`, for the caller to give back.
  /// - Throws: 503: there is no memory now.
  fileprivate func unpacked(
    messageBytesMax: Int, _ uploads: UploadBudget, _ taken: inout Int
  ) throws(Problem) -> MessageBatch {
    var plain = MessageBatch()
    for message in messages {
      let bytes = bytes[message.range]
      let source = sources[message.source]
      guard let coding = coding(of: message) else {
        plain.append(bytes, from: source, isCut: message.isCut)
        continue
      }
      let most = min(messageBytesMax, MessageBatch.unpackedBytesMax - taken / 2)
      do throws(Problem) {
        let unpacked = try coding.decode(Array(bytes), bytesMax: most, budget: uploads)
        taken += unpacked.count
        // Its columns.
        guard uploads.take(unpacked.count) else { throw Problem.tooManyUploads }
        taken += unpacked.count
        plain.append(unpacked[...], from: source)
      } catch {
        if error.status >= 500 { throw error }
      }
    }
    return plain
  }

  /// How a GELF message is compressed, which its first bytes tell; nil: not at all.
  fileprivate func coding(of message: Message) -> ContentCoding? {
    let bytes = bytes[message.range]
    if bytes.starts(with: [0x1F, 0x8B]) { return .gzip }
    // The two bytes of zlib are a multiple of 31 (RFC 1950, §2.2).
    guard bytes.count > 2, bytes.first == 0x78 else { return nil }
    return (0x7800 + Int(bytes[bytes.startIndex + 1])) % 31 == 0 ? .deflate : nil
  }
}
