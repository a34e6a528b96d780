import APIs
import Access
import Codecs
import Decoding
import HTTP
import Masking
import Platform
import Records
import Routing

/// Makes each API of what is open.
struct APIMaker {
  private let parts: ServerParts
  private let store: RecordStoring
  private let streams: LiveStreams

  init(_ parts: ServerParts, metrics: HTTPMetrics) {
    self.parts = parts
    store = RecordStoring(
      sink: parts.engine.sink, metrics: metrics,
      bodyBytesMax: parts.configuration.http.bodyBytesMax)
    streams = LiveStreams(feed: parts.engine.live, seal: parts.access.seal)
  }

  private var configuration: Configuration { parts.configuration }
  private var access: AccessServices { parts.access }
  private var engine: Engine { parts.engine }
  private var masking: MaskingSettings { parts.configuration.ingest.masking }

  func operations(_ registry: MetricsRegistry) -> OperationsRoutes {
    OperationsRoutes(
      version: RunningServer.version, registry: registry,
      readiness: ServerReadiness(
        configuration.readiness, control: engine.control, reports: parts.reports,
        forwarding: parts.ingest.forwarding, client: parts.client, clock: parts.clock), clock: parts.clock)
  }

  func reference(to others: [API]) -> ReferenceRoutes {
    ReferenceRoutes(
      version: RunningServer.version, store: engine.identity, hasPage: configuration.hasDocs, others: others)
  }

  func ingest() -> IngestRoutes {
    let ingest = parts.ingest
    return IngestRoutes(
      keys: ingest.keys, keyStore: access.keys, native: directory, log: parts.log, decoder: ingest.decoder,
      pressure: IngestPressure(buckets: ingest.buckets, forwarding: ingest.forwarding, clock: parts.clock),
      forwarding: ingest.forwarding, store: store, control: engine.control, metrics: ingest.metrics,
      clock: parts.clock, entropy: SystemEntropy(), isFlushEnabled: configuration.ingest.isFlushEnabled,
      bodyBytesMax: configuration.ingestBodyBytesMax)
  }

  private var directory: KeyDirectory {
    KeyDirectory(
      keys: configuration.apiKeys, openTenant: configuration.isOpen ? configuration.openTenant : nil,
      store: access.keys)
  }

  func native() -> NativeRoutes {
    let masking = masking
    let writing = RecordWriting(
      store: store, clock: parts.clock, decodingLimits: configuration.decoding,
      masking: { masking.plan(for: $0, of: .native) })
    return NativeRoutes(
      directory: directory, log: parts.log, writing: writing, queries: engine.queries,
      control: engine.control, limits: configuration.http,
      tail: TailRoutes(directory, engine: engine.questions, streams: streams))
  }

  func sessions() -> SessionsRoutes {
    SessionsRoutes(
      accounts: access.accounts, keys: access.keys, catalog: access.catalog, seal: access.seal,
      log: parts.log, store: store, engine: engine.questions, decodingLimits: configuration.decoding,
      limits: configuration.http, tokenHours: configuration.tokenHours,
      masking: masking.plan(for: .sessions, of: .sessions))
  }

  func workflow() -> WorkflowRoutes {
    WorkflowRoutes(
      keys: access.workflow, keyHeader: configuration.workflowKeyHeader,
      identity: WorkflowRoutes.Identity(
        service: configuration.serviceName, environment: configuration.serviceEnvironment),
      log: parts.log, store: store, engine: engine.questions, decodingLimits: configuration.decoding,
      limits: configuration.http, clock: parts.clock, masking: masking.plan(for: .workflows, of: .workflow))
  }

  func audit() -> AuditRoutes {
    AuditRoutes(
      credentials: access.audit, tenants: access.tenants, log: parts.log, store: store,
      engine: engine.questions, control: engine.control, streams: streams,
      decodingLimits: configuration.decoding, limits: configuration.http, clock: parts.clock,
      cleanupDays: configuration.auditCleanupDays, masking: masking.plan(for: .audit, of: .audit))
  }

  func queryLog() -> QueryLogRoutes {
    QueryLogRoutes(
      sessions: access.queries, seal: access.querySeal, log: parts.log, store: store,
      engine: engine.questions, streams: streams, masking: masking.plan(for: .queries, of: .querylog),
      limits: configuration.http, entryBytesMax: configuration.decoding.entryBytesMax, clock: parts.clock)
  }

  func analytics() -> AnalyticsRoutes {
    AnalyticsRoutes(
      audit: access.audit, workflow: access.workflow, keyHeader: configuration.workflowKeyHeader,
      log: parts.log, engine: engine.questions, clock: parts.clock, zones: .ofFoundation)
  }
}
