import Access
import Codecs
import Foundation
import Platform
import Records

/// Users, tokens, containers, sessions, tenants and keys of one running server.
package struct AccessServices: Sendable {
  package let database: ControlDatabase
  package let accounts: Accounts
  package let catalog: SessionCatalog
  package let seal: CursorSeal
  /// API keys made by `cordwood keys`, of both realms.
  package let keys: KeyStore
  package let workflow: WorkflowKeys
  package let tenants: TenantDirectory
  package let audit: AuditCredentials
  package let queries: QuerySessions
  package let querySeal: QuerySeal
  /// A password that was made at this start: shown once.
  package var newPassword: String?
  package var warnings: [String] = []

  /// The sessions API has one tenant: users are kept apart by whose containers are whose.
  package static let tenant = Tenant(realm: .sessions, name: "sessions")
  package static let fileName = "control.sqlite"

  private static let rulesSetting = "password_rules"

  /// Opens `DATA/control.sqlite`. Blocks on the disk.
  ///
  /// - Parameter isServer: Then the policy's password rules hold for tools as well from now on; tools take the stricter of
  ///   the two.
  package init(
    directory: String, policy: Accounts.Policy, clock: any WallClock, passwordThreads: Int,
    isServer: Bool = true, audit auditPolicy: AuditCredentials.Policy = AuditCredentials.Policy(),
    workflowKeys: [String: Tenant] = [:], queries queryPolicy: QuerySessions.Policy = QuerySessions.Policy(),
    querySecret: String? = nil
  ) throws(AccessError) {
    database = try ControlDatabase(path: directory + "/" + AccessServices.fileName)
    var policy = policy
    if isServer {
      try database.set(AccessServices.rulesSetting, to: policy.rules.isStrict ? "strict" : "any")
    } else if try database.setting(AccessServices.rulesSetting, orElse: "any") == "strict" {
      policy.rules = PasswordRules(isStrict: true)
    }
    accounts = try Accounts(
      database: database, tenant: AccessServices.tenant, policy: policy,
      checker: PasswordChecker(threads: passwordThreads), clock: clock)
    catalog = try SessionCatalog(database: database, clock: clock)
    seal = CursorSeal(key: try database.secret("cursor"))
    keys = try KeyStore(database: database, clock: clock)
    workflow = WorkflowKeys(configured: workflowKeys, store: keys)
    tenants = try TenantDirectory(database: database, legacy: auditPolicy.legacy, clock: clock)
    audit = AuditCredentials(policy: auditPolicy, tenants: tenants, clock: clock)
    queries = try QuerySessions(database: database, accounts: accounts, policy: queryPolicy, clock: clock)
    let secret: String
    if let querySecret { secret = querySecret } else { secret = Hex.text(try database.secret("querylog")) }
    querySeal = QuerySeal(secret: secret)
  }
}

extension AccessServices {
  private static let defaultUser = "admin"
  private static let defaultPassword = "admin"

  /// For `cordwood users`: nothing is made or refused but what it asks for.
  package static func openForTools(
    _ configuration: Configuration, clock: any WallClock
  ) async throws(AccessError) -> AccessServices {
    var policy = Accounts.Policy()
    policy.rules = PasswordRules(isStrict: !configuration.isPrivate)
    let rules = policy
    return try await DiskThread(name: "control").run { () throws(AccessError) in
      try AccessServices(
        directory: configuration.dataDirectory, policy: rules, clock: clock, passwordThreads: 1,
        isServer: false, audit: configuration.audit, workflowKeys: configuration.workflowKeys)
    }
  }

  /// Opens what the configuration names, makes the first user, and refuses default passwords where others could use them.
  static func open(_ configuration: Configuration, clock: any WallClock) async throws -> AccessServices {
    var policy = Accounts.Policy()
    policy.tokenSeconds = configuration.tokenHours * 3600
    policy.rules = PasswordRules(isStrict: !configuration.isPrivate)
    let directory = configuration.dataDirectory
    let rules = policy
    // One of two cores stays free for the rest while passwords are checked.
    let threads = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
    do throws(AccessError) {
      var services = try await DiskThread(name: "control").run { () throws(AccessError) in
        try AccessServices(
          directory: directory, policy: rules, clock: clock, passwordThreads: threads,
          audit: configuration.audit, workflowKeys: configuration.workflowKeys,
          queries: configuration.queries, querySecret: configuration.querySecret)
      }
      services.warnAboutTenants(configuration.audit.legacy)
      let hasAdministrator = services.accounts.users().contains { $0.role == .admin }
      if !hasAdministrator { try await services.makeFirstUser(configuration) }
      let defaults = services.accounts.usersWithDefaultPassword()
      if let user = defaults.first {
        guard configuration.isPrivate else {
          throw .weakPassword(
            "the user \(user) still has the default password; set another with `cordwood users password \(user) --data-dir "
              + "\(directory)`")
        }
        services.warnings.append(
          "the user \(user) has the default password \(AccessServices.defaultPassword): for development on this machine only"
        )
      }
      return services
    } catch {
      throw StartError.access(error, directory: directory)
    }
  }

  private mutating func warnAboutTenants(_ legacy: LegacyTenantKeys) {
    if legacy.isOn {
      warnings.append(
        "audit.legacy_tenant_keys is on: whoever knows one secret signs tokens for every tenant of the audit API"
      )
    }
    let tenants = self.tenants.keysWithoutSecret()
    guard !tenants.isEmpty else { return }
    let names = tenants.prefix(5).joined(separator: ", ") + (tenants.count > 5 ? ", …" : "")
    warnings.append(
      "\(tenants.count) audit tenants have a secret by the legacy rule, which is off; it signs nothing: \(names)"
    )
  }

  private mutating func makeFirstUser(_ configuration: Configuration) async throws(AccessError) {
    let name = AccessServices.defaultUser
    if let password = configuration.adminPassword {
      try await accounts.create(name: name, password: password, role: .admin)
    } else if configuration.isPrivate {
      try await accounts.create(
        name: name, password: AccessServices.defaultPassword, role: .admin, isDefaultPassword: true)
    } else {
      let password = Base64URL.text(SystemEntropy().bytes(18))
      try await accounts.create(name: name, password: password, role: .admin)
      newPassword = password
    }
  }
}

extension StartError {
  static func access(_ error: AccessError, directory: String) -> StartError {
    switch error {
    case .weakPassword(let reason): .store(reason)
    case .database(let reason): .store(reason)
    case .diskFull: .store("no room on the disk for \(directory)/\(AccessServices.fileName)")
    default: .store("cannot open \(directory)/\(AccessServices.fileName): \(error)")
    }
  }
}
