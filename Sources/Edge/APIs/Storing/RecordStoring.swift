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

  /// Appends `batch` and returns when it is on the disk.
  ///
  /// - Parameters:
  ///   - bodyBytes: Of the decompressed body, for metrics.
  ///   - salt: Stands for what decides besides the body what is stored: a repeated `Idempotency-Key` must
  ///     have the same.
  ///   - answer: Kept with the key for a repeated request.
  package func append(
    _ batch: RecordBatch, of call: HTTPCall, bodyBytes: Int, for principal: Principal, salt: UInt64,
    dataset: Dataset, answer: [UInt8] = []
  ) async throws(Problem) -> AppendReceipt {
    try await append(
      batch, key: try RecordStoring.key(of: call), of: call, bodyBytes: bodyBytes, for: principal, salt: salt,
      dataset: dataset, answer: answer)
  }

  /// The same under a key that was found elsewhere than in `Idempotency-Key`; nil: none.
  package func append(
    _ batch: RecordBatch, key: String?, of call: HTTPCall, bodyBytes: Int, for principal: Principal,
    salt: UInt64, dataset: Dataset, answer: [UInt8] = []
  ) async throws(Problem) -> AppendReceipt {
    let idempotency = key.map {
      IdempotencyKey(
        key: $0, credential: principal.credential, bodyHash: RecordStoring.hash(call.body, salt: salt),
        answer: answer)
    }
    let receipt: AppendReceipt
    do throws(StoreError) {
      receipt = try await sink.append(
        batch, to: Partition(tenant: principal.tenant, dataset: dataset), idempotency: idempotency)
    } catch {
      throw Problem(error)
    }
    if !receipt.isReplay { metrics.recordsAccepted(receipt.rowCount, dataset: dataset, bodyBytes: bodyBytes) }
    return receipt
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
