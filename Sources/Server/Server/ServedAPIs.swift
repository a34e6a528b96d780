import APIs
import Access
import Decoding
import HTTP
import Platform
import Records
import Routing
import WebUI

/// The APIs of a server.
package struct ServedAPIs: Sendable {
  /// The one list of APIs. Of paths that several have, the first that claims a request gets it: the query-log
  /// API takes one method, the workflow API what shows a key of its own, the ingest API leaves what shows a
  /// native key.
  private static let list: [Listed] = [
    Listed { ServedAPIs.operations($0.parts, $0.metrics, $0.gate, $0.readiness).api },
    Listed(IngestRoutes.self) {
      IngestRoutes($0.services, ServedAPIs.ingest($0.parts), native: $0.nativeKeys).api
    },
    Listed(NativeRoutes.self) { NativeRoutes($0.services, directory: $0.nativeKeys).api },
    Listed { LokiRoutes($0.services, directory: $0.nativeKeys).api },
    Listed { OTLPRoutes($0.services, .protobuf, directory: $0.nativeKeys).api },
    Listed { OTLPRoutes($0.services, .json, directory: $0.nativeKeys).api },
    Listed { OTLPRoutes($0.services, .grpc, directory: $0.nativeKeys).api },
    Listed {
      BulkRoutes($0.services, identity: $0.parts.engine.identity, directory: $0.nativeKeys).api
    },
    Listed { SplunkRoutes($0.services, directory: $0.nativeKeys).api },
    Listed { DatadogRoutes($0.services, directory: $0.nativeKeys).api },
    Listed { InsertRoutes($0.services, directory: $0.nativeKeys).api },
    Listed { JournalRoutes($0.services, directory: $0.nativeKeys).api },
    Listed(SessionsRoutes.self) { ServedAPIs.sessions($0).api },
    Listed(QueryLogRoutes.self) { ServedAPIs.queryLog($0).api },
    Listed(WorkflowRoutes.self) {
      WorkflowRoutes(
        $0.services, keys: $0.access.workflow, keyHeader: $0.configuration.workflowKeyHeader,
        identity: WorkflowRoutes.Identity(
          service: $0.configuration.serviceName, environment: $0.configuration.serviceEnvironment)
      ).api
    },
    Listed(AuditRoutes.self) {
      AuditRoutes(
        $0.services, credentials: $0.access.audit, tenants: $0.access.tenants,
        cleanupDays: $0.configuration.auditCleanupDays
      ).api
    },
    Listed {
      AnalyticsRoutes(
        $0.services, audit: $0.access.audit, workflow: $0.access.workflow,
        keyHeader: $0.configuration.workflowKeyHeader, zones: .ofFoundation
      ).api
    },
  ]

  /// What the listed APIs declare: the kinds of records and the families of tenants that there are.
  package static let registry = Registry(owners)
  static let owners = list.compactMap(\.owner)

  /// Of paths that several have, the first that claims a request gets it.
  let apis: [API]
  // What comes without requests.
  private let syslog: SyslogIntake
  private let gelf: GELFIntake
  private let forward: ForwardIntake

  init(_ parts: ServerParts, metrics: HTTPMetrics) {
    let making = Making(parts, metrics)
    syslog = SyslogIntake(making.services)
    gelf = GELFIntake(making.services)
    forward = ForwardIntake(making.services)
    // Of `/` browsers get the page, others what the reference says.
    let page = parts.configuration.hasPage ? [WebUIRoutes().api] : []
    let asked = parts.configuration.hasPage ? [ServedAPIs.page(making)] : []
    let others = ServedAPIs.list.map { $0.make(making) } + page + asked
    let reference = ReferenceRoutes(
      version: RunningServer.version, store: parts.engine.identity, hasPage: parts.configuration.hasDocs,
      others: others, gate: making.gate)
    apis = page + [reference.api] + others.filter { api in !page.contains { $0.name.hasBytes(of: api.name) } }
    use(parts.configuration.ingest.masking)
  }

  /// Takes other masking, each API that of its realm.
  func use(_ masking: MaskingSettings) {
    for api in apis {
      guard let realm = api.realm else { continue }
      api.masking { masking.plan(for: $0, of: realm) }
    }
    let plan = masking.plan(for: .logs, of: NativeRoutes.realm)
    syslog.use(plan)
    gelf.use(plan)
    forward.use(plan)
  }

  /// What a listener's messages go to.
  func intake(of listener: MessageListener) -> any MessageIntake {
    let (tenant, most, address) = (listener.address.tenant, listener.messageBytesMax, listener.address)
    switch listener.form {
    case .syslog:
      return syslog.listener(
        tenant: tenant, zone: { address.offsetSeconds(at: $0) }, messageBytesMax: most)
    case .gelf: return gelf.listener(tenant: tenant, messageBytesMax: most)
    case .forward: return forward.listener(tenant: tenant, messageBytesMax: most)
    }
  }
}

