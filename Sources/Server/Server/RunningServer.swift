import APIs
import Access
import AsyncHTTPClient
import Codecs
import Decoding
import Forwarding
import HTTP
import Logging
import Platform
import Records
import Routing

/// A server that listens: the engine behind the routes.
package struct RunningServer: Sendable {
  /// The ports it listens on, the first as `server.port` asked.
  package let ports: [Int]
  private let http: HTTPServer
  private let engine: Engine
  private let configuration: Configuration
  private let ingest: IngestServices
  /// Takes the masking of every API but ingest, whose decoder has rules for each key.
  private let useMasking: @Sendable (MaskingSettings) -> Void

  package static let version = ProgramVersion.text

  /// Wires engine and access to routes and listens.
  ///
  /// - Parameters:
  ///   - ingest: nil: as configured, without a forwarder.
  ///   - client: For asking Loki whether it is ready.
  package static func start(
    _ configuration: Configuration, engine: Engine, reports: StoreReports? = nil, access: AccessServices,
    ingest given: IngestServices? = nil,
    client: HTTPClient = .shared, log: any AccessLog, tls: TLSCredentials?, clock: any WallClock,
    logger: Logger
  ) async throws -> RunningServer {
    let startedAt = clock.now()
    let ingest =
      given
      ?? IngestServices(
        configuration.ingest, store: access.keys, loki: nil, control: engine.control, clock: clock)
    let metrics = HTTPMetrics(uploads: UploadBudget(bytesMax: configuration.http.uploadBytesMax))
    let registry = MetricsRegistry()
    registry.register { metrics.collect(into: &$0) }
    registry.register(engine.collect)
    registry.register { ProcessMetrics.collect(into: &$0) }
    registry.register { text in
      text.family("logstack_service_info", .gauge, "Always 1: which service and version this is.")
      text.sample("logstack_service_info", [("service", "logstack"), ("version", version)], 1)
      text.single(
        "uptime_seconds", .gauge, "How long the server has been running.",
        Double(max(0, clock.now() - startedAt)) / 1e9)
    }
    registry.register { metrics.collectPlain(into: &$0) }
    registry.register { await ingest.metrics.collect(into: &$0) }
    registry.register { text in
      if let loki = ingest.loki {
        loki.collect(into: &text)
      } else {
        LokiMetrics.collect(ForwardingMetrics(), now: 0, into: &text)
      }
    }
    let store = RecordStoring(
      sink: engine.sink, inflater: GzipInflater(), metrics: metrics,
      bodyBytesMax: configuration.http.bodyBytesMax)
    let masking = configuration.ingest.masking
    let operations = OperationsRoutes(
      version: version, registry: registry,
      readiness: ServerReadiness(
        configuration.readiness, control: engine.control, reports: reports, forwarding: ingest.forwarding,
        client: client, clock: clock), clock: clock)
    let directory = KeyDirectory(
      keys: configuration.apiKeys, openTenant: configuration.isOpen ? configuration.openTenant : nil,
      store: access.keys)
    let entries = IngestRoutes(
      keys: ingest.keys, keyStore: access.keys, native: directory, log: log, decoder: ingest.decoder,
      pressure: IngestPressure(buckets: ingest.buckets, forwarding: ingest.forwarding, clock: clock),
      forwarding: ingest.forwarding, store: store, control: engine.control, metrics: ingest.metrics,
      clock: clock, entropy: SystemEntropy(), isFlushEnabled: configuration.ingest.isFlushEnabled,
      bodyBytesMax: configuration.ingestBodyBytesMax)
    let streams = LiveStreams(feed: engine.live, seal: access.seal)
    let writing = RecordWriting(
      store: store, clock: clock, decodingLimits: configuration.decoding,
      masking: { masking.plan(for: $0, of: .native) })
    let native = NativeRoutes(
      directory: directory, log: log, writing: writing,
      queries: engine.queries, control: engine.control, limits: configuration.http,
      tail: TailRoutes(directory, engine: engine.questions, streams: streams))
    let sessions = SessionsRoutes(
      accounts: access.accounts, keys: access.keys, catalog: access.catalog, seal: access.seal, log: log,
      store: store,
      engine: engine.questions, decodingLimits: configuration.decoding, limits: configuration.http,
      tokenHours: configuration.tokenHours, masking: masking.plan(for: .sessions, of: .sessions))
    let workflow = WorkflowRoutes(
      keys: access.workflow, keyHeader: configuration.workflowKeyHeader,
      identity: WorkflowRoutes.Identity(
        service: configuration.serviceName, environment: configuration.serviceEnvironment),
      log: log, store: store, engine: engine.questions, decodingLimits: configuration.decoding,
      limits: configuration.http, clock: clock, masking: masking.plan(for: .workflows, of: .workflow))
    let audit = AuditRoutes(
      credentials: access.audit, tenants: access.tenants, log: log, store: store, engine: engine.questions,
      control: engine.control, streams: streams, decodingLimits: configuration.decoding,
      limits: configuration.http, clock: clock, cleanupDays: configuration.auditCleanupDays,
      masking: masking.plan(for: .audit, of: .audit))
    let queryLog = QueryLogRoutes(
      sessions: access.queries, seal: access.querySeal, log: log, store: store, engine: engine.questions,
      streams: streams, masking: masking.plan(for: .queries, of: .querylog), limits: configuration.http,
      entryBytesMax: configuration.decoding.entryBytesMax,
      clock: clock)
    let analytics = AnalyticsRoutes(
      audit: access.audit, workflow: access.workflow, keyHeader: configuration.workflowKeyHeader, log: log,
      engine: engine.questions, clock: clock, zones: .ofFoundation)
    // Of paths that several APIs have, the first that claims a request gets it: the query-log API takes one method, the
    // workflow API what shows a key of its own, the ingest API leaves what shows a native key.
    let apis = [
      operations.api, entries.api, native.api, sessions.api, queryLog.api, workflow.api, audit.api,
      analytics.api,
    ]
    let reference = ReferenceRoutes(
      version: version, store: engine.identity, hasPage: configuration.hasDocs, others: apis)
    let http = HTTPServer(
      router: Router(
        RouteTable([reference.api] + apis), origins: configuration.allowedOrigins,
        isPrivate: configuration.isPrivate),
      limits: configuration.http,
      metrics: metrics,
      logger: logger, clock: clock, threads: configuration.loopCount, tls: tls)
    do {
      var ports: [Int] = []
      for port in [configuration.port] + configuration.extraPorts {
        ports.append(try await http.bind(host: configuration.host, port: port))
      }
      return RunningServer(
        ports: ports, http: http, engine: engine, configuration: configuration, ingest: ingest
      ) { masking in
        for api in apis {
          guard let realm = api.realm else { continue }
          api.masking { masking.plan(for: $0, of: realm) }
        }
      }
    } catch {
      await http.stop(withinSeconds: 0)
      throw error
    }
  }

  /// Takes new keys, masking, limits and quotas.
  func use(_ settings: IngestSettings) {
    ingest.use(settings)
    useMasking(settings.masking)
  }

  /// Stops accepting, lets requests finish, closes the engine.
  package func stop() async {
    await http.stop(withinSeconds: max(configuration.shutdownSeconds - 1, 1))
    await ingest.loki?.stop(withinSeconds: 1)
    await engine.close()
  }
}
