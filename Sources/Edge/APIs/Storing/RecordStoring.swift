import Access
import Codecs
import Columnar
import Decoding
import Platform
import Records
import Routing

/// What the write routes of all APIs do alike: bodies decompressed within the budget, idempotency, the
/// append, metrics.
package struct RecordStoring: Sendable {
  static let keyBytesMax = 255

  /// How long after the start a repeat may be of a request that a version before 0.4 stored: as long as the
  /// journal knows a key.
  static let earlierSeconds: Int64 = 15 * 60

  private let sink: any BatchSink
  private let seal: RequestSeal
  private let uptime: any UptimeClock
  private let earlierUntil: Int64
  private let metrics: HTTPMetrics
  private let bodyBytesMax: Int
  /// Are told of what was stored; nil: nobody's are limited.
  package var rates: RequestRates?
  /// What takes long with a body is done here, so that nobody else's answer waits for it.
  private let threads: WorkerPool

  /// Bodies up to this size are decoded where they are: in less than a millisecond, whatever they hold.
  static let inlineBytesMax = 32 << 10
  /// Compressed bodies up to this size are decompressed where they are: a byte may stand for a thousand.
  static let inlineCodedBytesMax = 256

  /// Starts the threads that long bodies are decoded on.
  ///
  /// - Parameters:
  ///   - threads: One a core: the system shares the cores with those that answer others. What waits for them
  ///     is bounded by the upload budget, which its bodies are taken from.
  ///   - uptime: Began with the store: says how long keys of an earlier version may be known.
  package init(
    sink: any BatchSink, seal: RequestSeal, metrics: HTTPMetrics, bodyBytesMax: Int, threads: Int = 2,
    uptime: any UptimeClock = SystemUptime()
  ) {
    self.sink = sink
    self.seal = seal
    self.uptime = uptime
    earlierUntil = uptime.uptime() + RecordStoring.earlierSeconds * 1_000_000_000
    self.metrics = metrics
    self.bodyBytesMax = bodyBytesMax
    self.threads = WorkerPool(threads: threads, name: "decoding")
  }

  /// Runs `use` with the body, decompressed if it is compressed.
  ///
  /// - Parameter assumed: How it is compressed if the request does not say so; nil: not at all.
  package func withBody<Value>(
    of call: HTTPCall, unlessSaid assumed: ContentCoding? = nil,
    _ use: ([UInt8]) async throws(Problem) -> Value
  ) async throws(Problem) -> Value {
    guard let coding = call.head.contentCoding ?? assumed else { return try await use(call.body) }
    let (sent, most, budget) = (call.body, bodyBytesMax, metrics.uploads)
    let decompress = { @Sendable () throws(Problem) -> [UInt8] in
      try coding.decode(sent, bytesMax: most, budget: budget)
    }
    let body =
      sent.count > RecordStoring.inlineCodedBytesMax ? try await threads.run(decompress) : try decompress()
    defer { metrics.uploads.give(body.count) }
    return try await use(body)
  }

  /// What `decode` makes of `body`. Of a long body it runs on threads of its own, and columns as large as the
  /// body are taken from the upload budget meanwhile.
  ///
  /// - Parameters:
  ///   - isCompressed: Whether `decode` decompresses: a byte may stand for a thousand.
  ///   - decode: Takes the memory for trees from what it is given.
  /// - Throws: 503 when the budget is used up, and what `decode` throws.
  package func decoding<Value: Sendable>(
    _ body: [UInt8], isCompressed: Bool = false,
    _ decode: @escaping @Sendable ([UInt8], DecodingMemory) throws(Problem) -> Value
  ) async throws(Problem) -> Value {
    let budget = metrics.uploads
    let memory = DecodingMemory(
      bytesMax: budget.bytesMax, take: { budget.take($0) }, give: { budget.give($0) })
    let inlineBytesMax =
      isCompressed ? RecordStoring.inlineCodedBytesMax : RecordStoring.inlineBytesMax
    guard body.count > inlineBytesMax else { return try decode(body, memory) }
    guard budget.take(body.count) else { throw .tooManyUploads }
    defer { budget.give(body.count) }
    return try await threads.run { () throws(Problem) in try decode(body, memory) }
  }

  /// What bodies are taken of.
  var uploads: UploadBudget { metrics.uploads }

  /// Counts what a push had beside what is stored; see ``HTTPMetrics/pushed(by:refused:timesUnread:)``.
  func countPush(by way: String, refused: Int, timesUnread: Int) {
    metrics.pushed(by: way, refused: refused, timesUnread: timesUnread)
  }

  /// What `work` makes of `body`: on threads of its own, if the body is long.
  package func aside<Value: Sendable, Failure: Error>(
    of body: [UInt8], _ work: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    guard body.count > RecordStoring.inlineBytesMax else { return try work() }
    return try await threads.run(work)
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
    answer: (AppendReceipt) async -> HTTPAnswer
  ) async throws(Problem) -> HTTPAnswer {
    let part = try ImportField.part(of: call)
    let idempotency = try once(key, part, write, of: call, for: principal)
    let receipt = try await append(write, once: idempotency, for: principal)
    var answer = await answer(receipt)
    if let part { answer.headers.append((ImportField.name, ImportField.text(part))) }
    if receipt.isReplay { answer.headers.append(("Idempotency-Replayed", "true")) }
    return answer
  }

  /// Stores records that came without a request, and returns once they are on the disk.
  ///
  /// - Parameter repeated: What a repeat of them is known by, and the bytes they came in; nil: nobody repeats
  ///   them. Under a name that other bytes had before they are stored as well.
  func store(
    _ write: RecordWrite, for principal: Principal, repeated: (key: [UInt8], body: [UInt8])? = nil
  ) async throws(Problem) {
    let key = repeated.map {
      IdempotencyKey(
        key: seal.key(Hex.text($0.key)), credential: principal.credential,
        bodyHash: seal.body($0.body, salt: write.salt), answer: write.kept)
    }
    do throws(Problem) { _ = try await append(write, once: key, for: principal) } catch {
      // There are other bytes of that name, or too many names.
      guard key != nil, error.status == 422 || error.status == 429 else { throw error }
      _ = try await append(write, once: nil, for: principal)
    }
    // Of a request they are charged when it is let in.
    rates?.charge(bytes: write.bodyBytes, to: principal)
  }

  /// What becomes of messages of a listener that `store` decodes and stores.
  ///
  /// - Parameters:
  ///   - count: How many they are, for those that cannot be stored by any repeat.
  ///   - answer: To be sent back for them.
  func outcome(
    of count: Int, by way: String, for principal: Principal, answer: [UInt8] = [],
    _ store: () async throws(Problem) -> Void
  ) async -> IntakeOutcome {
    do throws(Problem) {
      try admit(principal)
      try await store()
    } catch {
      // What passes by itself: others have the memory, the disk is full, the rate is used up.
      if error.status == 429 || error.status >= 500 {
        return .later(seconds: Double(error.retryAfterSeconds ?? 1), reason: error.cause ?? error.detail)
      }
      countPush(by: way, refused: count, timesUnread: 0)
    }
    return .done(answer: answer)
  }

  /// Stores the records, and counts them unless they were stored before.
  private func append(
    _ write: RecordWrite, once idempotency: IdempotencyKey?, for principal: Principal
  ) async throws(Problem) -> AppendReceipt {
    let receipt: AppendReceipt
    do throws(StoreError) {
      receipt = try await sink.append(
        write.batch, to: Partition(tenant: principal.tenant, dataset: write.dataset),
        idempotency: idempotency)
    } catch { throw Problem(error) }
    if !receipt.isReplay {
      metrics.recordsAccepted(receipt.rowCount, dataset: write.dataset, bodyBytes: write.bodyBytes)
      rates?.charge(rows: receipt.rowCount, to: principal)
    }
    return receipt
  }

  /// - Throws: 429: the caller's rate is used up.
  func admit(_ principal: Principal) throws(Problem) {
    if let refusal = rates?.take(principal).refusal { throw refusal }
  }

  /// What a repeat is known by.
  ///
  /// - Throws: 400 for a key and a piece of an import in one request.
  private func once(
    _ key: String?, _ part: ImportPart?, _ write: RecordWrite, of call: HTTPCall, for principal: Principal
  ) throws(Problem) -> IdempotencyKey? {
    guard let part else {
      return key.map {
        IdempotencyKey(
          key: seal.key($0), credential: principal.credential,
          bodyHash: seal.body(call.body, salt: write.salt), answer: write.kept,
          earlier: earlier($0, call.body, salt: write.salt))
      }
    }
    guard key == nil else { throw Problem(400, "A request has an idempotency key or \(ImportField.name).") }
    return IdempotencyKey(part, scope: write.salt, answer: write.kept)
  }

  /// The same under the key in `Idempotency-Key`, if there is one.
  package func store(
    _ write: RecordWrite, of call: HTTPCall, for principal: Principal,
    answer: (AppendReceipt) async -> HTTPAnswer
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

  /// The request as versions before 0.4 kept it: the key itself and two sums of the body.
  private func earlier(_ key: String, _ body: [UInt8], salt: UInt64) -> IdempotencyKey.Earlier? {
    guard uptime.uptime() < earlierUntil else { return nil }
    let hash = [salt, salt ^ 1 << 32].flatMap { seed in
      let sum = Hash64.xxh64(body, seed: seed)
      return (0..<8).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) }
    }
    return IdempotencyKey.Earlier(key: key, bodyHash: hash)
  }
}

extension RouteBody {
  /// A JSON body of at most what `limits` allow, compressed or not.
  static func json(_ schema: String, _ example: String, within limits: HTTPLimits) -> RouteBody {
    .json(schema, example, bytesMax: limits.bodyBytesMax).compressible
  }
}
