import APIs
import Access
import Codecs
import Decoding
import EntryDecoding
import Foundation
import HTTP
import Logging
import Masking
import Platform
import Records
import Routing
import Synchronization
import TestKit
import Testing

/// Takes a number for a body: so many rows; anything else is wrong.
struct FakeDecoding: IngestDecoding {
  func decode(
    _ body: [UInt8], for tenant: Tenant, within memory: DecodingMemory
  ) throws(ValidationFailure) -> IngestBatch {
    guard let count = Int(String(decoding: body, as: UTF8.self)) else {
      throw ValidationFailure([
        ValidationError([.name("body"), .name("entries")], "missing", "Field required")
      ])
    }
    let fields = [Field("timestamp", .timestamp, isNullable: false)]
    let column = Column(timestamps: [Int64](repeating: 0, count: count))
    return IngestBatch(
      records: RecordBatch(fields: fields, columns: [column], rowCount: count), idempotencyKey: nil,
      maskedCounts: [MaskedCount(rule: "password", count: count)], maskingFailedCount: 0)
  }

  func tryMasking(_ entry: [UInt8], for tenant: Tenant?) -> MaskingReport? { nil }
}

/// Refuses what it is told to, and counts what it hears.
final class FakeForwarding: EntryForwarding {
  struct State {
    var refusal: QuotaRefusal?
    var accepted: [String] = []
    var flush = IngestFlush()
  }
  let state = Mutex(State())
  var isConfigured: Bool { true }
  var isRunning: Bool { true }
  func refusal(of tenant: Tenant, adding bytes: Int) -> QuotaRefusal? {
    tenant.name == "b" ? nil : state.withLock { $0.refusal }
  }
  func accepted(_ tenant: Tenant, positions: Range<Int64>, bytes: Int) {
    state.withLock { $0.accepted.append("\(tenant.name) \(positions) \(bytes)") }
  }
  func flush(timeoutSeconds: Int) async -> IngestFlush { state.withLock { $0.flush } }
  func deadLetters(
    of tenant: Tenant?, after: Int64, limit: Int
  ) async throws(ForwardingFailure) -> [DeadLetterEntry] {
    throw .storage("reading /secret/path")
  }
  func replay(_ choice: DeadLetterChoice) async throws(ForwardingFailure) -> Int {
    throw .destination("busy")
  }
  func drop(_ choice: DeadLetterChoice) async throws(ForwardingFailure) -> Int { 3 }
}

/// The ingest API's routes over fakes.
@Suite struct IngestRouteTests {
  private final class Bench {
    let folder = NSTemporaryDirectory() + "cordwood-routes-\(UUID().uuidString)"
    let store = FakeStore()
    let forwarding = FakeForwarding()
    let log = RecordedAccess()
    let clock = ManualClock(1_700_000_000_000_000_000)
    let registry = MetricsRegistry()
    let http: HTTPServer
    let port: Int

    init(burst: Double = 1000) async throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let database = try ControlDatabase(path: folder + "/control.sqlite")
      let keyStore = try await KeyStore(database, clock: clock)
      let limits = HTTPLimits.patient
      let metrics = HTTPMetrics(
        uploads: UploadBudget(bytesMax: limits.uploadBytesMax), datasets: Registry.standard.datasets)
      let own = IngestMetrics(usage: { [] })
      registry.register { await own.collect(into: &$0) }
      let services = APIServices(
        store: RecordStoring(
          sink: store, seal: testSeal, metrics: metrics, bodyBytesMax: limits.bodyBytesMax),
        engine: UnaskedEngine(), control: store, streams: .none, log: log, clock: clock)
      var parts = IngestRoutes.Parts(
        keys: IngestKeys(
          configured: [IngestKey(name: "a", token: "token-aaaa"), IngestKey(name: "b", token: "token-bbbb")],
          adminToken: "token-admin", store: keyStore), keyStore: keyStore, decoder: FakeDecoding(),
        pressure: IngestPressure(
          buckets: TokenBuckets(RequestRate(perSecond: 0.5, burst: burst), clock: clock),
          forwarding: forwarding, clock: clock),
        forwarding: forwarding, metrics: own)
      parts.bodyBytesMax = 1000
      let routes = IngestRoutes(services, parts, native: KeyDirectory(keys: [], openTenant: nil))
      http = HTTPServer(
        router: Router(RouteTable([routes.api])), limits: limits, metrics: metrics,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: clock, threads: 1)
      port = try await http.listen(on: Listener(host: "127.0.0.1", port: 0))
    }

