import APIs
import Access
import Codecs
import Foundation
import Platform
import Records

/// Users, tokens, containers, sessions, tenants and keys of one running server.
package struct AccessServices: Sendable {
  /// Where all of it is durable.
  package let plane: any ControlPlane
  /// Users of the sessions API, and of what is behind a password.
  package let accounts: Accounts
  /// Their containers and sessions.
  package let catalog: SessionCatalog
  /// Signs page cursors.
  package let seal: CursorSeal
  /// Stands between idempotent requests and the journal.
  package let requests: RequestSeal
  /// API keys made by `cordwood keys`, of both realms.
  package let keys: KeyStore
  /// Callers of the workflow API.
  package let workflow: WorkflowKeys
  /// Tenants of the audit API.
  package let tenants: TenantDirectory
  /// Its callers.
  package let audit: AuditCredentials
  /// Callers of the query-log API.
  package let queries: QuerySessions
  /// Sign-ins to the page.
  package let page: PageSessions
  /// Who may see what there, besides what is their own.
  package let grants: GrantDirectory
  /// Who may do what there.
  package let pageRights: PageRights
  /// Its hashes.
  package let querySeal: QuerySeal
  /// A password that was made at this start: shown once.
  package var newPassword: String?
  /// For the log, once the server listens.
  package var warnings: [String] = []

  /// The sessions API has one tenant: users are kept apart by whose containers are whose.
  package static let tenant = Tenant(realm: .sessions, name: "sessions")
  /// Within the data directory.
  package static let fileName = "control.sqlite"
  /// Shared by those who have the control database open.
  package static let lockName = fileName + ".lock"
  /// How late a running server sees what commands changed.
  package static let changesAreSeenWithin = Duration.milliseconds(200)

  private static let rulesSetting = "password_rules"

  /// What is decided about users, tenants and the query-log API's logins.
  package struct Policies: Sendable {
    /// Tokens and password rules.
    package var accounts = Accounts.Policy()
    /// Who signs tokens of the audit API.
    package var audit = AuditCredentials.Policy()
    /// Logins of the query-log API.
    package var queries = QuerySessions.Policy()
    /// Workflow clients by their configured keys.
    package var workflowKeys: [String: Tenant] = [:]
    /// Of the query-log API's hashes; nil: one that is made at the first start.
    package var querySecret: String?
    /// Of secrets of audit tenants; nil: they are kept as they are.
    package var secretSeal: SecretSeal?
    /// How many passwords are checked at once.
    package var passwordThreads = 1

    /// What holds unless it is configured.
    package init() {}
  }

  /// Loads all that is kept in memory of the control plane.
  ///
  /// - Parameters:
  ///   - expiry: By which tokens expire; nil: `clock`.
  ///   - isServer: Then the policy's password rules hold for tools as well from now on; tools take the
  ///     stricter of the two.
  package init(
    _ plane: any ControlPlane, _ policies: Policies, clock: any WallClock, expiry: (any WallClock)? = nil,
    isServer: Bool = true
  ) async throws(AccessError) {
    self.plane = plane
    var policy = policies.accounts
    if isServer {
      try await plane.settings.set(
        AccessServices.rulesSetting, to: policy.rules.isStrict ? "strict" : "any")
    } else if try await plane.settings.value(of: AccessServices.rulesSetting, orElse: "any") == "strict" {
      policy.rules = PasswordRules(isStrict: true)
    }
    accounts = try await Accounts(
      plane, tenant: AccessServices.tenant, policy: policy,
      checker: PasswordChecker(threads: policies.passwordThreads), clock: expiry ?? clock)
    catalog = try await SessionCatalog(plane, clock: clock)
    seal = CursorSeal(key: try await plane.settings.secret("cursor"))
    requests = RequestSeal(key: try await plane.settings.secret("idempotency"))
    keys = try await KeyStore(plane, clock: clock)
    workflow = WorkflowKeys(configured: policies.workflowKeys, store: keys)
    tenants = try await TenantDirectory(
      plane, legacy: policies.audit.legacy, seal: policies.secretSeal, clock: clock)
    audit = AuditCredentials(policy: policies.audit, tenants: tenants, clock: clock)
    queries = try await QuerySessions(
      plane, accounts: accounts, policy: policies.queries,
      clock: expiry ?? clock)
    page = PageSessions(accounts: accounts, clock: expiry ?? clock)
    grants = try await GrantDirectory(plane, accounts: accounts)
    pageRights = PageRights(accounts: accounts, grants: grants, catalog: catalog)
    let secret: String
    if let configured = policies.querySecret {
      secret = configured
    } else {
      secret = Hex.text(try await plane.settings.secret("querylog"))
    }
    querySeal = QuerySeal(secret: secret)
  }

  /// Opens `DATA/control.sqlite`, made in a directory that no server has used.
  ///
  /// - Throws: `database`: it is missing or damaged. Nothing begins without users, keys and tenants who were
  ///   there.
  package static func openPlane(in directory: String) async throws(AccessError) -> any ControlPlane {
    if isMissing(in: directory) {
      throw .database(
        "\(directory)/\(fileName) is missing: \(missingReason). Restore it from a backup; to begin without, "
          + "run cordwood repair")
    }
    return try await ControlDatabase.open(path: directory + "/" + fileName)
  }

  /// What is gone where ``isMissing(in:)``.
  package static let missingReason = "users, keys, tenants and containers are gone with it"

  /// Whether there is no control database where a server has been.
  package static func isMissing(in directory: String) -> Bool {
    let files = FileManager.default
    return files.fileExists(atPath: directory + "/" + DataFiles.identity)
      && !files.fileExists(atPath: directory + "/" + fileName)
  }
}

