import APIs
import Access
import Decoding
import EntryDecoding
import Foundation
import HTTP
import Records
import Routing
import Tailing

/// The server's settings as values: read once at start, handed to each module as its own small struct.
package struct Configuration: Sendable {
  /// Who the server is for: its owner on this machine, or others.
  package enum Environment: String, Sendable { case development, production }
  /// How lines of the log look; `auto` is text for a terminal and JSON elsewhere.
  package enum LogFormat: String, Sendable { case auto, json, text }

  /// `environment`.
  package var environment: Environment
  /// `data_dir`.
  package var dataDirectory: String
  /// For the first start; nil: a random one is made.
  package var adminPassword: String?
  /// `auth.token_hours`.
  package var tokenHours: Int
  /// `native.api_keys`.
  package var apiKeys: [APIKey]
  /// `native.open_tenant`.
  package var openTenant: Tenant
  /// Settings below `oidc`; nil: there is no provider.
  package var openID: OpenIDSettings?
  /// Settings below `audit`.
  package var audit: AuditCredentials.Policy
  /// A JWK set; nil: none.
  package var auditKeySetPath: String?
  /// `audit.secrets_key_file`, `audit.secrets_key_command`.
  package var secretsKey: SecretsKeySource
  /// How old the entries are that a bare cleanup removes.
  package var auditCleanupDays: Int
  /// Clients of the workflow API by their keys.
  package var workflowKeys: [String: Tenant]
  /// `workflow.api_key_header`.
  package var workflowKeyHeader: String
  /// What `/health` calls the service and its deployment; nothing else follows from either.
  package var serviceName: String
  /// `service.environment`.
  package var serviceEnvironment: String
  /// Settings below `querylog`.
  package var queries: QuerySessions.Policy
  /// The key of the query log's hashes; nil: a random one, kept in the control database.
  package var querySecret: String?
  /// Settings below `live`.
  package var live: LiveLimits
  /// Settings of the ingest API.
  package var ingest: IngestSettings
  /// Settings below `forwarding.loki`.
  package var loki: LokiSettings
  /// `server.host`.
  package var host: String
  /// `server.port`; 0: any that is free.
  package var port: Int
  /// `server.extra_ports`.
  package var extraPorts: [Int]
  /// Whether `/docs` is a page: `server.docs`.
  package var hasDocs: Bool
  /// Whether there is a page for people below `/ui/`: `server.page`.
  package var hasPage: Bool
  /// `server.open_routes`: paths that need no credential, in production too.
  package var openRoutes: [String]
  /// `server.allowed_origins`.
  package var allowedOrigins: AllowedOrigins
  /// `server.tls_certificate`.
  package var tlsCertificate: String?
  /// `server.tls_key`.
  package var tlsKey: String?
  /// Settings below `listen`.
  package var listeners: [MessageListener]
  /// `server.trusted_proxies`.
  package var trustedProxies: TrustedProxies
  /// `server.plain_http`.
  package var isPlainHTTPAllowed: Bool
  /// `server.threads`; 0: see ``loopCount``.
  package var threads: Int
  /// `server.shutdown_seconds`.
  package var shutdownSeconds: Int
  /// Settings below `limits.rates`.
  package var rates: RateSettings
  /// Bounds of requests.
  package var http: HTTPLimits
  /// Bounds of records.
  package var decoding: DecodingLimits
  /// `fsync`, `os` or `none`.
  package var durability: String
  /// `storage.write_reserve_bytes`.
  package var writeReserveBytes: Int
  /// `storage.open_blocks_bytes_max`.
  package var openBlocksBytesMax: Int
  /// `storage.page_cache_ratio`: a part of ``memoryBytes``.
  package var pageCacheRatio: Double
  /// `journal.segment_bytes`.
  package var segmentBytes: Int
  /// `journal.head_bytes_max`.
  package var headBytesMax: Int
  /// `clock.step_seconds`.
  package var clockStepSeconds: Int
  /// `archive.max_age_seconds`.
  package var archiveAgeSecondsMax: Int
  /// `archive.bytes_max`.
  package var archiveBytesMax: Int
  /// Zero: keep for ever.
  package var retentionSeconds: [Dataset: Int]
  /// `query.memory_bytes_max`.
  package var queryMemoryBytesMax: Int
  /// `memory.bytes_max`; 0: see ``memoryBytes``.
  package var memoryBytesMax: Int
  /// `query.seconds_max`; 0: without end.
  package var querySecondsMax: Int
  /// `query.threads`; 0: see ``queryThreadCount``.
  package var queryThreads: Int
  /// `health.disk_free_ratio`.
  package var diskFreeRatio: Double
  /// `logging.level`.
  package var logLevel: String
  /// `logging.format`.
  package var logFormat: LogFormat
  /// Whether every request's credential is logged, not only refusals and changes.
  package var logsAllAccess: Bool

  /// Reads every setting with its type and checks what must hold between them.
  ///
  /// - Parameter registry: What is served, and so has settings of its own.
  package init(
    _ tree: ConfigurationTree, registry: Registry = ServedAPIs.registry
  ) throws(ConfigurationError) {
    let values = ConfigurationValues(tree: tree, registry: registry)
    environment = Environment(rawValue: try values.text("environment")) ?? .development
    dataDirectory = try values.text("data_dir")
    (adminPassword, openID) = (try values.optionalText("admin_password"), try values.openID())
    tokenHours = try values.integer("auth.token_hours")
    apiKeys = try values.apiKeys("native.api_keys")
    openTenant = try values.tenant("native.open_tenant")
    host = try values.text("server.host")
    audit = try values.auditPolicy(isPrivate: Configuration.isPrivate(environment, host: host))
    auditCleanupDays = try values.integer("audit.cleanup_default_days")
    auditKeySetPath = try values.optionalText("audit.jwks_file")
    secretsKey = try values.secretsKey()
    workflowKeys = try values.clients("workflow.api_keys")
    workflowKeyHeader = try values.fieldName("workflow.api_key_header")
    serviceName = try values.text("service.name")
    serviceEnvironment = try values.text("service.environment")
    (queries, querySecret) = try values.queryLog(
      isPrivate: Configuration.isPrivate(environment, host: host))
    live = LiveLimits()
    live.subscribersMax = try values.integer("live.subscribers_max")
    live.queueMessagesMax = try values.integer("live.queue_messages_max")
    live.queueBytesMax = try values.integer("live.queue_bytes_max")
    ingest = try values.ingest()
    loki = try values.loki()
    port = try values.integer("server.port")
    extraPorts = try values.integers("server.extra_ports")
    openRoutes = try values.words("server.open_routes")
    trustedProxies = try values.proxies("server.trusted_proxies")
    allowedOrigins = try values.origins("server.allowed_origins")
    (hasDocs, hasPage) = try values.pages(isPrivate: Configuration.isPrivate(environment, host: host))
    tlsCertificate = try values.optionalText("server.tls_certificate")
    tlsKey = try values.optionalText("server.tls_key")
    listeners = try values.messageListeners(orFor: openTenant, hasTLS: tlsCertificate != nil)
    threads = try values.integer("server.threads")
    shutdownSeconds = try values.integer("server.shutdown_seconds")
    http = try values.httpLimits(isPrivate: Configuration.isPrivate(environment, host: host))
    rates = try values.rates()
    decoding = try values.decodingLimits()
    durability = try values.text("storage.durability")
    writeReserveBytes = try values.integer("storage.write_reserve_bytes")
    openBlocksBytesMax = try values.integer("storage.open_blocks_bytes_max")
    segmentBytes = try values.integer("journal.segment_bytes")
    headBytesMax = try values.integer("journal.head_bytes_max")
    clockStepSeconds = try values.integer("clock.step_seconds")
    archiveAgeSecondsMax = try values.integer("archive.max_age_seconds")
    archiveBytesMax = try values.integer("archive.bytes_max")
    retentionSeconds = try Configuration.retention(of: registry.datasets, values)
    (memoryBytesMax, queryMemoryBytesMax, pageCacheRatio) = try values.memory()
    querySecondsMax = try values.integer("query.seconds_max")
    queryThreads = try values.integer("query.threads")
    diskFreeRatio = try values.number("health.disk_free_ratio")
    logLevel = try values.text("logging.level")
    logFormat = LogFormat(rawValue: try values.text("logging.format")) ?? .auto
    logsAllAccess = try values.text("logging.access") == "all"
    isPlainHTTPAllowed = try values.flag("server.plain_http")
    try refuseWhatIsUnsafe()
  }

  /// What must hold between settings.
  private func refuseWhatIsUnsafe() throws(ConfigurationError) {
    guard (tlsCertificate == nil) == (tlsKey == nil) else {
      throw .refused("server.tls_certificate and server.tls_key belong together: set both or none")
    }
    if !isPrivate { try refuseWeakSecrets() }
    guard isPlainHTTPAllowed || tlsCertificate != nil || Configuration.isLoopback(host) else {
      throw .refused(
        "server.host is \(host), where credentials and records would go over the network as they are: set "
          + "server.tls_certificate and server.tls_key, or server.plain_http: true behind a proxy that encrypts"
      )
    }
  }

  private static func retention(
    of datasets: [Dataset], _ values: ConfigurationValues
  ) throws(ConfigurationError) -> [Dataset: Int] {
    var retention: [Dataset: Int] = [:]
    for dataset in datasets {
      retention[dataset] = try values.integer("retention.\(dataset.name)_seconds")
    }
    return retention
  }

  /// `query.threads`, or one a core.
  var queryThreadCount: Int { queryThreads > 0 ? queryThreads : ProcessInfo.processInfo.activeProcessorCount }

  /// Event loops: `server.threads`, or one a core, at most 4.
  var loopCount: Int { threads > 0 ? threads : min(ProcessInfo.processInfo.activeProcessorCount, 4) }

  /// What `/readyz` looks at.
  var readiness: ServerReadiness.Needs {
    ServerReadiness.Needs(
      dataDirectory: dataDirectory, diskFreeRatio: diskFreeRatio, lokiURL: loki.url,
      lokiAuthorization: loki.authorization,
      isLokiRequired: loki.isRequiredForReady)
  }

  /// A body of the ingest API: spaces and escapes may make a batch eight times as long, no more.
  var ingestBodyBytesMax: Int { min(http.bodyBytesMax, max(ingest.limits.batchBytesMax * 8, 1 << 20)) }

  /// Whether default credentials are for nobody else to use: in development, on loopback.
  package var isPrivate: Bool { Configuration.isPrivate(environment, host: host) }

  private static func isPrivate(_ environment: Environment, host: String) -> Bool {
    environment == .development && isLoopback(host)
  }

  private static func isLoopback(_ host: String) -> Bool {
    ["127.0.0.1", "::1", "localhost"].contains { host.hasBytes(of: $0) }
  }

  /// Whether what is sent can be read on the way.
  var isReadable: Bool { tlsCertificate == nil && !Configuration.isLoopback(host) }

  /// Whether the native API lets requests without a credential in.
  package var isOpen: Bool { apiKeys.isEmpty && isPrivate }

  /// `http` or `https`.
  package var scheme: String { tlsCertificate == nil ? "http" : "https" }
}
