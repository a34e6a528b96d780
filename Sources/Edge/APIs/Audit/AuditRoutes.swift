import Access
import Codecs
import Decoding
import EntryDecoding
import Masking
import Platform
import Querying
import Records
import Routing

/// The audit API: who did what to which resource, by tenant, behind JSON Web Tokens (Docs/audit.md).
package struct AuditRoutes: RecordOwner {
  package static let realm = Realm.audit
  package static let datasets: [Dataset] = [.audit]

  let credentials: AuditCredentials
  let tenants: TenantDirectory
  let log: any AccessLog
  let store: RecordStoring
  let engine: any QueryAnswering
  let control: any StoreControl
  let streams: LiveStreams
  let listing: LogListing
  let decoder: Replaceable<EntryDecoder>
  let connections = LiveStreams.Counter()
  let clock: any WallClock
  let limits: HTTPLimits
  /// How old records are that a bare cleanup removes.
  let cleanupDays: Int

  package init(
    _ services: APIServices, credentials: AuditCredentials, tenants: TenantDirectory, cleanupDays: Int
  ) {
    self.credentials = credentials
    self.tenants = tenants
    self.cleanupDays = cleanupDays
    log = services.log
    store = services.store
    engine = services.engine
    control = services.control
    streams = services.streams
    clock = services.clock
    limits = services.limits
    decoder = Replaceable(EntryDecoder(.audit, masking: .none, limits: services.decodingLimits))
    listing = LogListing(
      engine: engine, dataset: .audit, columns: AuditRoutes.columns, names: [:], style: AuditRoutes.style(""))
  }

  /// An entry's members in order; `tenant_id` follows.
  static let columns = [
    "action", "resource_type", "resource_id", "timestamp", "ip_address", "user_agent", "before", "after",
    "metadata", "severity", "id", "user_id",
  ]

  /// How entries look; `tail` is written behind the last member.
  static func style(_ tail: String) -> RecordStyle {
    var style = RecordStyle()
    style.writesNulls = true
    style.times = .microsecondsZulu
    style.tail = Array(tail.utf8)
    return style
  }

  static let token = CredentialKind(
    "auditToken", "a JSON Web Token of the audit API", .bearer(format: "JWT"))

  package var api: API {
    var api = API("audit", errors: .audit, authenticate: authenticate)
    api.realm = AuditRoutes.realm
    api.datasets = AuditRoutes.datasets
    api.credentials = [AuditRoutes.token]
    api.prefixes = ["/api/v1/"]
    api.isOpenToPages = true
    api.hidesMethods = true
    api.masking = { [decoder] plan in decoder.replace(with: decoder.value.masked(by: plan(.audit))) }
    api.routes = (logRoutes + fileRoutes + tenantRoutes).map { $0.taking(AuditRoutes.queryToken) }
    return api
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    var event = AccessEvent(head, origin, realm: .audit, route: route.name)
    defer { log.record(event) }
    let principal: Principal
    do throws(CredentialError) {
      principal = try credentials.authenticate(
        authorization: head.headers.first(name: "Authorization"), queryToken: head.query["token"])
    } catch {
      event.outcome = .refused("\(error)")
      throw Problem(401, "Unauthorized")
    }
    event.subject = principal.subject
    event.tenant = principal.tenant
    if let permission = route.permission, !principal.allows(permission) {
      event.outcome = .refused("role")
      throw AuditRoutes.refusal(of: permission, route)
    }
    return principal
  }

  private static func refusal(of permission: Permission, _ route: Route) -> Problem {
    switch permission {
    case .export: Problem(403, "Export needs the role auditor or admin")
    // Whoever is no operator is not told that there are tenants.
    case .operate: Problem(401, "Unauthorized")
    case .administer where route.path == AuditRoutes.revocationPath:
      Problem(403, "Revoking tokens needs the role admin")
    case .read, .write, .administer: Problem(403, "Cleanup needs the role admin")
    }
  }
}

// What it answers to
extension AuditRoutes {
  private static let tenantsPath: PathPattern = "/api/v1/tenants"
  private static let revocationPath: PathPattern = "/api/v1/tokens/revoke"

