import APIs
import Access
import Blocks
import HTTP
import Journaling
import Logging
import Platform
import Querying
import Records
import Routing
import Storage
import Tailing
import TestKit
import Testing

/// What an API of one file gets from the rest of the server: nothing else knows of the toy.
@Suite struct ToyAPITests {
  private static let registry = Registry.standard.adding(realms: [ToyAPI.realm], datasets: [ToyAPI.notes])

  /// A server over a store on a simulated disk.
  private struct Server {
    let storage: Storage
    let http: HTTPServer
    let client: WireClient

    init(_ disk: SimulatedDisk) async throws {
      var options = StorageOptions()
      options.journal.registry = registry
      options.journal.writeReserveBytes = 0
      options.journal.segmentBytes = 1 << 20
      storage = try await Storage.open(
        directory: "data",
        environment: StoreEnvironment(
          fileSystem: disk, clock: SystemClock(), entropy: SeededEntropy(seed: 1)),
        options: options, format: ParquetBlocks(), locks: false)
      let metrics = HTTPMetrics(uploads: UploadBudget(bytesMax: 1 << 20), datasets: registry.datasets)
      var services = APIServices(
        store: RecordStoring(sink: storage, seal: testSeal, metrics: metrics, bodyBytesMax: 1 << 20),
        engine: QueryEngine(
          source: storage, workers: WorkerPool(threads: 1, name: "query"),
          budget: MemoryBudget(bytesMax: 64 << 20)),
        control: storage, streams: .none, log: RecordedAccess(), clock: SystemClock())
      services.registry = registry
      let toy = ToyAPI(services: services).api
      let reference = ReferenceRoutes(version: "0", store: "s", hasPage: true, others: [toy])
      http = HTTPServer(
        router: Router(RouteTable([reference.api, toy])), limits: .patient, metrics: metrics,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: SystemClock(), threads: 1)
      client = try WireClient(port: try await http.listen(on: Listener(host: "127.0.0.1", port: 0)))
    }

    func ask(_ method: String, _ path: String, as name: String?, body: String = "") async throws -> WireAnswer
    {
      try await client.request(method, path, headers: name.map { [("X-Name", $0)] } ?? [], body: body)
    }

    func stop() async {
      await http.stop(withinSeconds: 600)
      await storage.stop()
    }
  }

  @Test func itIsServedDocumentedAndKeptApart() async throws {
    let disk = SimulatedDisk(seed: 1)
    var server = try await Server(disk)
    #expect(
      try await server.ask("POST", "/toy/notes", as: "ann", body: #"[{"text":"hello you"}]"#).status == 201)
    #expect(try await server.ask("GET", "/toy/notes/hello", as: "ann").text == #"{"notes":1}"#)
    #expect(try await server.ask("GET", "/toy/notes/hello", as: "bob").text == #"{"notes":0}"#)
    #expect(try await server.ask("GET", "/toy/notes/hello", as: nil).status == 401)
    let refused = try await server.ask("DELETE", "/toy/notes", as: "ann")
    #expect(refused.status == 405 && refused.headers["allow"] == "POST")
    #expect(try await server.ask("GET", "/toy/other", as: "ann").status == 404)
    let document = try await server.ask("GET", "/openapi.json", as: nil).text
    #expect(
      document.contains(#""/toy/notes/{word}":{"get""#) && document.contains(#""toyName":{"type":"apiKey""#))
    #expect(try await server.ask("GET", "/", as: nil).text.contains(#""/toy/notes""#))
    try await server.storage.archive()
    #expect(
      try await server.ask("GET", "/toy/notes/hello", as: "ann").text == #"{"notes":1}"#, "from a block")
    await server.stop()
    server = try await Server(disk)
    #expect(
      try await server.ask("GET", "/toy/notes/you", as: "ann").text == #"{"notes":1}"#, "after a restart")
    await server.stop()
  }
}
