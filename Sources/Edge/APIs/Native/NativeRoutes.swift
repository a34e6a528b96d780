import Access
import Codecs
import Encoding
import Matching
import Querying
import Records
import Routing

/// The native API behind `/v1`: records in, questions out (Docs/api.md).
package struct NativeRoutes: RecordOwner {
  package static let realm = Realm.native
  /// None of its own: it takes those of all.
  package static let datasets: [Dataset] = []

  private let callers: NativeCallers
  private let writing: RecordWriting
  private let queries: any NativeQueries
  private let control: any StoreControl
  private let limits: HTTPLimits
  private let registry: Registry
  private let tail: TailRoutes
  private let exploring: ExploringRoutes

  /// - Parameter queries: nil: those of the engine.
  package init(_ services: APIServices, directory: KeyDirectory, queries: (any NativeQueries)? = nil) {
    callers = NativeCallers(directory, log: services.log)
    self.queries =
      queries
      ?? EngineQueries(
        engine: services.engine, registry: services.registry, seal: services.streams.seal)
    writing = RecordWriting(
      store: services.store, clock: services.clock, decodingLimits: services.decodingLimits,
      registry: services.registry)
    control = services.control
    limits = services.limits
    registry = services.registry
    exploring = ExploringRoutes(engine: services.engine, registry: services.registry)
    tail = TailRoutes(directory, streams: services.streams, registry: services.registry)
  }

  /// The credential of its callers.
  package static let key = CredentialKind("nativeKey", "an API key of the native API, if there is any")

  private static let textTypes = [
    "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl",
    "application/x-jsonlines", "text/plain", "application/octet-stream",
    // What `curl -d` says when it is told nothing else.
    "application/x-www-form-urlencoded",
  ]

  package var api: API {
    var api = API("native", authenticate: authenticate)
    api.realm = NativeRoutes.realm
    api.datasets = registry.datasets
    api.credentials = [NativeRoutes.key]
    api.prefixes = ["/v1/"]
    api.masking = { [writing] plan in writing.use(masking: plan) }
    api.routes = routes + exploring.routes + tail.routes
    return api
  }

  /// The JSON schema of a dataset's name.
  static func schema(of registry: Registry) -> String { JSONSchema.choice(registry.datasets.map(\.name)) }

  private static func body(_ schema: String, _ example: String, bytesMax: Int? = nil) -> RouteBody {
    .json(schema, example, bytesMax: bytesMax).accepting(
      .listed(
        textTypes, refusal: "Bodies are NDJSON (application/x-ndjson) or JSON (application/json)."))
  }

  /// Of a query, whose forms Docs/query.md tells.
  private static let queryMembers = [
    "start", "end", "where", "columns", "cursor", "measures", "group_by", "bucket", "utc_offset_seconds",
    "order_by", "offset", "count",
  ]

  private var routes: [Route] {
    [
      Route(.post, "/v1/records/{dataset}", "Stores records", .store(write))
        .needing(.write).idempotent
        .taking(
          .path("dataset", NativeRoutes.schema(of: registry), "Which dataset"),
          .query(
            "on_error", JSONSchema.choice("reject", "skip"), "What happens to a body with bad entries")
        )
        .taking(
          NativeRoutes.body(
            JSONSchema.array(JSONSchema.object),
            #"[{"level":"INFO","service":"shop","message":"order 4711 placed"}]"#,
            bytesMax: limits.bodyBytesMax
          ).compressible
        )
        .answering(201).failing(with: 413, 415, 422, 507),
      Route(.post, "/v1/query", "Records or measures; Docs/query.md has the language", .stream(query))
        .safe
        .needing(.read)
        .taking(.query("format", JSONSchema.format, "The answer's form, else by Accept"), .safe)
        .taking(
          NativeRoutes.body(
            JSONSchema.object(
              [
                ("dataset", NativeRoutes.schema(of: registry)), ("limit", JSONSchema.integer(1)),
                ("order", JSONSchema.order), ("strict", JSONSchema.flag), ("exact", JSONSchema.exact),
                ("statistics", JSONSchema.flag),
              ] + NativeRoutes.queryMembers.map { ($0, "{}") }, required: ["dataset"]),
            #"{"dataset":"logs","where":{"eq":["level","ERROR"]},"limit":10}"#)
        ).failing(with: 406),
      Route(.post, "/v1/delete", "Deletes records for good", .answer(delete))
        .needing(.administer)
        .taking(
          NativeRoutes.body(
            JSONSchema.object(
              [("dataset", NativeRoutes.schema(of: registry)), ("where", JSONSchema.object)],
              required: ["dataset", "where"]),
            #"{"dataset":"logs","where":{"eq":["service","shop"]}}"#)),
      Route(.post, "/v1/admin/flush", "Archives the tenant's head, if asked to", .answer(flush))
        .needing(.administer)
        .taking(
          NativeRoutes.body(
            JSONSchema.object([("archive", JSONSchema.flag)]), #"{"archive":true}"#)),
    ]
  }

  static func dataset(_ name: String, of registry: Registry) throws(Problem) -> Dataset {
    guard let dataset = registry.dataset(named: name) else {
      let names = registry.datasets.map(\.name).joined(separator: ", ")
      throw Problem(404, "There is no such dataset; there are \(names).")
    }
    return dataset
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    try callers.authenticate(head, origin, route)
  }

  private func write(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let dataset = try NativeRoutes.dataset(call.parameters["dataset"], of: registry)
    return try await writing.write(call, dataset: dataset, principal: principal)
  }

  private func query(
    _ call: HTTPCall, _ principal: Principal, through stream: any AnswerStream
  ) async throws(Problem) -> EndpointOutcome {
    let form = try AnswerForm(wantedBy: call)
    let chunks: any AnswerChunks
    do throws(StoreError) {
      chunks = try await queries.start(call.body, principal: principal, form: form)
    } catch {
      throw Problem(error)
    }
    return try await chunks.send(contentType: form.format.mediaType, through: stream)
  }

  private func delete(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try DeletionRequest(call.body, registry: registry)
    do throws(StoreError) {
      let count = try await control.delete(
        .both(request.predicate, principal.filter),
        from: Partition(tenant: principal.tenant, dataset: request.dataset))
      return .object { $0.member("deleted", count) }
    } catch {
      throw Problem(error)
    }
  }

  private func flush(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let archives: Bool
    switch try ControlBody.object(call.body, taking: "archive")["archive"] {
    case nil: archives = false
    case .bool(let flag)?: archives = flag
    default: throw Problem(400, "archive: true or false", field: "archive")
    }
    if archives {
      // Everybody's head is the operator's.
      let (tenant, isOperator) = (principal.tenant, principal.isOperator)
      do throws(StoreError) {
        try await control.archive { isOperator || $0 == tenant }
      } catch {
        throw Problem(error)
      }
    }
    // Without archiving there is nothing to do: what was acknowledged is on the disk.
    return .object { text in
      text.member("flushed", true)
      text.member("archived", archives)
    }
  }
}
