import Access
import Decoding
import Platform
import Records
import Routing

/// The ingest API: log entries by API key, masked, stored, and forwarded (Docs/ingest.md).
package struct IngestRoutes: RecordOwner {
  package static let realm = Realm.ingest
  package static let datasets: [Dataset] = [.logs]

  /// What this API alone needs.
  package struct Parts: Sendable {
    package let keys: IngestKeys
    package let keyStore: KeyStore
    package let decoder: any IngestDecoding
    package let pressure: IngestPressure
    package let forwarding: any EntryForwarding
    package let metrics: IngestMetrics
    package var entropy: any EntropySource = SystemEntropy()
    package var isFlushEnabled = true
    /// Of a body as it is sent and as it is decompressed: larger than a batch may be, so that a batch that is
    /// too large is told as such.
    package var bodyBytesMax = 8 << 20

    package init(
      keys: IngestKeys, keyStore: KeyStore, decoder: any IngestDecoding, pressure: IngestPressure,
      forwarding: any EntryForwarding, metrics: IngestMetrics
    ) {
      self.keys = keys
      self.keyStore = keyStore
      self.decoder = decoder
      self.pressure = pressure
      self.forwarding = forwarding
      self.metrics = metrics
    }
  }

  let keys: IngestKeys
  let keyStore: KeyStore
  let native: KeyDirectory
  let log: any AccessLog
  let decoder: any IngestDecoding
  let pressure: IngestPressure
  let forwarding: any EntryForwarding
  let store: RecordStoring
  let control: any StoreControl
  let metrics: IngestMetrics
  let clock: any WallClock
  let entropy: any EntropySource
  let isFlushEnabled: Bool
  let bodyBytesMax: Int

  /// - Parameter native: `/v1/admin/flush` belongs to the native API as well: its keys go there.
  package init(_ services: APIServices, _ parts: Parts, native: KeyDirectory) {
    self.native = native
    log = services.log
    store = services.store
    control = services.control
    clock = services.clock
    keys = parts.keys
    keyStore = parts.keyStore
    decoder = parts.decoder
    pressure = parts.pressure
    forwarding = parts.forwarding
    metrics = parts.metrics
    entropy = parts.entropy
    isFlushEnabled = parts.isFlushEnabled
    bodyBytesMax = parts.bodyBytesMax
  }

  static let key = CredentialKind("ingestKey", "an API key of the ingest API")
  /// The credential of who runs the ingest API.
  package static let administrator = CredentialKind(
    "ingestAdmin", "the administrator's token of the ingest API")

  package var api: API {
    var api = API("ingest", errors: .ingest, authenticate: authenticate)
    api.realm = IngestRoutes.realm
    api.datasets = IngestRoutes.datasets
    api.credentials = [IngestRoutes.administrator]
    api.prefixes = ["/v1/logs:", "/v1/logs%", "/v1/admin/"]
    api.routes = [entryRoute] + administrationRoutes + letterRoutes
    return api
  }

  /// Whether a flush is asked of the native API: by one of its keys, or by anybody while this API has no
  /// administrator.
  private func isNative(_ head: RequestHead) -> Bool {
    let authorization = head.headers.first(name: "Authorization")
    if keys.knows(authorization: authorization) { return false }
    guard keys.hasAdministrator else { return true }
    guard let authorization else { return false }
    do throws(CredentialError) {
      _ = try native.authenticate(authorization: authorization)
      return true
    } catch {
      return false
    }
  }

  /// Whose entries they are; nil: the administrator.
  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    var event = AccessEvent(head, origin, realm: .ingest, route: route.name)
    defer { log.record(event) }
    let isEntry = route.credentials == [IngestRoutes.key]
    let authorization = head.headers.first(name: "Authorization")
    do throws(IngestCredentialError) {
      if isEntry {
        let principal = try keys.authenticate(authorization: authorization)
        event.subject = principal.subject
        event.tenant = principal.tenant
        return principal
      }
      try keys.authenticateAdministrator(authorization: authorization)
      event.subject = "administrator"
      return nil
    } catch {
      event.kind = .ingestKeyRefused
      event.outcome = .refused("\(error)")
      if isEntry { metrics.refused() }
      throw Problem(error)
    }
  }
}

