import Access
import Codecs
import Platform
import Querying
import Records
import Routing

/// Cube's REST API over the audit and the workflow dataset, for the caller's tenant only (Docs/analytics.md).
package struct AnalyticsRoutes: Sendable {
  private let audit: AuditCredentials
  private let workflow: WorkflowKeys
  private let keyHeader: String
  private let log: any AccessLog
  private let engine: any QueryAnswering
  private let clock: any WallClock
  private let zones: TimeZones

  /// - Parameter keyHeader: The field a key of the workflow API comes in.
  package init(
    _ services: APIServices, audit: AuditCredentials, workflow: WorkflowKeys, keyHeader: String,
    zones: TimeZones
  ) {
    self.zones = zones
    self.audit = audit
    self.workflow = workflow
    self.keyHeader = keyHeader
    log = services.log
    engine = services.engine
    clock = services.clock
  }

  package var api: API {
    var api = API("analytics", errors: .error, authenticate: authenticate)
    api.credentials = [AuditRoutes.token, WorkflowRoutes.key(in: keyHeader)]
    api.prefixes = ["/cubejs-api/"]
    api.isOpenToPages = true
    api.routes = [
      Route(.get, "/cubejs-api/v1/load", "Answers a query of Cube's", .answer(load))
        .safe
        .taking(
          .query("query", JSONSchema.text, "The query as JSON"),
          .query("queryType", JSONSchema.choice("multi"), "For answers with a list of results"), .explain,
          .passedOver("cache", "Cube's clients say how old a cached answer may be")
        ).failing(with: 403),
      Route(.post, "/cubejs-api/v1/load", "Answers a query of Cube's", .answer(load))
        .safe
        .taking(.explain)
        .taking(
          .json(
            JSONSchema.object(
              [("query", JSONSchema.object), ("queryType", JSONSchema.choice("multi")), ("cache", "{}")],
              required: ["query"]),
            #"{"query":{"measures":["logs.count"],"dimensions":["logs.severity"]}}"#)
        ).failing(with: 403),
      Route(.get, "/cubejs-api/v1/meta", "What there is to ask for", .answer(meta)),
    ]
    return api
  }

  private static func cube(of principal: Principal) -> CubeSchema {
    principal.tenant.realm == .audit ? .audit : .workflow
  }

  private func load(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    try await answer(call, AnalyticsRoutes.cube(of: principal), principal)
  }

  private func meta(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    AnalyticsRoutes.describe(AnalyticsRoutes.cube(of: principal))
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    // Cube's clients send the token without a scheme.
    let bearer = head.headers.first(name: "Authorization").map {
      $0.utf8.contains(UInt8(ascii: " ")) ? $0 : "Bearer " + $0
    }
    let header = head.headers.first(name: keyHeader)
    let (key, isKnown) = workflow.shown(header: header, authorization: bearer)
    let isWorkflow = isKnown || header != nil
    var event = AccessEvent(head, origin, realm: isWorkflow ? .workflow : .audit, route: route.name)
    defer { log.record(event) }
    do throws(CredentialError) {
      let principal =
        try isWorkflow
        ? workflow.authenticate(key: key) : audit.authenticate(authorization: bearer, queryToken: nil)
      event.subject = principal.subject
      event.tenant = principal.tenant
      return principal
    } catch {
      event.outcome = .refused("\(error)")
      throw Problem(401, error == .missing ? "Authorization header isn't set" : "Invalid token")
    }
  }

  private func answer(
    _ call: HTTPCall, _ cube: CubeSchema, _ principal: Principal
  ) async throws(Problem) -> HTTPAnswer {
    let (tree, type) = try AnalyticsRoutes.query(of: call)
    let load = try CubeLoad(tree, type: type, cube: cube, now: clock.now(), zones: zones)
    if try call.asksForPlan(principal) {
      let requests = load.queries.map { $0.request(filter: principal.filter) }
      do throws(StoreError) { return try await engine.plans(of: requests, for: principal.tenant) } catch {
        throw Problem(error)
      }
    }
    var text = JSONWriter(capacity: 256)
    var rowCount = 0
    load.begin(&text)
    for query in load.queries {
      var result = try await answer(query, principal)
      rowCount += result.write(to: &text, now: clock.now(), label: load.label(of: query))
      guard rowCount <= CubeLoad.rowsMax else {
        throw Problem(400, "limit: the results have more than \(CubeLoad.rowsMax) rows together")
      }
    }
    load.end(&text)
    return .json(.ok, text.takeBytes())
  }

  private func answer(_ query: CubeQuery, _ principal: Principal) async throws(Problem) -> CubeAnswer {
    do throws(StoreError) {
      let found = try await engine.run(query.request(filter: principal.filter), for: principal.tenant)
      var answer = CubeAnswer(query)
      while let batch = try await found.next() { answer.add(batch) }
      return answer
    } catch {
      throw Problem(error)
    }
  }

  /// Beside the query in a body: what `queryType` says, and how old an answer of Cube's cache may be, which
  /// there is none of.
  private static let requestMembers = ["queryType", "cache"]

  /// The query, or a list of them, and the request's `queryType`.
  private static func query(of call: HTTPCall) throws(Problem) -> (query: JSONTree, type: JSONTree?) {
    guard call.head.method == .post else {
      guard let query = call.query["query"] else {
        throw Problem(400, "query: the query as JSON, percent-encoded")
      }
      return (try parsed(Array(query.utf8)), call.query["queryType"].map { .string($0) })
    }
    let body = try parsed(call.body)
    if body["query"] != nil { try CubeQuery.check(body, "body", ["query"] + requestMembers) }
    // Some clients send the query as a text within the body.
    if let text = body["query"]?.string { return (try parsed(Array(text.utf8)), body["queryType"]) }
    return (body["query"] ?? body, body["queryType"])
  }

  private static func parsed(_ text: [UInt8]) throws(Problem) -> JSONTree {
    do throws(JSONTree.SyntaxError) { return try JSONTree(parsing: text) } catch {
      throw Problem(400, "The query is not JSON: at byte \(error.offsetBytes): \(error.reason)")
    }
  }

  private static func describe(_ cube: CubeSchema) -> HTTPAnswer {
    func member(
      _ name: String, _ type: CubeSchema.MemberType, _ extra: (String, String)?, _ text: inout JSONWriter
    ) {
      text.beginObject()
      text.member("name", "\(cube.name).\(name)")
      text.member("title", "\(cube.title) \(CubeAnswer.title(name))")
      text.member("shortTitle", CubeAnswer.title(name))
      text.member("type", type.rawValue)
      if let extra {
        text.name(text: extra.0)
        text.value(extra.1)
      }
      text.endObject()
    }
    var text = JSONWriter(capacity: 256)
    text.beginObject()
    text.name("cubes")
    text.beginArray()
    text.beginObject()
    text.member("name", cube.name)
    text.member("title", cube.title)
    text.name("measures")
    text.beginArray()
    for measure in cube.measures {
      member(measure.name, measure.type, ("aggType", measure.function.cubeName), &text)
    }
    text.endArray()
    text.name("dimensions")
    text.beginArray()
    for dimension in cube.dimensions { member(dimension.name, dimension.type, nil, &text) }
    text.endArray()
    text.name("segments")
    text.beginArray()
    text.endArray()
    text.endObject()
    text.endArray()
    text.endObject()
    return .json(.ok, text.takeBytes())
  }
}

extension Measure.Function {
  /// The kind of measure in Cube's words.
  fileprivate var cubeName: String {
    switch self {
    case .count, .countValues: "count"
    case .countDistinct: "countDistinct"
    case .sum: "sum"
    case .avg: "avg"
    case .min: "min"
    case .max: "max"
    case .quantile: "number"
    }
  }
}