extension AccessServices {
  private static let defaultUser = "admin"
  private static let defaultPassword = "admin"

  /// For `cordwood users`: nothing is made or refused but what it asks for.
  package static func openForTools(
    _ configuration: Configuration, clock: any WallClock
  ) async throws(AccessError) -> AccessServices {
    var policies = Policies(configuration)
    policies.passwordThreads = 1
    let plane = try await openPlane(in: configuration.dataDirectory)
    return try await AccessServices(plane, policies, clock: clock, isServer: false)
  }

  /// Opens what the configuration names, makes the first user, and refuses default passwords where others
  /// could use them.
  static func open(
    _ configuration: Configuration, over plane: any ControlPlane, clock: any WallClock,
    expiry: (any WallClock)? = nil
  ) async throws -> AccessServices {
    let directory = configuration.dataDirectory
    let seal = try await DiskThread(name: "secrets").run { () throws(StartError) in
      try SecretsKey.seal(configuration)
    }
    do throws(AccessError) {
      var policies = Policies(configuration)
      policies.secretSeal = seal.seal
      var services = try await AccessServices(plane, policies, clock: clock, expiry: expiry)
      if let failure = services.tenants.sealingFailure {
        services.warnings.append("audit tenants' secrets are kept as they were: \(failure)")
      }
      if let warning = seal.warning { services.warnings.append(warning) }
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

extension AccessServices.Policies {
  init(_ configuration: Configuration) {
    accounts.tokenSeconds = configuration.tokenHours * 3600
    accounts.rules = PasswordRules(isStrict: !configuration.isPrivate)
    audit = configuration.audit
    queries = configuration.queries
    workflowKeys = configuration.workflowKeys
    querySecret = configuration.querySecret
    // One of two cores stays free for the rest while passwords are checked.
    passwordThreads = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
  }
}

extension StartError {
  static func access(_ error: AccessError, directory: String) -> StartError {
    switch error {
    case .weakPassword(let reason): .store(reason)
    case .database(let reason): .store(reason)
    case .sealedSecret(let tenant):
      .store(
        "the secret of the audit tenant \(tenant) was sealed with another key: put back "
          + "\(directory)/\(SecretsKey.fileName), or what audit.secrets_key_file or "
          + "audit.secrets_key_command gave")
    case .diskFull: .store("no room on the disk for \(directory)/\(AccessServices.fileName)")
    default: .store("cannot open \(directory)/\(AccessServices.fileName): \(error)")
    }
  }
}
