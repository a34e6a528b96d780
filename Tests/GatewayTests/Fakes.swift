import APIs
import Access
import Codecs
import Columnar
import Decoding
import Encoding
import HTTP
import Logging
import Platform
import Records
import Routing
import Synchronization

/// What stands between requests and their store.
let testSeal = RequestSeal(key: [UInt8](repeating: 7, count: 32))

/// A store in memory that does what it is told.
final class FakeStore: BatchSink, StoreControl, Sendable {
  struct Appended: Sendable {
    var partition: Partition
    var batch: RecordBatch
    var key: IdempotencyKey?
  }

  struct State: Sendable {
    var appended: [Appended] = []
    var receipts: [String: (IdempotencyKey, AppendReceipt)] = [:]
    var nextPosition: Int64 = 0
    var error: StoreError?
    var archives = 0
    var deletions: [(Partition, Predicate)] = []
  }

  let state = Mutex(State())

  var rowCount: Int { state.withLock { $0.appended.reduce(0) { $0 + $1.batch.rowCount } } }
  func fail(with error: StoreError?) { state.withLock { $0.error = error } }

  func append(
    _ batch: RecordBatch, to partition: Partition, idempotency: IdempotencyKey?
  ) async throws(StoreError) -> AppendReceipt {
    let result: Result<AppendReceipt, StoreError> = state.withLock { state in
      if let error = state.error { return .failure(error) }
      if let key = idempotency, let (known, receipt) = state.receipts[key.key] {
        guard known.bodyHash == key.bodyHash else { return .failure(.idempotencyMismatch) }
        return .success(
          AppendReceipt(
            firstPosition: receipt.firstPosition, rowCount: receipt.rowCount, firstID: receipt.firstID,
            ingestedAt: receipt.ingestedAt, isReplay: true, answer: known.answer))
      }
      let receipt = AppendReceipt(
        firstPosition: state.nextPosition, rowCount: batch.rowCount,
        firstID: [UInt8](repeating: 7, count: 16), ingestedAt: 1)
      state.nextPosition += Int64(batch.rowCount)
      state.appended.append(Appended(partition: partition, batch: batch, key: idempotency))
      if let key = idempotency { state.receipts[key.key] = (key, receipt) }
      return .success(receipt)
    }
    return try result.get()
  }

  func archive(_ isWanted: @escaping @Sendable (Tenant) -> Bool) async throws(StoreError) {
    let error = state.withLock { state in
      state.archives += 1
      return state.error
    }
    if let error { throw error }
  }

  func delete(_ predicate: Predicate, from partition: Partition) async throws(StoreError) -> Int {
    state.withLock { $0.deletions.append((partition, predicate)) }
    return 3
  }

  func retain() async throws(StoreError) -> Int { 0 }
  func usage() -> [PartitionUsage] { [] }
  func writeFailure() -> StoreError? { state.withLock { $0.error } }
  func damagedFiles() -> [DamagedFile] { [] }
}

/// Answers every query with the same pieces; a nil piece is a failure.
struct FakeQueries: NativeQueries {
  var pieces: [[UInt8]?] = [Array("[]".utf8)]
  var startError: StoreError?

  final class Chunks: AnswerChunks {
    var rest: [[UInt8]?]
    init(_ pieces: [[UInt8]?]) { rest = pieces }
    func next() async throws(StoreError) -> [UInt8]? {
      guard !rest.isEmpty else { return nil }
      guard let piece = rest.removeFirst() else { throw .disk("reading /secret/path") }
      return piece
    }
  }

  func start(
    _ body: [UInt8], principal: Principal, form: AnswerForm
  ) async throws(StoreError) -> sending any AnswerChunks {
    if let startError { throw startError }
    return Chunks(pieces)
  }
}

/// Ready while writes are taken.
struct FakeReadiness: ReadinessChecks {
  let control: any StoreControl

  func run() async -> [ReadinessCheck] {
    let isHealthy = await control.writeFailure() == nil
    return [
      ReadinessCheck("wal", isHealthy: isHealthy, message: "m", details: Array("{}".utf8), checkedAt: 0)
    ]
  }
}

/// Keeps access events.
final class RecordedAccess: AccessLog, Sendable {
  private let kept = Mutex<[AccessEvent]>([])
  var events: [AccessEvent] { kept.withLock { $0 } }
  func record(_ event: AccessEvent) { kept.withLock { $0.append(event) } }
}

/// A server on a free port of 127.0.0.1 over fakes.
final class TestServer: Sendable {
  let port: Int
  let store = FakeStore()
  let registry = MetricsRegistry()
  let accessLog = RecordedAccess()
  let metrics: HTTPMetrics
  private let http: HTTPServer

  static let writerKey = "writer-key-0123456789"
  static let readerKey = "reader-key-0123456789"
  static let adminKey = "admin-key-01234567890"

  init(
    limits: HTTPLimits = .patient, queries: FakeQueries = FakeQueries(), isOpen: Bool = true
  ) async throws {
    metrics = HTTPMetrics(
      uploads: UploadBudget(bytesMax: limits.uploadBytesMax), datasets: Registry.standard.datasets)
    let tenant = Tenant(realm: .native, name: "acme")
    let directory = KeyDirectory(
      keys: [
        APIKey(name: "w", key: TestServer.writerKey, tenant: tenant, role: .writer),
        APIKey(name: "r", key: TestServer.readerKey, tenant: tenant, role: .reader),
        APIKey(name: "a", key: TestServer.adminKey, tenant: tenant, role: .admin),
      ], openTenant: isOpen ? Tenant(realm: .native, name: "default") : nil)
    let metrics = metrics
    registry.register { metrics.collect(into: &$0) }
    let storing = RecordStoring(
      sink: store, seal: testSeal, metrics: metrics, bodyBytesMax: limits.bodyBytesMax)
    let operations = OperationsRoutes(
      registry: registry, readiness: FakeReadiness(control: store), clock: SystemClock())
    var services = APIServices(
      store: storing, engine: UnaskedEngine(), control: store, streams: .none, log: accessLog,
      clock: SystemClock())
    services.registry = .standard
    services.limits = limits
    let native = NativeRoutes(services, directory: directory, queries: queries)
    let apis = [operations.api, native.api]
    let reference = ReferenceRoutes(version: "test", store: "s", hasPage: true, others: apis)
    let router = Router(RouteTable([reference.api] + apis))
    http = HTTPServer(
      router: router, limits: limits, metrics: metrics,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: SystemClock(), threads: 1)
    port = try await http.listen(on: Listener(host: "127.0.0.1", port: 0))
  }

  func client(receiveBytes: Int32? = nil) throws -> WireClient {
    try WireClient(port: port, receiveBytes: receiveBytes)
  }

  func stop(withinSeconds seconds: Int = 600) async { await http.stop(withinSeconds: seconds) }
}

/// Runs `body` with a server, and stops it.
func withServer(
  limits: HTTPLimits = .patient, queries: FakeQueries = FakeQueries(), isOpen: Bool = true,
  _ body: (TestServer) async throws -> Void
) async throws {
  let server = try await TestServer(limits: limits, queries: queries, isOpen: isOpen)
  do {
    try await body(server)
  } catch {
    await server.stop()
    throw error
  }
  await server.stop()
}

extension HTTPLimits {
  /// A machine that is busy with other tests must not look like a client that is slow.
  static var patient: HTTPLimits {
    var limits = HTTPLimits()
    limits.requestSeconds = 900
    limits.idleSeconds = 900
    limits.silentSeconds = 900
    limits.stallSeconds = 900
    return limits
  }
}