  private static let entry = JSONSchema.object(
    [
      ("action", JSONSchema.text), ("resource_type", JSONSchema.text), ("resource_id", JSONSchema.text),
      ("timestamp", JSONSchema.time), ("ip_address", JSONSchema.optionalText),
      ("user_agent", JSONSchema.optionalText),
      ("before", JSONSchema.optionalObject), ("after", JSONSchema.optionalObject),
      ("metadata", JSONSchema.optionalObject),
      ("severity", JSONSchema.choice("INFO", "WARNING", "ERROR", "CRITICAL")),
    ], required: ["action", "resource_type", "resource_id", "severity"], isOpen: true)
  private static let example =
    #"{"action":"update","resource_type":"user","resource_id":"123","before":{"name":"old"},"after":{"name":"new"},"severity":"WARNING"}"#
  private static let queryToken = RouteParameter.query(
    "token", JSONSchema.text, "The token, where no header can be set")
  private static let passedOver = "members that entries do not have, and id and tenant_id"
  private static let filters: [RouteParameter] = [
    .query("action", JSONSchema.text, "Exactly this action"),
    .query("resource_type", JSONSchema.text, "Exactly this type"),
    .query("resource_id", JSONSchema.text, "Exactly this id"),
    .query("ip_address", JSONSchema.text, "Exactly this address"),
    .query("user_agent", JSONSchema.text, "Has this text"),
    .query("severity", JSONSchema.text, "Exactly this severity"),
    .query("user_id", JSONSchema.text, "Exactly this user"),
    .query("timestamp", JSONSchema.time, "On this day, UTC"),
    .query("start", JSONSchema.time, "From this time on"),
    .query("end", JSONSchema.time, "Up to this time, included"),
    .query("search", JSONSchema.text, "A regular expression, any case").emptiable(
      "golden exchange 85 of 002"),
  ]

  private var logRoutes: [Route] {
    [
      // The two paths that the workflow API has too answer clients of both.
      Route(.get, "/api/v1/logs", "Lists entries, newest first", .answer(list))
        .taking(
          .query("page", JSONSchema.integer(1), "Which page"),
          .query("size", JSONSchema.integer(1, 100), "Entries a page"), .explain,
          .passedOver("start_date", "golden exchange 89 of 002")
        ).taking(AuditRoutes.filters).failing(with: 403, 422).refusing(as: .sharedLogs),
      Route(.post, "/api/v1/logs", "Stores an entry", .store(create))
        .idempotent.taking(
          .json(AuditRoutes.entry, AuditRoutes.example, within: limits)
            .passingOver(AuditRoutes.passedOver, "golden exchange 52 of 002")
        )
        .failing(with: 413, 415, 422, 507).refusing(as: .sharedLogs),
      Route(.get, "/api/v1/logs/{id}", "One entry", .answer(get))
        .taking(.path("id", JSONSchema.text, "The id, with or without dashes")).refusing(as: .sharedLogs),
      Route(.post, "/api/v1/logs/bulk", "Stores entries, all or none", .answer(createBulk))
        .idempotent.taking(
          .json(JSONSchema.array(AuditRoutes.entry), "[\(AuditRoutes.example)]", within: limits)
            .passingOver(AuditRoutes.passedOver, "golden exchange 52 of 002")
        )
        .failing(with: 413, 415, 422, 507),
      Route(.get, "/api/v1/logs/stats", "Entries by severity", .answer(stats))
        .taking(.explain).failing(with: 403),
    ]
  }

  private var fileRoutes: [Route] {
    [
      Route(.get, "/api/v1/logs/export", "All matching entries, as a file", .stream(export))
        .needing(.export).taking(AuditRoutes.filters)
        .taking(.query("format", JSONSchema.format, "The file's form"), .safe).failing(with: 403, 406, 422),
      Route(.delete, "/api/v1/logs/cleanup", "Deletes old entries", .answer(cleanup))
        .needing(.administer)
        .taking(
          .query("older_than_days", JSONSchema.integer(0, 100_000), "That arrived before so many days"),
          .query("before", JSONSchema.time, "Of times before this one")
        ).failing(with: 403, 422),
      Route(
        .get, "/api/v1/logs/stream",
        "Entries as they are written: a WebSocket, or with Accept: text/event-stream Server-Sent Events",
        .live(stream)
      )
      .taking(AuditRoutes.filters)
      .failing(with: 422, 426),
    ]
  }

  private var tenantRoutes: [Route] {
    [
      Route(.get, AuditRoutes.tenantsPath, "Tenants, for operators", .answer(listTenants)).needing(.operate),
      Route(
        .post, AuditRoutes.tenantsPath, "Makes a tenant, for operators; its secret is shown once",
        .answer(createTenant)
      )
      .needing(.operate)
      .taking(
        .json(
          JSONSchema.object(
            [("name", JSONSchema.text), ("key", JSONSchema.text)], required: ["name", "key"]),
          #"{"name":"Shop","key":"shop"}"#, within: limits)
      ).failing(with: 422).mixingSecrets,
      Route(.post, AuditRoutes.revocationPath, "Ends tokens before their time", .answer(revokeTokens))
        .needing(.administer)
        .taking(
          .json(
            JSONSchema.object([
              ("jti", JSONSchema.text), ("issued_before", JSONSchema.time), ("tenant", JSONSchema.text),
            ]), #"{"jti":"b7c1e9"}"#, within: limits)
        ).failing(with: 403, 422),
    ]
  }
}