    func send(
      _ body: String, token: String = "token-aaaa", path: String = "/v1/logs:ingest", method: String = "POST",
      type: String = "application/json"
    ) async throws -> WireAnswer {
      try await WireClient(port: port).request(
        method, path, headers: [("Authorization", "Bearer \(token)"), ("Content-Type", type)], body: body)
    }

    func finish() async {
      await http.stop(withinSeconds: 1)
      try? FileManager.default.removeItem(atPath: folder)
    }
  }

  static let storeErrors: [(StoreError, Int, String)] = [
    (.diskFull("x"), 507, "30"), (.headFull(retryAfterSeconds: 4), 503, "4"),
    (.poisoned("/data/x"), 503, "30"),
    (.stopping, 503, "5"), (.memoryExhausted("x"), 503, "1"),
  ]

  @Test func whoHasToWaitIsToldForHowLong() async throws {
    let bench = try await Bench()
    for (error, status, seconds) in IngestRouteTests.storeErrors {
      bench.store.fail(with: error)
      let answer = try await bench.send("2")
      #expect(answer.status == status && answer.headers["retry-after"] == seconds, "\(error)")
      #expect(answer.text.hasPrefix(#"{"error":"wal_error","message":""#), "\(answer.text)")
      #expect(answer.text.hasSuffix(#""details":{"retry_after":\#(seconds)}}"#), "\(answer.text)")
      #expect(!answer.text.contains("/data/"))
    }
    bench.store.fail(with: .keysExhausted(retryAfterSeconds: 9))
    let keys = try await bench.send("2")
    #expect(keys.status == 429 && keys.headers["retry-after"] == "9")
    #expect(keys.text.hasPrefix(#"{"error":"rate_limit_exceeded""#), "\(keys.text)")
    bench.store.fail(with: .disk("/data/x"))
    let failed = try await bench.send("2")
    #expect(
      failed.status == 500 && failed.text.hasPrefix(#"{"error":"internal_server_error""#), "\(failed.text)")
    bench.store.fail(with: nil)
    #expect(bench.store.rowCount == 0)
    #expect(try await bench.send("2").status == 202)
    #expect(bench.forwarding.state.withLock { $0.accepted } == ["a 0..<2 1"])
    let figures = String(decoding: await bench.registry.render(), as: UTF8.self)
    #expect(figures.contains(#"logs_rejected_total{token="a",reason="no_space"} 2"#))
    #expect(figures.contains(#"logs_rejected_total{token="a",reason="unavailable"} 10"#))
    #expect(figures.contains(#"masking_operations_total{token="a",field="password"} 2"#))
    await bench.finish()
  }

  @Test func pressureComesInItsOrder() async throws {
    let bench = try await Bench(burst: 2)
    bench.forwarding.state.withLock { $0.refusal = QuotaRefusal(kind: "age", retryAfterSeconds: 0) }
    let quota = try await bench.send("1")
    #expect(quota.status == 429 && quota.headers["retry-after"] == "1", "a whole second at least")
    #expect(
      quota.text.contains(#""error":"quota_exceeded""#) && quota.text.contains(#"{"quota_type":"age"}"#))
    #expect(try await bench.send("1", token: "token-bbbb").status == 202, "that key only")
    #expect(try await bench.send("bad").status == 422)
    #expect(try await bench.send("1").status == 429)
    #expect(
      try await bench.send("bad").status == 422, "validation takes nothing from the bucket, and comes first")
    let rate = try await bench.send("1")
    #expect(
      rate.status == 429 && rate.headers["retry-after"] == "2" && rate.text.contains("rate_limit_exceeded"))
    #expect(bench.log.events.filter { $0.kind == .rateLimited }.count == 1)
    #expect(bench.log.events.filter { $0.kind == .quotaExceeded }.count == 1, "once a second")
    bench.forwarding.state.withLock { $0.refusal = nil }
    bench.clock.advance(seconds: 2)
    #expect(try await bench.send("1").status == 202, "the wait was right")
    await bench.finish()
  }

  @Test func requestsAreCheckedBeforeTheyAreRead() async throws {
    let bench = try await Bench()
    #expect(try await bench.send("1", token: "nope-nope").status == 401)
    #expect(try await bench.send("1", method: "PUT").status == 405)
    let text = try await bench.send("1", type: "text/plain")
    #expect(text.status == 422 && text.text.contains("model_attributes_type"))
    #expect(try await bench.send("1", type: "application/vnd.x+json; charset=utf-8").status == 202)
    #expect(try await bench.send(String(repeating: "1", count: 1001)).status == 413)
    #expect(try await bench.send("1", path: "/v1/logs%3aingest").status == 202)
    #expect(try await bench.send("1", path: "/v1/logs:other").status == 404)
    #expect(bench.log.events.contains { $0.kind == .ingestKeyRefused && $0.outcome == .refused("unknown") })
    await bench.finish()
  }

  @Test func administratorsAreToldWhatWentWrong() async throws {
    let bench = try await Bench()
    func admin(_ method: String, _ path: String, _ body: String = "") async throws -> WireAnswer {
      try await bench.send(body, token: "token-admin", path: "/v1/admin/" + path, method: method)
    }
    let letters = try await admin("GET", "deadletters")
    #expect(letters.status == 500 && !letters.text.contains("/secret"))
    #expect(try await admin("GET", "deadletters?limit=0").status == 400)
    let replay = try await admin("POST", "deadletters/replay", #"{"all":true}"#)
    #expect(replay.status == 503 && replay.headers["retry-after"] == "30")
    #expect(try await admin("POST", "deadletters/drop", #"{"ids":[1,2]}"#).text == #"{"dropped":3}"#)
    for wrong in [
      "", "[]", "{}", #"{"all":false}"#, #"{"ids":["x"]}"#, #"{"ids":[1],"all":true}"#, #"{"token":""}"#,
    ] {
      #expect(try await admin("POST", "deadletters/drop", wrong).status == 422, "\(wrong)")
    }
    bench.forwarding.state.withLock {
      $0.flush = IngestFlush(
        parts: [IngestFlush.Part(tenant: Tenant(realm: .ingest, name: "a"), entryCount: 3, bytes: 9)])
    }
    let flush = try await admin("POST", "flush", #"{"token":"x","force":true}"#)
    for wrong in ["not json", "[]", #"{"archiv":true}"#] {
      #expect(try await admin("POST", "flush", wrong).status == 422, "\(wrong)")
    }
    #expect(
      flush.text
        == #"{"message":"Flush completed successfully","entries_forwarded":3,"segments_processed":1,"flushed_segments":[{"token":"a","segment":"journal","size_bytes":9,"entries_count":3}]}"#
    )
    #expect(try await admin("POST", "flush", #"{"archive":"yes"}"#).status == 422)
    for wrong in ["", "x", "[]", "{}", #"{"service_name":"ab","description":"long enough"}"#] {
      #expect(try await admin("POST", "tokens/generate", wrong).status == 422, "\(wrong)")
    }
    let made = try await admin("POST", "tokens/generate", #"{"service_name":"a_b-c","description":"12345"}"#)
    #expect(made.status == 200 && made.text.hasPrefix(#"{"token":"logstack_abc_"#), "\(made.text)")
    await bench.finish()
  }
}