// What APIs are made of
extension ServedAPIs {
  /// An entry of the list.
  private struct Listed: Sendable {
    /// nil: it keeps no records.
    let owner: (any RecordOwner.Type)?
    let make: @Sendable (Making) -> API

    init(_ owner: (any RecordOwner.Type)? = nil, make: @escaping @Sendable (Making) -> API) {
      self.owner = owner
      self.make = make
    }
  }

  struct Making {
    let parts: ServerParts
    let metrics: HTTPMetrics
    let services: APIServices
    let nativeKeys: KeyDirectory
    let gate: OperatorGate
    let readiness: ServerReadiness
    var access: AccessServices { parts.access }
    var configuration: Configuration { parts.configuration }

    init(_ parts: ServerParts, _ metrics: HTTPMetrics) {
      self.parts = parts
      self.metrics = metrics
      services = ServedAPIs.services(parts, metrics)
      let configuration = parts.configuration
      nativeKeys = KeyDirectory(
        keys: configuration.apiKeys, openTenant: configuration.isOpen ? configuration.openTenant : nil,
        store: parts.access.keys)
      gate = ServedAPIs.gate(parts, nativeKeys)
      readiness = ServerReadiness(
        configuration.readiness, control: parts.engine.control, reports: parts.reports,
        forwarding: parts.ingest.forwarding, client: parts.client, clock: parts.clock)
    }
  }

  private static func services(_ parts: ServerParts, _ metrics: HTTPMetrics) -> APIServices {
    var services = APIServices(
      store: RecordStoring(
        sink: parts.engine.sink, seal: parts.access.requests, metrics: metrics,
        bodyBytesMax: parts.configuration.http.bodyBytesMax, threads: parts.configuration.queryThreadCount),
      engine: parts.engine.questions, control: parts.engine.control,
      streams: LiveStreams(
        feed: parts.engine.live, seal: parts.access.seal, memory: parts.memory.beginnings),
      log: parts.log, clock: parts.clock)
    services.store.rates = parts.rates
    services.registry = registry
    services.limits = parts.configuration.http
    services.decodingLimits = parts.configuration.decoding
    return services
  }

  /// Who may ask for figures and lists of routes: in production administrators, unless `server.open_routes`
  /// opens them.
  private static func gate(_ parts: ServerParts, _ native: KeyDirectory) -> OperatorGate {
    guard !parts.configuration.isPrivate else { return .open }
    let ingest = parts.ingest.keys
    return OperatorGate(
      open: parts.configuration.openRoutes, kinds: [NativeRoutes.key, IngestRoutes.administrator],
      log: parts.log
    ) { authorization in
      do throws(IngestCredentialError) {
        try ingest.authenticateAdministrator(authorization: authorization)
        return true
      } catch {
        // Another's, perhaps.
      }
      do throws(CredentialError) {
        return try native.authenticate(authorization: authorization).allows(.operate)
      } catch {
        return false
      }
    }
  }

  private static func operations(
    _ parts: ServerParts, _ metrics: HTTPMetrics, _ gate: OperatorGate, _ readiness: ServerReadiness
  ) -> OperationsRoutes {
    OperationsRoutes(
      registry: ServerMetrics.registry(parts, metrics),
      readiness: readiness, clock: parts.clock, gate: gate)
  }

  static func ingest(_ parts: ServerParts) -> IngestRoutes.Parts {
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