// What it answers to
extension IngestRoutes {
  private static let labels = JSONSchema.object(
    ["service", "env", "level", "schema_version", "region", "tenant"].map { ($0, JSONSchema.text) })
  private static let entry = JSONSchema.object(
    [
      ("timestamp", JSONSchema.time),
      ("level", JSONSchema.choice("DEBUG", "INFO", "WARN", "ERROR", "FATAL")),
      ("message", JSONSchema.text), ("service", JSONSchema.text), ("env", JSONSchema.text),
      ("labels", labels), ("trace_id", JSONSchema.optionalText), ("span_id", JSONSchema.optionalText),
      ("metadata", JSONSchema.optionalObject),
    ], required: ["timestamp", "level", "message", "service", "env"], isOpen: true)
  private static let example =
    #"{"timestamp":"2026-11-21T10:00:00Z","level":"ERROR","message":"Payment failed","service":"payments-api","env":"prod","metadata":{"order_id":"O-123"}}"#
  private static let choice = JSONSchema.object([
    ("ids", JSONSchema.array(JSONSchema.integer(1))), ("token", JSONSchema.text), ("all", JSONSchema.flag),
  ])

  private var entryRoute: Route {
    Route(.post, "/v1/logs:ingest", "Stores entries, all or none, and forwards them", .store(ingest))
      .opened(by: IngestRoutes.key).idempotent.openToPages(true)
      .taking(
        .json(
          JSONSchema.object(
            [("entries", JSONSchema.array(IngestRoutes.entry, 500)), ("idempotency_key", JSONSchema.text)],
            required: ["entries"]), #"{"entries":[\#(IngestRoutes.example)]}"#, bytesMax: bodyBytesMax
        ).compressible.passingOver("members that entries do not have", "golden exchange 56 of 004")
      ).answering(202).failing(with: 422, 429, 507)
  }

  private var administrationRoutes: [Route] {
    [
      Route(.post, "/v1/admin/flush", "Forwards what waits; archives the head, if asked to", .open(flush))
        .opened(by: IngestRoutes.administrator)
        .taking(
          .json(
            JSONSchema.object(
              [
                ("archive", JSONSchema.flag), ("timeout_seconds", JSONSchema.integer(1, 300)),
              ] + FlushRequest.passedOver.map { ($0, "{}") }), #"{"archive":true}"#
          ).passingOver(FlushRequest.passedOver.joined(separator: ", "), "golden exchange 73 of 004")
        ).failing(with: 422).claimed { !isNative($0) },
      Route(.get, "/v1/admin/status", "Whether entries are forwarded", .open(status))
        .opened(by: IngestRoutes.administrator),
      Route(.post, "/v1/admin/tokens/generate", "Makes a key, shown once", .open(generate))
        .opened(by: IngestRoutes.administrator)
        .taking(
          .json(
            JSONSchema.object(
              [
                ("service_name", JSONSchema.text), ("description", JSONSchema.text),
                ("active", JSONSchema.flag),
              ], required: ["service_name", "description"]),
            #"{"service_name":"payments-api","description":"Logs of payments"}"#)
        ).failing(with: 422).mixingSecrets,
      Route(
        .post, "/v1/admin/masking:test", "What masking makes of an entry; nothing is stored",
        .open(tryMasking)
      )
      .safe
      .opened(by: IngestRoutes.administrator)
      .taking(
        .json(
          JSONSchema.object(
            [("entry", JSONSchema.object), ("token", JSONSchema.text)], required: ["entry"]),
          #"{"entry":{"metadata":{"password":"hunter2"}}}"#)
      ).failing(with: 422),
    ]
  }

  private var letterRoutes: [Route] {
    [
      Route(.get, "/v1/admin/deadletters", "Entries that Loki refused for good", .open(deadLetters))
        .opened(by: IngestRoutes.administrator)
        .taking(
          .query("token", JSONSchema.text, "Of this key, by its name"),
          .query("after", JSONSchema.integer(0), "Behind this id"),
          .query("limit", JSONSchema.integer(1, 1_000), "The most of them")),
      Route(.post, "/v1/admin/deadletters/replay", "Sends them once more", .open(replay))
        .opened(by: IngestRoutes.administrator)
        .taking(.json(IngestRoutes.choice, #"{"all":true}"#)).failing(with: 422),
      Route(.post, "/v1/admin/deadletters/drop", "Removes them", .open(drop))
        .opened(by: IngestRoutes.administrator)
        .taking(.json(IngestRoutes.choice, #"{"ids":[1]}"#)).failing(with: 422),
    ]
  }
}

extension Problem {
  init(_ error: IngestCredentialError) {
    switch error {
    case .missing: self.init(403, "Not authenticated")
    case .wrongScheme: self.init(403, "Invalid authentication credentials")
    case .unknown: self.init(401, "Invalid authentication token")
    case .inactive: self.init(401, "Authentication token is inactive")
    case .notAdministrator: self.init(401, "Admin token required for this operation")
    }
  }
}
