import Routing

extension APIOperations {
  private static let labels = APISchema.object(
    ["service", "env", "level", "schema_version", "region", "tenant"].map { ($0, APISchema.text) })
  private static let entry = APISchema.object(
    [
      ("timestamp", APISchema.time), ("level", APISchema.choice("DEBUG", "INFO", "WARN", "ERROR", "FATAL")),
      ("message", APISchema.text), ("service", APISchema.text), ("env", APISchema.text), ("labels", labels),
      ("trace_id", APISchema.optionalText), ("span_id", APISchema.optionalText),
      ("metadata", APISchema.optionalObject),
    ], required: ["timestamp", "level", "message", "service", "env"])
  private static let entryExample =
    #"{"timestamp":"2026-11-21T10:00:00Z","level":"ERROR","message":"Payment failed","service":"payments-api","env":"prod","metadata":{"order_id":"O-123"}}"#
  private static let choice = APISchema.object([
    ("ids", APISchema.array(APISchema.integer(1))), ("token", APISchema.text), ("all", APISchema.flag),
  ])

  static let ingest: [APIOperation] = [
    APIOperation(
      "POST", "/v1/logs:ingest", "ingest", "Stores entries, all or none, and forwards them", [.ingestKey],
      body: .json(
        APISchema.object(
          [("entries", APISchema.array(entry, 500)), ("idempotency_key", APISchema.text)],
          required: ["entries"]), #"{"entries":[\#(entryExample)]}"#), status: 202, failures: [422, 429, 507]),
    APIOperation("GET", "/v1/admin/status", "ingest", "Whether entries are forwarded", [.ingestAdmin]),
    APIOperation(
      "POST", "/v1/admin/tokens/generate", "ingest", "Makes a key, shown once", [.ingestAdmin],
      body: .json(
        APISchema.object(
          [("service_name", APISchema.text), ("description", APISchema.text), ("active", APISchema.flag)],
          required: ["service_name", "description"]),
        #"{"service_name":"payments-api","description":"Logs of payments"}"#), failures: [422]),
    APIOperation(
      "POST", "/v1/admin/masking:test", "ingest", "What masking makes of an entry; nothing is stored",
      [.ingestAdmin],
      body: .json(
        APISchema.object([("entry", APISchema.object), ("token", APISchema.text)], required: ["entry"]),
        #"{"entry":{"metadata":{"password":"hunter2"}}}"#), failures: [422]),
    APIOperation(
      "GET", "/v1/admin/deadletters", "ingest", "Entries that Loki refused for good", [.ingestAdmin],
      [
        .query("token", APISchema.text, "Of this key, by its name"),
        .query("after", APISchema.integer(0), "Behind this id"),
        .query("limit", APISchema.integer(1, 1_000), "The most of them"),
      ]),
    APIOperation(
      "POST", "/v1/admin/deadletters/replay", "ingest", "Sends them once more", [.ingestAdmin],
      body: .json(choice, #"{"all":true}"#), failures: [422]),
    APIOperation(
      "POST", "/v1/admin/deadletters/drop", "ingest", "Removes them", [.ingestAdmin],
      body: .json(choice, #"{"ids":[1]}"#), failures: [422]),
  ]
}
