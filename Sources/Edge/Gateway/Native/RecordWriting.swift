import Access
import Codecs
import Decoding
import Masking
import NIOCore
import NIOHTTP1
import Platform
import Records

/// `POST /v1/records/{dataset}`: a body of records in, positions out.
package struct RecordWriting: Sendable {
  /// Errors listed when bad records are skipped; the rest is only counted.
  static let listedErrorsMax = 100
  static let keyBytesMax = 255

  private let decoders: [RecordDecoder]
  private let sink: any BatchSink
  private let inflater: any Inflater
  private let metrics: HTTPMetrics
  private let clock: any WallClock
  private let bodyBytesMax: Int

  package init(
    sink: any BatchSink, inflater: any Inflater, metrics: HTTPMetrics, clock: any WallClock,
    decodingLimits: DecodingLimits, bodyBytesMax: Int
  ) {
    self.decoders = Dataset.allCases.map {
      RecordDecoder(schema: $0.schema, masking: .none, limits: decodingLimits)
    }
    self.sink = sink
    self.inflater = inflater
    self.metrics = metrics
    self.clock = clock
    self.bodyBytesMax = bodyBytesMax
  }

  /// Stores the records of `call` for `principal`.
  func write(
    _ call: HTTPCall, dataset: Dataset, principal: Principal
  ) async throws(Problem) -> EndpointOutcome {
    let skips = try isSkipping(call)
    let key = try idempotencyKey(of: call)
    let isCompressed = call.head.headers.contains(name: "Content-Encoding")
    let body =
      isCompressed
      ? try inflater.inflate(call.body, bytesMax: bodyBytesMax, budget: metrics.uploads) : call.body
    let taken = isCompressed ? body.count : 0
    defer { metrics.uploads.give(taken) }
    let decoded = try decode(body, dataset: dataset, skips: skips)
    let rejected = skips ? rejectedMembers(of: decoded) : []
    guard let batch = decoded.batch else { return .answer(nothingStored(rejected)) }
    let idempotency = key.map {
      IdempotencyKey(
        key: $0, credential: principal.credential,
        bodyHash: RecordWriting.hash(call.body, dataset: dataset, skips: skips), answer: rejected)
    }
    let receipt: AppendReceipt
    do throws(StoreError) {
      receipt = try await sink.append(
        batch, to: Partition(tenant: principal.tenant, dataset: dataset), idempotency: idempotency)
    } catch {
      throw Problem(error)
    }
    if !receipt.isReplay {
      metrics.recordsAccepted(receipt.rowCount, dataset: dataset, bodyBytes: body.count)
    }
    return .answer(created(receipt, rejected: receipt.isReplay ? receipt.answer : rejected))
  }

  private func decode(_ body: [UInt8], dataset: Dataset, skips: Bool) throws(Problem) -> DecodedBody {
    do throws(DecodingError) {
      return try decoders[Int(dataset.rawValue) - 1].decode(
        body, onError: skips ? .skip(errorsMax: RecordWriting.listedErrorsMax) : .reject, now: clock.now())
    } catch {
      throw Problem(error)
    }
  }

  private func isSkipping(_ call: HTTPCall) throws(Problem) -> Bool {
    switch call.query["on_error"] {
    case nil, "reject": return false
    case "skip": return true
    default: throw Problem(400, "on_error must be reject or skip.", field: "on_error")
    }
  }

  private func idempotencyKey(of call: HTTPCall) throws(Problem) -> String? {
    guard let key = call.head.headers.first(name: "Idempotency-Key") else { return nil }
    guard (1...RecordWriting.keyBytesMax).contains(key.utf8.count),
      key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { throw Problem(400, "Idempotency-Key must have 1 to 255 visible ASCII characters.") }
    return key
  }

  /// 128 bits over the body as sent and over what else decides what is stored.
  private static func hash(_ body: [UInt8], dataset: Dataset, skips: Bool) -> [UInt8] {
    let salt = UInt64(dataset.rawValue) << 1 | (skips ? 1 : 0)
    return [salt, salt | 1 << 32].flatMap { seed in
      let sum = Hash64.xxh64(body, seed: seed)
      return (0..<8).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) }
    }
  }

  /// The members of the answer that tell what was left out, without braces: also kept for a repeated request.
  private func rejectedMembers(of decoded: DecodedBody) -> [UInt8] {
    var text = JSONText()
    text.name("rejected")
    text.value(decoded.rejectedCount)
    text.name("errors")
    text.beginArray()
    for error in decoded.errors {
      text.beginObject()
      if let entry = error.entry {
        text.name("entry")
        text.value(entry)
      }
      text.name("byte")
      text.value(error.byte)
      if let field = error.field {
        text.name("field")
        text.value(field)
      }
      text.name("detail")
      text.value(error.reason.text)
      text.endObject()
    }
    text.endArray()
    return text.bytes
  }

  private func created(_ receipt: AppendReceipt, rejected: [UInt8]) -> HTTPAnswer {
    var text = JSONText()
    text.beginObject()
    text.name("accepted")
    text.value(receipt.rowCount)
    text.name("first_position")
    text.value(receipt.firstPosition)
    text.name("last_position")
    text.value(receipt.firstPosition + Int64(receipt.rowCount) - 1)
    text.members(rejected)
    text.endObject()
    var answer = HTTPAnswer.json(.created, text)
    if receipt.isReplay { answer.headers.append(("Idempotency-Replayed", "true")) }
    return answer
  }

  private func nothingStored(_ rejected: [UInt8]) -> HTTPAnswer {
    var text = JSONText()
    text.beginObject()
    text.name("accepted")
    text.value(0)
    text.members(rejected)
    text.endObject()
    return .json(.ok, text)
  }
}

/// Decompresses request bodies.
package protocol Inflater: Sendable {
  /// The bytes `body` stands for. Takes them from `budget`; the caller gives back `count` of what it got.
  ///
  /// - Throws: 413 beyond `bytesMax`, 503 when the budget is used up, 400 for a broken stream; nothing is taken then.
  func inflate(_ body: [UInt8], bytesMax: Int, budget: UploadBudget) throws(Problem) -> [UInt8]
}
