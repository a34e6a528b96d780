import Access
import Codecs
import Decoding
import EntryDecoding
import Masking
import Platform
import Records
import Routing
import Shaping

/// Elasticsearch's `_bulk`, which Filebeat, Logstash, Vector, Fluent Bit, rsyslog and many loggers speak
/// (Docs/elasticsearch.md). Documents become records of the dataset `logs`, of the key's tenant.
///
/// `_bulk` is served from the root and from `/elasticsearch`; what else clients ask before they write, from
/// there alone.
package struct BulkRoutes: Sendable {
  private let callers: NativeCallers
  private let writing: PushWriting
  private let clock: any WallClock
  private let request: Replaceable<BulkRequest>
  private let identity: String
  private let bodyBytesMax: Int

  /// Where clients find what looks like a cluster.
  private static let base = "/elasticsearch"

  /// - Parameters:
  ///   - identity: The store's: clients take it for the cluster's.
  ///   - directory: Whose keys open it.
  package init(_ services: APIServices, identity: String, directory: KeyDirectory) {
    self.identity = identity
    callers = NativeCallers(directory, log: services.log)
    writing = PushWriting(store: services.store, way: "elasticsearch", salt: 0x6275_6C6B)
    clock = services.clock
    request = Replaceable(BulkRequest(limits: services.decodingLimits))
    bodyBytesMax = services.limits.bodyBytesMax
  }

  package var api: API {
    var api = API("elasticsearch", errors: .elasticsearch, authenticate: authenticate)
    api.realm = NativeRoutes.realm
    api.datasets = [.logs]
    api.credentials = [NativeRoutes.key]
    api.prefixes = [BulkRoutes.base]
    api.masking = { [request] plan in request.replace(with: request.value.masked(by: plan(.logs))) }
    api.routes =
      ["/_bulk", "/{index}/_bulk"].flatMap { path in
        [path, BulkRoutes.base + path].flatMap { path in [bulk(.post, path), bulk(.put, path)] }
      } + handshake + installed
    return api
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    try callers.authenticate(head, origin, route, as: .pairs)
  }

  // MARK: Bulk

  private func bulk(_ method: RequestMethod, _ path: String) -> Route {
    var body = RouteBody.json(JSONSchema.text, BulkRoutes.example, bytesMax: bodyBytesMax).compressible
    body.mediaType = "application/x-ndjson"
    let hasIndex = path.utf8.contains(UInt8(ascii: "{"))
    let route = Route(
      method, PathPattern(path), "Stores documents as Elasticsearch's clients send them",
      .store { call, principal throws(Problem) in
        try await write(call, principal, index: hasIndex ? call.parameters["index"] : "")
      }
    )
    .needing(.write).idempotent.taking(body).failing(with: 413)
    .taking(
      .query("filter_path", JSONSchema.text, "Of the answer: errors, items.*.status, items.*.error, took")
    )
    .taking(MappedFields.parameters)
    .taking(
      BulkRoutes.passedOver.map {
        .passedOver($0, "a parameter of Elasticsearch's bulk that has no meaning here")
      })
    return hasIndex
      ? route.taking(.path("index", JSONSchema.text, "Of documents that name none")) : route
  }

  private static let passedOver = [
    "refresh", "timeout", "pipeline", "routing", "require_alias", "require_data_stream",
    "wait_for_active_shards", "_source", "_source_excludes", "_source_includes", "list_executed_pipelines",
    "pretty", "human", "error_trace", "type", "include_source_on_error",
  ]
  private static let example =
    #"{"create":{"_index":"logs-shop-default"}}"# + "\n"
    + #"{"message":"order 4711 failed","level":"error"}"# + "\n"

  /// - Parameter index: Of documents that name none; empty: they must.
  private func write(
    _ call: HTTPCall, _ principal: Principal, index: String
  ) async throws(Problem) -> HTTPAnswer {
    let mapping = try MappedFields.mapping(call.query)
    let request = request.value.mapped(by: mapping)
    let (clock, now) = (clock, clock.now())
    return try await writing.write(call, for: principal) { body, memory throws(Problem) in
      do throws(PushFault) {
        let decoded = try request.decode(body, index: index, now: now, within: memory)
        let figures = PushFigures(
          refused: decoded.items.count { $0.refusal != nil }, timesUnread: decoded.unreadableTimeCount,
          textBytes: decoded.textBytes)
        // Until it was decoded: a repeat is told the same.
        let took = max(0, clock.now().subtractingClamped(now) / 1_000_000)
        return Push(
          decoded.batch, decoded.items, figures, kept: Array("\(took)".utf8),
          key: BulkRoutes.key(of: decoded.items, body, place: index + mapping.text))
      } catch {
        throw Problem(error, empty: Problem(400, "request body is required"))
      }
    } answer: { push, receipt in
      .elasticsearch(
        BulkAnswer.json(
          push.made, receipt, shown: BulkAnswer.Shown(call.query),
          milliseconds: Int64(String(decoding: push.kept, as: UTF8.self)) ?? 0))
    }
  }

  /// Who names all his documents sends the same body again after an answer that got lost: it is stored once.
  private static func key(of items: [BulkRequest.Item], _ body: [UInt8], place: String) -> String? {
    items.allSatisfy { $0.id != nil } ? PushWriting.key("_bulk", of: body, place) : nil
  }

  // MARK: What clients ask before they write

  private var handshake: [Route] {
    [
      Route(.get, PathPattern(BulkRoutes.base + "/"), "What clients take for a cluster", .answer(cluster)),
      Route(.get, PathPattern(BulkRoutes.base + "/_license"), "A licence that is active", .answer(license)),
      Route(
        .get, PathPattern(BulkRoutes.base + "/_cluster/health"), "Whether documents would be taken",
        .answer(health)),
    ]
  }

  /// Templates and pipelines: there is nothing to install.
  private var installed: [Route] {
    [
      "_ilm/policy", "_index_template", "_component_template", "_template", "_ingest/pipeline",
      "_data_stream",
    ].flatMap { kind -> [Route] in
      let path = PathPattern("\(BulkRoutes.base)/\(kind)/{name}")
      let name = RouteParameter.path("name", JSONSchema.text, "Any")
      let more = ["master_timeout", "timeout", "create", "order", "flat_settings"].map {
        RouteParameter.passedOver($0, "a parameter of Elasticsearch's that has no meaning here")
      }
      return [
        Route(.get, path, "Is there, as far as shippers ask: nothing is to be installed", .answer(nothing))
          .taking(name).taking(more),
        Route(.put, path, "Is taken and has no effect: records have no templates", .answer(acknowledged))
          .safe.taking(name).taking(more).taking(.json(JSONSchema.object, "{}")),
      ]
    }
  }

  private func cluster(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    .elasticsearch(
      JSONWriter.object { text in
        text.member("name", "cordwood")
        text.member("cluster_name", "cordwood")
        text.member("cluster_uuid", identity)
        text.name("version")
        text.beginObject()
        // That of which clients know what it takes; what this is, `GET /` says.
        text.member("number", "8.19.0")
        text.member("build_flavor", "default")
        text.member("lucene_version", "9.12.0")
        text.member("minimum_wire_compatibility_version", "7.17.0")
        text.member("minimum_index_compatibility_version", "7.0.0")
        text.endObject()
        text.member("tagline", "You Know, for Search")
      })
  }

  private func license(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    .elasticsearch(
      JSONWriter.object { text in
        text.name("license")
        text.beginObject()
        text.member("status", "active")
        text.member("uid", identity)
        text.member("type", "basic")
        text.member("mode", "basic")
        text.member("expiry_date_in_millis", 4_000_000_000_000)
        text.endObject()
      })
  }

  private func health(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    .elasticsearch(
      JSONWriter.object { text in
        text.member("cluster_name", "cordwood")
        text.member("status", "green")
      })
  }

  private func nothing(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    .elasticsearch(Array("{}".utf8))
  }

  private func acknowledged(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    .elasticsearch(Array(#"{"acknowledged":true}"#.utf8))
  }
}

extension HTTPAnswer {
  /// Without the field clients refuse to go on.
  static func elasticsearch(_ body: [UInt8], _ status: HTTPStatus = .ok) -> HTTPAnswer {
    HTTPAnswer(
      status, contentType: "application/json", headers: [("X-Elastic-Product", "Elasticsearch")], body: body)
  }
}

extension ErrorFormat {
  /// `{"error":{"root_cause":[{"type","reason"}],"type","reason"},"status"}`.
  package static let elasticsearch = ErrorFormat(
    notFound: "no handler found for this path: documents are written by _bulk, and read by POST /v1/query"
  ) { problem, _ in
    var problem = problem
    // Some clients take 500 and 507 for final.
    if problem.status == 500 || problem.status == 507 {
      problem.status = 503
      problem.retryAfterSeconds = problem.retryAfterSeconds ?? 5
    }
    let body = JSONWriter.object { text in
      text.name("error")
      text.beginObject()
      text.name("root_cause")
      text.list([problem]) { text, problem in problem.elasticsearch(to: &text) }
      problem.elasticsearch(to: &text)
      text.endObject()
      text.member("status", problem.status)
    }
    var answer = HTTPAnswer.elasticsearch(body, HTTPStatus(problem.status))
    answer.headers += problem.headers
    return answer
  }
}

extension Problem {
  fileprivate func elasticsearch(to text: inout JSONWriter) {
    let type =
      switch status {
      case 401, 403: "security_exception"
      case 404: "resource_not_found_exception"
      case 413: "content_too_long_exception"
      case 429, 503: "es_rejected_execution_exception"
      case 400..<500: "illegal_argument_exception"
      default: "exception"
      }
    text.member("type", type)
    text.member("reason", detail)
  }
}
