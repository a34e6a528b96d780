import Routing

/// Everything the server answers to.
enum APIOperations {
  static let all = operations + native + ingest + sessions + queryLog + audit + workflow + analytics

  private typealias P = APIOperation.Parameter

  private static let operations: [APIOperation] = [
    APIOperation("GET", "/", "operations", "What this server is: version, the store's identity, routes"),
    APIOperation("GET", "/healthz", "operations", "Whether the server answers"),
    APIOperation(
      "GET", "/readyz", "operations", "Whether all it needs is there: Loki, disk, journal, forwarder",
      failures: [503]),
    APIOperation("GET", "/metrics", "operations", "Figures in Prometheus' text format"),
    APIOperation("GET", "/openapi.json", "operations", "This document"),
    APIOperation("GET", "/docs", "operations", "This document for people"),
  ]

  private static let explain = P.query(
    "explain", APISchema.choice("1"), "How it would run, as text, for administrators")

  private static let dataset = APISchema.choice("logs", "audit", "workflows", "queries", "sessions")

  private static let native: [APIOperation] = [
    APIOperation(
      "POST", "/v1/records/{dataset}", "native", "Stores records", [.nativeKey],
      [
        .path("dataset", dataset, "Which dataset"),
        .query("on_error", APISchema.choice("reject", "skip"), "What happens to a body with bad entries"),
      ],
      body: .json(
        APISchema.array(APISchema.object),
        #"[{"level":"INFO","service":"shop","message":"order 4711 placed"}]"#), status: 201,
      failures: [413, 415, 422, 507]),
    APIOperation(
      "POST", "/v1/query", "native", "Records or measures; Docs/query.md has the language", [.nativeKey],
      [.query("format", APISchema.format, "The answer's form, else by Accept")],
      body: .json(
        APISchema.object(
          [("dataset", dataset), ("limit", APISchema.integer(1)), ("order", APISchema.order)],
          required: ["dataset"]),
        #"{"dataset":"logs","where":{"eq":["level","ERROR"]},"limit":10}"#), failures: [406]),
    APIOperation(
      "GET", "/v1/tail/{dataset}", "native",
      "Records as they are written: a WebSocket, or with Accept: text/event-stream Server-Sent Events",
      [.nativeKey],
      [
        .path("dataset", dataset, "Which dataset"),
        .query("where", APISchema.text, "A filter: the JSON of a query's `where`"),
        .query("last", APISchema.integer(0, 10_000), "How many of the newest records come first"),
      ], failures: [426]),
    APIOperation(
      "POST", "/v1/delete", "native", "Deletes records for good", [.nativeKey],
      body: .json(
        APISchema.object(
          [("dataset", dataset), ("where", APISchema.object)], required: ["dataset", "where"]),
        #"{"dataset":"logs","where":{"eq":["service","shop"]}}"#)),
    APIOperation(
      "POST", "/v1/admin/flush", "native", "Forwards what waits (ingest); archives the head",
      [.nativeKey, .ingestAdmin],
      body: .json(
        APISchema.object([("archive", APISchema.flag), ("timeout_seconds", APISchema.integer(1, 300))]),
        #"{"archive":true}"#), failures: [422]),
  ]

  private static let streamed = [P.query("user_id", APISchema.text, "Records of this user only")]

  private static let queryLog: [APIOperation] = [
    APIOperation(
      "POST", "/api/v1/login", "querylog", "A token of the query-log API",
      body: .json(
        APISchema.object(
          [("user_id", APISchema.text), ("password", APISchema.text)], required: ["user_id"]),
        #"{"user_id":"alice"}"#), failures: [422, 429]),
    APIOperation(
      "PUT", "/api/v1/logs", "querylog", "Stores a query, sealed with a hash", [.queryToken],
      body: .json(
        APISchema.object(
          [("query", APISchema.text), ("status", APISchema.text)], required: ["query", "status"]),
        #"{"query":"SELECT 1","status":"SUCCESS"}"#), failures: [403, 413, 422, 507]),
    APIOperation(
      "GET", "/api/v1/verify/{id}", "querylog", "Whether a record is what was stored",
      [], [.path("id", APISchema.text, "The record's id")]),
    APIOperation("GET", "/api/v1/websocket-info", "querylog", "What the streams are"),
    APIOperation("GET", "/api/v1/websocket-docs", "querylog", "A page that opens the streams"),
    APIOperation(
      "GET", "/ws/logs", "querylog", "A page of the newest records, then records as they are written",
      [],
      streamed + [
        .query("limit", APISchema.integer(0, 1_000), "How many records the page has"),
        .query("offset", APISchema.integer(0), "How many of the newest the page leaves out"),
        .query("token", APISchema.text, "A token, where one is needed"),
      ], failures: [403, 426]),
    APIOperation(
      "GET", "/ws/stream", "querylog", "Records as they are written",
      [], streamed + [.query("token", APISchema.text, "A token, where one is needed")], failures: [403, 426]),
  ]

  private static let credentials = APISchema.object(
    [("username", APISchema.text), ("password", APISchema.text)], required: ["username", "password"])
  private static let place: [P] = [
    .path("container", APISchema.text, "The container"), .path("session", APISchema.text, "The session"),
  ]

  private static let sessions: [APIOperation] = [
    APIOperation(
      "POST", "/api/auth/login", "sessions", "A token for a name and a password",
      body: .json(credentials, #"{"username":"admin","password":"admin"}"#), failures: [429]),
    APIOperation("POST", "/api/auth/refresh", "sessions", "A new token; the old one dies", [.session]),
    APIOperation("POST", "/api/auth/logout", "sessions", "The token dies", [.session]),
    APIOperation("GET", "/api/users", "sessions", "Users, for administrators", [.session], failures: [403]),
    APIOperation(
      "POST", "/api/users", "sessions", "Makes a user, for administrators", [.session],
      body: .json(credentials, #"{"username":"alice","password":"correct-horse-b","role":"user"}"#),
      status: 201,
      failures: [403, 409]),
    APIOperation(
      "POST", "/api/users/me/password", "sessions", "Changes the own password", [.session],
      body: .json(
        APISchema.object(
          [("current_password", APISchema.text), ("new_password", APISchema.text)],
          required: ["current_password", "new_password"]),
        #"{"current_password":"admin","new_password":"correct-horse-b"}"#), failures: [403, 429]),
    APIOperation("GET", "/api/keys", "sessions", "API keys, for administrators", [.session], failures: [403]),
    APIOperation(
      "POST", "/api/keys", "sessions", "Makes an API key, shown once; for administrators", [.session],
      body: .json(
        APISchema.object(
          [
            ("name", APISchema.text), ("realm", APISchema.choice("native", "workflow", "ingest")),
            ("tenant", APISchema.text),
            ("role", APISchema.choice("reader", "writer", "user", "admin")),
          ], required: ["name", "realm", "tenant"]), #"{"name":"ci","realm":"workflow","tenant":"client_1"}"#),
      status: 201, failures: [403, 409]),
    APIOperation(
      "DELETE", "/api/keys/{realm}/{name}", "sessions", "Ends an API key, for administrators", [.session],
      [
        .path("realm", APISchema.choice("native", "workflow", "ingest"), "The key's realm"),
        .path("name", APISchema.text, "The key's name"),
      ],
      failures: [403]),
    APIOperation("GET", "/api/containers", "sessions", "The own containers", [.session]),
    APIOperation(
      "POST", "/api/containers", "sessions", "Makes a container", [.session],
      body: .json(
        APISchema.object([("container_id", APISchema.text)], required: ["container_id"]),
        #"{"container_id":"my-app"}"#), status: 201, failures: [409]),
    APIOperation(
      "GET", "/api/containers/{container}/sessions", "sessions", "A container's sessions", [.session],
      [place[0]], failures: [403]),
    APIOperation(
      "POST", "/api/containers/{container}/sessions", "sessions", "Makes a session", [.session], [place[0]],
      body: .json(
        APISchema.object([("session_id", APISchema.text)], required: ["session_id"]),
        #"{"session_id":"deploy-7"}"#),
      status: 201, failures: [403, 409]),
    APIOperation(
      "GET", "/api/logs/{container}/{session}", "sessions",
      "A session's records, in the order they were written",
      [.session],
      place + [
        .query("start_ts", APISchema.time, "From this time on"),
        .query("end_ts", APISchema.time, "Up to this time, included"),
        .query("level", APISchema.text, "Exactly this level"),
        .query("contains", APISchema.text, "The message has this text"),
        .query("order", APISchema.order, "The order of writing, or against it"),
        .query("limit", APISchema.integer(1), "At most so many"),
        .query("cursor", APISchema.text, "Where a page ended"),
        .query("stream", APISchema.flag, "Begin with the first record"),
        .query("format", APISchema.format, "The answer's form"),
      ], failures: [403, 406]),
    APIOperation(
      "POST", "/api/logs/{container}/{session}", "sessions", "Stores records", [.session], place,
      body: .json(
        APISchema.object(
          [
            (
              "logs",
              APISchema.array(
                APISchema.object(
                  [
                    ("timestamp", APISchema.time), ("level", APISchema.optionalText),
                    ("message", APISchema.optionalText),
                  ],
                  required: ["timestamp", "level", "message"]))
            )
          ], required: ["logs"]),
        #"{"logs":[{"timestamp":"2025-11-30T12:00:00Z","level":"INFO","message":"started"}]}"#), status: 201,
      failures: [403, 413, 415, 422, 507]),
  ]

  private static let entry = APISchema.object(
    [
      ("action", APISchema.text), ("resource_type", APISchema.text), ("resource_id", APISchema.text),
      ("timestamp", APISchema.time), ("ip_address", APISchema.optionalText),
      ("user_agent", APISchema.optionalText),
      ("before", APISchema.optionalObject), ("after", APISchema.optionalObject),
      ("metadata", APISchema.optionalObject),
      ("severity", APISchema.choice("INFO", "WARNING", "ERROR", "CRITICAL")),
    ], required: ["action", "resource_type", "resource_id", "severity"])
  private static let entryExample =
    #"{"action":"update","resource_type":"user","resource_id":"123","before":{"name":"old"},"after":{"name":"new"},"severity":"WARNING"}"#
  private static let filters: [P] = [
    .query("action", APISchema.text, "Exactly this action"),
    .query("resource_type", APISchema.text, "Exactly this type"),
    .query("resource_id", APISchema.text, "Exactly this id"),
    .query("ip_address", APISchema.text, "Exactly this address"),
    .query("user_agent", APISchema.text, "Has this text"),
    .query("severity", APISchema.text, "Exactly this severity"),
    .query("user_id", APISchema.text, "Exactly this user"),
    .query("timestamp", APISchema.time, "On this day, UTC"),
    .query("start", APISchema.time, "From this time on"),
    .query("end", APISchema.time, "Up to this time, included"),
    .query("search", APISchema.text, "A regular expression, any case"),
  ]
  private static let id = P.path("id", APISchema.text, "The id, with or without dashes")
  private static let log = APISchema.object(
    [
      ("environment", APISchema.choice("production", "staging", "development")),
      ("executed_at", APISchema.time),
      ("workflow_version", APISchema.optionalText), ("ticket_id", APISchema.optionalText),
      ("category", APISchema.optionalText), ("resolution_status", APISchema.optionalText),
      ("status", APISchema.choice("SUCCESS", "ERROR", "PARTIAL", "FAILED", isNullable: true)),
      ("execution_time_seconds", #"{"type":["number","null"]}"#), ("metrics", APISchema.optionalObject),
      ("payload", APISchema.optionalObject),
    ], required: ["environment", "executed_at"])
  private static let logExample =
    #"{"environment":"production","executed_at":"2026-11-21T10:00:00Z","ticket_id":"T-1","status":"SUCCESS","execution_time_seconds":4.2}"#

  /// Rows that the audit and the workflow API share are told once, with both credentials.
  private static let audit: [APIOperation] = [
    APIOperation(
      "POST", "/api/v1/logs", "audit and workflow", "Stores an entry, or a workflow's log",
      [.auditToken, .workflowKey],
      body: .json(#"{"anyOf":[\#(entry),\#(log)]}"#, entryExample), failures: [201, 413, 415, 422, 507]),
    APIOperation(
      "GET", "/api/v1/logs", "audit and workflow", "Lists what was stored, newest first",
      [.auditToken, .workflowKey],
      [
        .query("page", APISchema.integer(1), "Which page"),
        .query("size", APISchema.integer(1, 100), "Entries a page (audit)"),
        .query("page_size", APISchema.integer(1, 100), "Logs a page (workflow)"),
        .query("environment", APISchema.text, "Exactly this (workflow)"),
        .query("status", APISchema.text, "Exactly this (workflow)"),
        .query("category", APISchema.text, "Exactly this (workflow)"),
        .query("ticket_id", APISchema.text, "Exactly this (workflow)"),
        .query("start_date", APISchema.time, "From this time on (workflow)"),
        .query("end_date", APISchema.time, "Up to this time (workflow)"),
        explain,
      ] + filters, failures: [403, 422]),
    APIOperation(
      "GET", "/api/v1/logs/{id}", "audit and workflow", "One entry, or one log", [.auditToken, .workflowKey],
      [id]),
    APIOperation(
      "POST", "/api/v1/logs/bulk", "audit", "Stores entries, all or none", [.auditToken],
      body: .json(APISchema.array(entry), "[\(entryExample)]"), failures: [413, 415, 422, 507]),
    APIOperation(
      "GET", "/api/v1/logs/stats", "audit", "Entries by severity", [.auditToken], [explain],
      failures: [403]),
    APIOperation(
      "GET", "/api/v1/logs/export", "audit", "All matching entries, as a file", [.auditToken],
      filters + [.query("format", APISchema.format, "The file's form")], failures: [403, 406, 422]),
    APIOperation(
      "DELETE", "/api/v1/logs/cleanup", "audit", "Deletes old entries", [.auditToken],
      [
        .query("older_than_days", APISchema.integer(0, 100_000), "That arrived before so many days"),
        .query("before", APISchema.time, "Of times before this one"),
      ], failures: [403, 422]),
    APIOperation(
      "GET", "/api/v1/logs/stream", "audit",
      "Entries as they are written: a WebSocket, or with Accept: text/event-stream Server-Sent Events",
      [.auditToken], filters + [.query("token", APISchema.text, "The token, where no header can be set")],
      failures: [422, 426]),
    APIOperation("GET", "/api/v1/tenants", "audit", "Tenants", [.auditToken]),
    APIOperation(
      "POST", "/api/v1/tenants", "audit", "Makes a tenant; its secret is shown once", [.auditToken],
      body: .json(
        APISchema.object([("name", APISchema.text), ("key", APISchema.text)], required: ["name", "key"]),
        #"{"name":"Shop","key":"shop"}"#), failures: [422]),
  ]

  private static let days = P.query("days", APISchema.integer(1, 90), "Over so many days")

  private static let workflow: [APIOperation] = [
    APIOperation(
      "POST", "/api/v1/logs/batch", "workflow", "Stores up to 100 logs, all or none", [.workflowKey],
      body: .json(APISchema.array(log, 100), "[\(logExample)]"), status: 201, failures: [413, 415, 422, 507]),
    APIOperation(
      "GET", "/api/v1/metrics/overview", "workflow", "Totals, rate of success, average time", [.workflowKey],
      [days, explain], failures: [403, 422]),
    APIOperation(
      "GET", "/api/v1/metrics/categories", "workflow", "Logs and rate of success by category", [.workflowKey],
      [days, explain], failures: [403, 422]),
    APIOperation("GET", "/health", "workflow", "The service's name and environment"),
  ]

  private static let analytics: [APIOperation] = [
    APIOperation(
      "GET", "/cubejs-api/v1/load", "analytics", "Answers a query of Cube's", [.auditToken, .workflowKey],
      [
        .query("query", APISchema.text, "The query as JSON"),
        .query("queryType", APISchema.choice("multi"), "For answers with a list of results"),
        explain,
      ], failures: [403]),
    APIOperation(
      "POST", "/cubejs-api/v1/load", "analytics", "Answers a query of Cube's", [.auditToken, .workflowKey],
      [explain],
      body: .json(
        APISchema.object(
          [("query", APISchema.object), ("queryType", APISchema.choice("multi"))], required: ["query"]),
        #"{"query":{"measures":["logs.count"],"dimensions":["logs.severity"]}}"#), failures: [403]),
    APIOperation(
      "GET", "/cubejs-api/v1/meta", "analytics", "What there is to ask for", [.auditToken, .workflowKey]),
  ]
}
