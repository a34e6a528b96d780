import Access
import Codecs
import Records
import Routing

/// What the write routes of all APIs do alike: bodies decompressed within the budget, idempotency, the
/// append, metrics.
package struct RecordStoring: Sendable {
  static let keyBytesMax = 255

  private let sink: any BatchSink
  private let metrics: HTTPMetrics
  private let bodyBytesMax: Int

  package init(sink: any BatchSink, metrics: HTTPMetrics, bodyBytesMax: Int) {
    self.sink = sink
    self.metrics = metrics
    self.bodyBytesMax = bodyBytesMax
  }

  /// Runs `use` with the body, decompressed if it is compressed.
  package func withBody<Value>(
    of call: HTTPCall, _ use: ([UInt8]) async throws(Problem) -> Value
  ) async throws(Problem) -> Value {
    guard let coding = call.head.contentCoding else { return try await use(call.body) }
    let body = try coding.decode(call.body, bytesMax: bodyBytesMax, budget: metrics.uploads)
    defer { metrics.uploads.give(body.count) }
    return try await use(body)
  }

  /// Stores what `write` says for `principal` and answers once it is on the disk. Whatever may refuse the
  /// request has its place before: `answer` cannot.
  ///
  /// A repeat of a request with the same key stores nothing and is answered as the first was, with
  /// `Idempotency-Replayed: true`: `answer` gets the first one's receipt.
  ///
  /// - Parameter key: Found elsewhere than in `Idempotency-Key`, or what ``key(of:field:)`` found; nil: none.
  package func store(
    _ write: RecordWrite, key: String?, of call: HTTPCall, for principal: Principal,
    answer: (AppendReceipt) -> HTTPAnswer
  ) async throws(Problem) -> HTTPAnswer {
    let idempotency = key.map {
      IdempotencyKey(
        key: $0, credential: principal.credential, bodyHash: RecordStoring.hash(call.body, salt: write.salt),
        answer: write.kept)
    }
    let receipt: AppendReceipt
    do throws(StoreError) {
      receipt = try await sink.append(
        write.batch, to: Partition(tenant: principal.tenant, dataset: write.dataset),
        idempotency: idempotency)
    } catch {
      throw Problem(error)
    }
    var answer = answer(receipt)
    if receipt.isReplay {
      answer.headers.append(("Idempotency-Replayed", "true"))
    } else {
      metrics.recordsAccepted(receipt.rowCount, dataset: write.dataset, bodyBytes: write.bodyBytes)
    }
    return answer
  }

  /// The same under the key in `Idempotency-Key`, if there is one.
  package func store(
    _ write: RecordWrite, of call: HTTPCall, for principal: Principal,
    answer: (AppendReceipt) -> HTTPAnswer
  ) async throws(Problem) -> HTTPAnswer {
    try await store(
      write, key: try RecordStoring.key(of: call), of: call, for: principal, answer: answer)
  }

  /// The key of the header field `name`; nil without one.
  static func key(of call: HTTPCall, field name: String = "Idempotency-Key") throws(Problem) -> String? {
    guard let key = call.head.headers.first(name: name) else { return nil }
    guard (1...RecordStoring.keyBytesMax).contains(key.utf8.count),
      key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { throw Problem(400, "\(name) must have 1 to 255 visible ASCII characters.") }
    return key
  }

  /// 128 bits over the body as sent and over what else decides what is stored.
  private static func hash(_ body: [UInt8], salt: UInt64) -> [UInt8] {
    [salt, salt ^ 1 << 32].flatMap { seed in
      let sum = Hash64.xxh64(body, seed: seed)
      return (0..<8).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) }
    }
  }
}

extension RouteBody {
  /// A JSON body of at most what `limits` allow, compressed or not.
  static func json(_ schema: String, _ example: String, within limits: HTTPLimits) -> RouteBody {
    .json(schema, example, bytesMax: limits.bodyBytesMax).compressible
  }
}
