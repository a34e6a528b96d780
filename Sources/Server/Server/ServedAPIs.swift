import APIs
import Access
import Decoding
import HTTP
import Platform
import Records
import Routing

/// The APIs of a server.
struct ServedAPIs: Sendable {
  /// Of paths that several have, the first that claims a request gets it.
  let apis: [API]

  /// The one list of APIs.
  init(_ parts: ServerParts, metrics: HTTPMetrics) {
    let (access, configuration) = (parts.access, parts.configuration)
    let services = ServedAPIs.services(parts, metrics)
    let nativeKeys = KeyDirectory(
      keys: configuration.apiKeys, openTenant: configuration.isOpen ? configuration.openTenant : nil,
      store: access.keys)
    // The query-log API takes one method, the workflow API what shows a key of its own, the ingest API leaves
    // what shows a native key.
    let others = [
      ServedAPIs.operations(parts, metrics).api,
      IngestRoutes(services, ServedAPIs.ingest(parts), native: nativeKeys).api,
      NativeRoutes(services, directory: nativeKeys).api,
      SessionsRoutes(
        services, accounts: access.accounts, keys: access.keys, catalog: access.catalog, seal: access.seal,
        tokenHours: configuration.tokenHours
      ).api,
      QueryLogRoutes(services, sessions: access.queries, seal: access.querySeal).api,
      WorkflowRoutes(
        services, keys: access.workflow, keyHeader: configuration.workflowKeyHeader,
        identity: WorkflowRoutes.Identity(
          service: configuration.serviceName, environment: configuration.serviceEnvironment)
      ).api,
      AuditRoutes(
        services, credentials: access.audit, tenants: access.tenants,
        cleanupDays: configuration.auditCleanupDays
      ).api,
      AnalyticsRoutes(
        services, audit: access.audit, workflow: access.workflow,
        keyHeader: configuration.workflowKeyHeader, zones: .ofFoundation
      ).api,
    ]
    let reference = ReferenceRoutes(
      version: RunningServer.version, store: parts.engine.identity, hasPage: configuration.hasDocs,
      others: others)
    apis = [reference.api] + others
    use(configuration.ingest.masking)
  }

  /// Takes other masking, each API that of its realm.
  func use(_ masking: MaskingSettings) {
    for api in apis {
      guard let realm = api.realm else { continue }
      api.masking { masking.plan(for: $0, of: realm) }
    }
  }
}

// What APIs are made of
extension ServedAPIs {
  private static func services(_ parts: ServerParts, _ metrics: HTTPMetrics) -> APIServices {
    var services = APIServices(
      store: RecordStoring(
        sink: parts.engine.sink, metrics: metrics, bodyBytesMax: parts.configuration.http.bodyBytesMax),
      engine: parts.engine.questions, control: parts.engine.control,
      streams: LiveStreams(feed: parts.engine.live, seal: parts.access.seal), log: parts.log,
      clock: parts.clock)
    services.limits = parts.configuration.http
    services.decodingLimits = parts.configuration.decoding
    return services
  }

  private static func operations(_ parts: ServerParts, _ metrics: HTTPMetrics) -> OperationsRoutes {
    OperationsRoutes(
      registry: ServerMetrics.registry(parts, metrics),
      readiness: ServerReadiness(
        parts.configuration.readiness, control: parts.engine.control, reports: parts.reports,
        forwarding: parts.ingest.forwarding, client: parts.client, clock: parts.clock), clock: parts.clock)
  }

  private static func ingest(_ parts: ServerParts) -> IngestRoutes.Parts {
    let ingest = parts.ingest
    var own = IngestRoutes.Parts(
      keys: ingest.keys, keyStore: parts.access.keys, decoder: ingest.decoder,
      pressure: IngestPressure(buckets: ingest.buckets, forwarding: ingest.forwarding, clock: parts.clock),
      forwarding: ingest.forwarding, metrics: ingest.metrics)
    own.isFlushEnabled = parts.configuration.ingest.isFlushEnabled
    own.bodyBytesMax = parts.configuration.ingestBodyBytesMax
    return own
  }
}
