import Access
import Decoding
import Gateway
import Logging
import Platform
import Records

/// A server that listens: the engine behind the routes.
package struct RunningServer: Sendable {
  /// The ports it listens on, the first as `server.port` asked.
  package let ports: [Int]
  private let http: HTTPServer
  private let engine: Engine
  private let configuration: Configuration

  package static let version = "0.1.0"

  /// Wires engine and access to routes and listens.
  package static func start(
    _ configuration: Configuration, engine: Engine, access: AccessServices, log: any AccessLog,
    tls: TLSCredentials?, clock: any WallClock, logger: Logger
  ) async throws -> RunningServer {
    let metrics = HTTPMetrics(uploads: UploadBudget(bytesMax: configuration.http.uploadBytesMax))
    let registry = MetricsRegistry()
    registry.register { metrics.collect(into: &$0) }
    registry.register(engine.collect)
    registry.register { ProcessMetrics.collect(into: &$0) }
    let store = RecordStoring(
      sink: engine.sink, inflater: GzipInflater(), metrics: metrics,
      bodyBytesMax: configuration.http.bodyBytesMax)
    let operations = OperationsRoutes(
      version: version, store: engine.identity, registry: registry, control: engine.control)
    let streams = LiveStreams(feed: engine.live, seal: access.seal)
    let native = NativeRoutes(
      directory: KeyDirectory(
        keys: configuration.apiKeys, openTenant: configuration.isOpen ? configuration.openTenant : nil,
        store: access.keys),
      log: log,
      writing: RecordWriting(store: store, clock: clock, decodingLimits: configuration.decoding),
      queries: engine.queries, control: engine.control, limits: configuration.http)
    let tail = TailRoutes(native, engine: engine.questions, streams: streams)
    let sessions = SessionsRoutes(
      accounts: access.accounts, keys: access.keys, catalog: access.catalog, seal: access.seal, log: log,
      store: store,
      engine: engine.questions, decodingLimits: configuration.decoding, limits: configuration.http,
      tokenHours: configuration.tokenHours)
    let workflow = WorkflowRoutes(
      keys: access.workflow, keyHeader: configuration.workflowKeyHeader,
      identity: WorkflowRoutes.Identity(
        service: configuration.serviceName, environment: configuration.serviceEnvironment),
      log: log, store: store, engine: engine.questions, decodingLimits: configuration.decoding,
      limits: configuration.http, clock: clock)
    let audit = AuditRoutes(
      credentials: access.audit, tenants: access.tenants, log: log, store: store, engine: engine.questions,
      control: engine.control, streams: streams, decodingLimits: configuration.decoding,
      limits: configuration.http, clock: clock, cleanupDays: configuration.auditCleanupDays)
    let queryLog = QueryLogRoutes(
      sessions: access.queries, seal: access.querySeal, log: log, store: store, engine: engine.questions,
      streams: streams, limits: configuration.http, entryBytesMax: configuration.decoding.entryBytesMax,
      clock: clock)
    let analytics = AnalyticsRoutes(
      audit: access.audit, workflow: access.workflow, keyHeader: configuration.workflowKeyHeader, log: log,
      engine: engine.questions, clock: clock)
    let reference = ReferenceRoutes(
      version: version, keyHeader: configuration.workflowKeyHeader, hasPage: configuration.hasDocs)
    let http = HTTPServer(
      // The query-log API takes one method of a path that others have too. Then the workflow API comes first: on the
      // rows it shares with the audit API it takes what shows a key of its own.
      router: Router(
        [operations, reference, native, tail, sessions, queryLog, workflow, audit, analytics],
        origins: configuration.allowedOrigins), limits: configuration.http,
      metrics: metrics,
      logger: logger, clock: clock, threads: configuration.loopCount, tls: tls)
    do {
      var ports: [Int] = []
      for port in [configuration.port] + configuration.extraPorts {
        ports.append(try await http.bind(host: configuration.host, port: port))
      }
      return RunningServer(ports: ports, http: http, engine: engine, configuration: configuration)
    } catch {
      await http.stop(withinSeconds: 0)
      throw error
    }
  }

  /// Stops accepting, lets requests finish, closes the engine.
  package func stop() async {
    await http.stop(withinSeconds: max(configuration.shutdownSeconds - 1, 1))
    await engine.close()
  }
}
