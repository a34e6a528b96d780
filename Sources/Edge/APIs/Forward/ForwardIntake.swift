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
    var (answer, chunk): ([UInt8], [UInt8]?) = ([], nil)
    for message in batch.messages {
      do throws(PushFault) {
        let read = try ForwardMessage(batch.bytes, message.range)
        if batch.messages.count == 1 {
          answer = read.answer(in: batch.bytes)
          chunk = read.chunk.map { Array(batch.bytes[$0]) }
        }
        if read.isOfOtherKind { refusedCount += 1 } else { messages.append(read) }
      } catch { refusedCount += 1 }
    }
    var storing = Storing(intake: self, batch: batch, messages: messages, chunk: chunk, principal: principal)
    storing.refusedCount = refusedCount
    storing.messageBytesMax = messageBytesMax
    var storedCount = batch.storedCount
    let outcome = await store.outcome(
      of: batch.messages.count, by: ForwardIntake.name, for: principal, answer: answer
    ) { () throws(Problem) in
      try await storing.run(from: &storedCount)
    }
    guard case .later(let seconds, let reason, _) = outcome else { return outcome }
    return .later(seconds: seconds, reason: reason, storedCount: storedCount)
  }

  /// Stores the events of a batch, as many at a time as a request may have.
  private struct Storing: Sendable {
    let intake: ForwardIntake
    let batch: MessageBatch
    let messages: [ForwardMessage]
    let chunk: [UInt8]?
    let principal: Principal
    var refusedCount = 0
    var messageBytesMax = 0

    /// - Parameter storedCount: So many of the first events are stored.
    func run(from storedCount: inout Int) async throws(Problem) {
      let (store, name) = (intake.store, ForwardIntake.name)
      var (isCut, brokenCount) = (true, 0)
      while isCut {
        let start = storedCount
        let found = try await store.decoding(
          batch.bytes, isCompressed: messages.contains(where: \.isCompressed)
        ) {
          bytes, memory throws(Problem) in
          try decode(bytes, from: start, within: memory)
        }
        // A name for each part, which every try makes alike.
        let key = chunk.map { $0 + Array("/\(start)".utf8) }
        try await store.store(
          found.decoded.listened, by: name, bodyBytes: batch.bytes.count, for: principal,
          repeated: key.map { ($0, batch.bytes) })
        storedCount = found.decoded.endCount
        (isCut, brokenCount) = (found.decoded.isCut, found.brokenCount)
      }
      store.countPush(by: name, refused: refusedCount + brokenCount, timesUnread: 0)
    }

    private func decode(
      _ bytes: [UInt8], from start: Int, within memory: DecodingMemory
    ) throws(Problem) -> (decoded: ForwardDecoder.Decoded, brokenCount: Int) {
      let uploads = intake.store.uploads
      var (taken, brokenCount) = (0, 0)
      defer { uploads.give(taken) }
      var parts: [ForwardDecoder.Part] = []
      for message in messages {
        do throws(Problem) {
          let unpacked = try ForwardIntake.unpacked(message, bytes, bytesMax: messageBytesMax, uploads)
          taken += unpacked?.count ?? 0
          if let unpacked {
            // Its columns.
            guard uploads.take(unpacked.count) else { throw Problem.tooManyUploads }
            taken += unpacked.count
          }
          parts.append(ForwardDecoder.Part(message, in: bytes, unpacked: unpacked))
        } catch {
          if error.status >= 500 { throw error }
          brokenCount += 1
        }
      }
      let now = intake.clock.now()
      do throws(PushFault) {
        return (
          try intake.decoder.value.decode(parts, from: start, now: now, within: memory), brokenCount
        )
      } catch { throw Problem(error) }
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
