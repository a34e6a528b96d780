import APIs
import Access
import Records
import Routing

/// What the page asks for, and what it is made of.
extension ServedAPIs {
  static func sessions(_ making: Making) -> SessionsRoutes {
    SessionsRoutes(
      making.services, accounts: making.access.accounts, keys: making.access.keys,
      catalog: making.access.catalog, seal: making.access.seal, tokenHours: making.configuration.tokenHours)
  }

  static func queryLog(_ making: Making) -> QueryLogRoutes {
    QueryLogRoutes(making.services, sessions: making.access.queries, seal: making.access.querySeal)
  }

  static func page(_ making: Making) -> API {
    let (access, configuration) = (making.access, making.configuration)
    let callers = PageRoutes.Access(
      sessions: access.page, rights: access.pageRights, grants: access.grants, views: access.plane.views,
      keys: making.nativeKeys)
    var parts = PageRoutes.Parts(
      callers, tenants: KnownTenants(making.parts.engine.control, owned: owned, others: others(making)),
      readiness: making.readiness, forwarding: making.parts.ingest.forwarding, clock: making.parts.clock)
    parts.version = RunningServer.version
    // Behind a proxy it is the proxy's TLS, which the registered address tells of.
    parts.isSecure =
      configuration.tlsCertificate != nil
      || configuration.openID?.redirectURL.hasBytes(from: "https://") == true
    parts.tokenSeconds = configuration.tokenHours * 3600
    parts.provider = configuration.openID.map {
      let transport = OpenIDHTTPTransport(client: making.parts.client)
      return OpenIDProvider($0, transport: transport, clock: making.parts.clock)
    }
    parts.retentionSeconds = configuration.retentionSeconds
    let others = PageRoutes.Neighbours(
      native: NativeRoutes(making.services, directory: making.nativeKeys), sessions: sessions(making),
      queryLog: queryLog(making),
      ingest: IngestRoutes(making.services, ingest(making.parts), native: making.nativeKeys))
    return PageRoutes(making.services, parts, beside: others).api
  }

  /// What each API keeps; the native one, which takes all, is shown as one of logs.
  private static var owned: [Realm: [Dataset]] {
    var owned: [Realm: [Dataset]] = [:]
    for owner in owners { owned[owner.realm] = owner.datasets.isEmpty ? [.logs] : owner.datasets }
    return owned
  }

  /// Tenants that are there whether they have records or not.
  private static func others(_ making: Making) -> @Sendable () -> [Tenant] {
    let (access, configuration) = (making.access, making.configuration)
    let always =
      [configuration.openTenant, AccessServices.tenant, QuerySessions.tenant]
      + configuration.apiKeys.map(\.tenant) + configuration.workflowKeys.values
    let (keys, grants, tenants) = (access.keys, access.grants, access.tenants)
    return {
      always + keys.keys().filter { $0.revokedAt == nil }.map(\.tenant) + grants.tenants
        + tenants.tenants().map { Tenant(realm: .audit, name: $0.key) }
    }
  }
}
