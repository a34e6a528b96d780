import Records
import Synchronization

/// What those who sign in may do with whose records.
package final class PageRights: Sendable {
  private let accounts: Accounts
  private let grants: GrantDirectory
  private let catalog: SessionCatalog

  /// - Parameters:
  ///   - accounts: Whose users' own records are in one tenant.
  ///   - catalog: Says which of them are whose.
  package init(accounts: Accounts, grants: GrantDirectory, catalog: SessionCatalog) {
    self.accounts = accounts
    self.grants = grants
    self.catalog = catalog
  }

  /// Who is let in without a sign-in. Where everybody could sign in as the administrator, by the documented
  /// password, everybody is.
  package func open(_ principal: Principal) -> PageCaller {
    .open(principal, isAdministrator: accounts.hasOpenAdministrator)
  }

  /// Whether the caller may do anything with the tenant's records: then as whom. Memory alone.
  ///
  /// A user's own records are only some of their tenant's: which, ``narrowed(_:)`` finds out. Until then the
  /// principal sees none.
  package func principal(of caller: PageCaller, for tenant: Tenant) -> Principal? {
    switch caller {
    case .key(let principal): return principal.tenant == tenant ? principal : nil
    case .open(let principal, let isAdministrator):
      if principal.tenant == tenant { return principal }
      guard isAdministrator else { return nil }
      return Principal(
        tenant: tenant, subject: principal.subject, role: .admin, credential: principal.credential)
    case .user(let user):
      var role: Role? = user.role == .admin ? .admin : nil
      role = role ?? grants.grants(of: user.id).first { $0.tenant == tenant }?.role
      let isOwn = role == nil && tenant == accounts.tenant
      guard let role = role ?? (isOwn ? .user : nil) else { return nil }
      return Principal(
        tenant: tenant, subject: user.name, role: role,
        credential: KeyDirectory.stableHash("user:\(user.id)"), filter: isOwn ? .none : .all)
    }
  }

  /// The user whose own records alone the principal sees; nil: the principal sees all of the tenant's.
  package func owner(_ principal: Principal, of caller: PageCaller) -> Int64? {
    guard case .user(let user) = caller, principal.filter == .none else { return nil }
    return user.id
  }

  /// The principal with the filter for the records that are the user's own.
  ///
  /// - Throws: What the control plane says.
  package func narrowed(_ principal: Principal, of caller: PageCaller) async throws(AccessError) -> Principal
  {
    guard let id = owner(principal, of: caller) else { return principal }
    return Principal(
      tenant: principal.tenant, subject: principal.subject, role: principal.role,
      credential: principal.credential, filter: try await catalog.records(of: id))
  }

  /// The tenants that are the caller's to look at, without repeats.
  ///
  /// - Parameter known: All that there are, in the order in which an administrator sees them.
  package func tenants(of caller: PageCaller, among known: [Tenant]) -> [PageTenant] {
    switch caller {
    case .key(let principal): return [PageTenant(tenant: principal.tenant, role: principal.role)]
    case .open(let principal, let isAdministrator):
      let own = PageTenant(tenant: principal.tenant, role: principal.role)
      guard isAdministrator else { return [own] }
      return known.map { $0 == own.tenant ? own : PageTenant(tenant: $0, role: .admin) }
        + (known.contains(own.tenant) ? [] : [own])
    case .user(let user):
      if user.role == .admin { return known.map { PageTenant(tenant: $0, role: .admin) } }
      let granted = grants.grants(of: user.id)
      let own = PageTenant(tenant: accounts.tenant, role: .user)
      return granted.map { PageTenant(tenant: $0.tenant, role: $0.role) }
        + (granted.contains { $0.tenant == own.tenant } ? [] : [own])
    }
  }

  /// What stands for a name that somebody tried to sign in with in the log (``Accounts/loggedName(_:)``).
  package func loggedName(_ name: String) -> String { accounts.loggedName(name) }

  /// Whose key it is, for the log; nil: nobody's.
  package func tenant(ofKey key: String, among keys: KeyDirectory) -> Tenant? {
    keys.principal(TokenHash(of: key))?.tenant
  }

  /// The tenant that every user has records of their own in.
  package var usersTenant: Tenant { accounts.tenant }
}

extension Accounts {
  /// Whether an administrator still has the documented password.
  var hasOpenAdministrator: Bool {
    state.withLock { $0.users.values.contains { $0.role == .admin && $0.record.hasDefaultPassword } }
  }
}
