import Access
import Codecs
import Decoding
import EntryDecoding
import Masking
import Platform
import Querying
import Records
import Routing

/// The workflow API: logs of workflow runs by API key, and figures over them (Docs/workflow.md).
package struct WorkflowRoutes: RecordOwner {
  package static let realm = Realm.workflow
  package static let datasets: [Dataset] = [.workflows]

  /// What the service calls itself in `/health`.
  package struct Identity: Sendable {
    package let service: String
    package let environment: String
    package init(service: String, environment: String) {
      self.service = service
      self.environment = environment
    }
  }

  let keys: WorkflowKeys
  let keyHeader: String
  let identity: Identity
  let log: any AccessLog
  let store: RecordStoring
  let engine: any QueryAnswering
  let listing: LogListing
  let decoder: Replaceable<EntryDecoder>
  let clock: any WallClock
  let limits: HTTPLimits

  /// - Parameter keyHeader: The field a key comes in.
  package init(_ services: APIServices, keys: WorkflowKeys, keyHeader: String, identity: Identity) {
    self.keys = keys
    self.keyHeader = keyHeader
    self.identity = identity
    log = services.log
    store = services.store
    engine = services.engine
    clock = services.clock
    limits = services.limits
    decoder = Replaceable(EntryDecoder(.workflow, masking: .none, limits: services.decodingLimits))
    var style = RecordStyle()
    style.writesNulls = true
    style.times = .microsecondsWithOffset
    listing = LogListing(
      engine: engine, dataset: .workflows,
      columns: [
        "id", "environment", "workflow_version", "ticket_id", "timestamp", "execution_time_seconds", "status",
        "category", "resolution_status", "metrics", "payload", "ingested_at",
      ], names: ["timestamp": "executed_at", "ingested_at": "created_at"], style: style)
  }

  package var api: API {
    var api = API("workflow", errors: .detail, authenticate: authenticate)
    api.realm = WorkflowRoutes.realm
    api.datasets = WorkflowRoutes.datasets
    api.credentials = [WorkflowRoutes.key(in: keyHeader)]
    api.prefixes = ["/api/v1/metrics/"]
    api.isOpenToPages = true
    api.masking = { [decoder] plan in decoder.replace(with: decoder.value.masked(by: plan(.workflows))) }
    api.routes = logRoutes + figureRoutes
    return api
  }

  /// - Parameter header: The field a key comes in.
  static func key(in header: String) -> CredentialKind {
    CredentialKind(
      "workflowKey", "an API key of the workflow API", .header(header, bearer: "workflowBearer"))
  }

  private func shown(_ head: RequestHead) -> (key: String?, isKnown: Bool) {
    keys.shown(
      header: head.headers.first(name: keyHeader), authorization: head.headers.first(name: "Authorization"))
  }

  /// Paths that the audit API has too are that API's unless an API key is shown; one that is not known does
  /// not stand in a token's way.
  private func claims(_ head: RequestHead) -> Bool {
    shown(head).isKnown || head.headers.contains(name: keyHeader) && !head.hasAuditCredential
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    if case .open = route.handler { return nil }
    var event = AccessEvent(head, origin, realm: .workflow, route: route.name)
    defer { log.record(event) }
    do throws(CredentialError) {
      let principal = try keys.authenticate(key: shown(head).key)
      event.subject = principal.subject
      event.tenant = principal.tenant
      return principal
    } catch {
      event.outcome = .refused("\(error)")
      throw Problem(401, error == .missing ? "API key required" : "Invalid API key")
    }
  }
}

// What it answers to
extension WorkflowRoutes {
  private static let log = JSONSchema.object(
    [
      ("environment", JSONSchema.choice("production", "staging", "development")),
      ("executed_at", JSONSchema.time),
      ("workflow_version", JSONSchema.optionalText), ("ticket_id", JSONSchema.optionalText),
      ("category", JSONSchema.optionalText), ("resolution_status", JSONSchema.optionalText),
      ("status", JSONSchema.choice("SUCCESS", "ERROR", "PARTIAL", "FAILED", isNullable: true)),
      ("execution_time_seconds", #"{"type":["number","null"]}"#), ("metrics", JSONSchema.optionalObject),
      ("payload", JSONSchema.optionalObject),
    ], required: ["environment", "executed_at"], isOpen: true)
  private static let example =
    #"{"environment":"production","executed_at":"2026-11-21T10:00:00Z","ticket_id":"T-1","status":"SUCCESS","execution_time_seconds":4.2}"#

  private var logRoutes: [Route] {
    [
      Route(.get, "/api/v1/logs", "Lists logs, newest first", .answer(list))
        .taking(
          .query("page", JSONSchema.integer(1), "Which page"),
          .query("page_size", JSONSchema.integer(1, 100), "Logs a page"),
          .query("environment", JSONSchema.text, "Exactly this"),
          .query("status", JSONSchema.text, "Exactly this"),
          .query("category", JSONSchema.text, "Exactly this"),
          .query("ticket_id", JSONSchema.text, "Exactly this"),
          .query("start_date", JSONSchema.time, "From this time on"),
          .query("end_date", JSONSchema.time, "Up to this time"), .explain,
          .passedOver("unknown", "golden exchange 55 of 003")
        ).failing(with: 403, 422).claimed(claims),
      Route(.post, "/api/v1/logs", "Stores a workflow's log", .store(create))
        .idempotent.taking(.json(WorkflowRoutes.log, WorkflowRoutes.example, within: limits))
        .answering(201).failing(with: 413, 415, 422, 507).claimed(claims),
      Route(.get, "/api/v1/logs/{id}", "One log", .answer(get))
        .taking(.path("id", JSONSchema.text, "The id, with or without dashes")).claimed(claims),
      Route(.post, "/api/v1/logs/batch", "Stores up to 100 logs, all or none", .answer(createBatch))
        .idempotent
        .taking(
          .json(
            JSONSchema.array(WorkflowRoutes.log, WorkflowRoutes.batchMax), "[\(WorkflowRoutes.example)]",
            within: limits)
        ).answering(201).failing(with: 413, 415, 422, 507),
    ]
  }

  private var figureRoutes: [Route] {
    let days = RouteParameter.query("days", JSONSchema.integer(1, 90), "Over so many days")
    return [
      Route(
        .get, "/api/v1/metrics/overview", "Totals, rate of success, average time", .answer(overview)
      )
      .taking(days, .explain).failing(with: 403, 422),
      Route(
        .get, "/api/v1/metrics/categories", "Logs and rate of success by category", .answer(categories)
      )
      .taking(days, .explain).failing(with: 403, 422),
      Route(.get, "/health", "The service's name and environment", .open(health)),
    ]
  }
}

extension RequestHead {
  /// Whether the request shows what could be a credential of the audit API.
  fileprivate var hasAuditCredential: Bool {
    headers.contains(name: "Authorization") || query["token"] != nil
  }
}
