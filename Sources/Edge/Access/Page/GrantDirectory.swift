import Records
import Synchronization

/// Which users may do what with whose records on the page: in memory, and durably in the control plane.
package final class GrantDirectory: Sendable {
  /// Realms whose tenants can be granted: all that there are.
  package static let realms: [Realm] = [.native, .sessions, .querylog, .audit, .workflow, .ingest]
  /// Of one user.
  package static let countMax = 1_000

  private let repository: any GrantRepository
  private let accounts: Accounts
  private let state = Mutex<[Int64: [Grant]]>([:])

  /// Loads all grants.
  ///
  /// - Throws: What the control plane says.
  package init(_ plane: any ControlPlane, accounts: Accounts) async throws(AccessError) {
    repository = plane.grants
    self.accounts = accounts
    try await plane.changes.observe(.grants) { [weak self] change in
      guard case .grants(let change) = change else { return }
      self?.state.withLock { state in
        switch change {
        case .all(let grants): state = grants
        case .changed(let id, let grants): state[id] = grants.isEmpty ? nil : grants
        }
      }
    }
  }

  /// By realm and name.
  func grants(of userID: Int64) -> [Grant] { state.withLock { $0[userID] ?? [] } }

  /// The tenants that are granted to somebody.
  package var tenants: Set<Tenant> {
    state.withLock { Set($0.values.joined().map(\.tenant)) }
  }

  /// All users that have any, by the bytes of their names, each with what they have by realm and name.
  package func all() -> [(user: String, grants: [Grant])] {
    state.withLock { $0 }.compactMap { id, grants in
      accounts.user(id: id).map { (user: $0.name, grants: grants) }
    }.sorted { Name($0.user) < Name($1.user) }
  }

  /// The tenant that `realm/name` names.
  ///
  /// - Throws: `invalidName`: it is no such text, or a name that cannot be shown as it is.
  package static func tenant(_ text: String) throws(AccessError) -> Tenant {
    let parts = text.parts(at: "/", most: 2)
    guard parts.count == 2, let realm = realms.first(where: { $0.name.hasBytes(of: parts[0]) }) else {
      let names = realms.map(\.name).joined(separator: ", ")
      throw .invalidName("A tenant is REALM/NAME, with a realm of \(names).")
    }
    let name = String(parts[1])
    try ShownName.check(name, of: "A tenant's name", bytesMax: Tenant.nameBytesMax)
    return Tenant(realm: realm, name: name)
  }

  private func id(of name: String) async throws(AccessError) -> Int64 {
    // `cordwood users` may have made the user a moment ago.
    try await accounts.changes.catchUp()
    guard let id = accounts.state.withLock({ $0.user(named: name)?.id }) else { throw .unknownUser }
    return id
  }

  /// Gives the user these and no others.
  ///
  /// - Throws: `unknownUser`, `limitReached`, `invalidName`: a tenant is there twice; what the control plane
  ///   says.
  package func set(_ grants: [Grant], of name: String) async throws(AccessError) {
    guard grants.count <= GrantDirectory.countMax else {
      throw .limitReached("A user has at most \(GrantDirectory.countMax) grants.")
    }
    guard Set(grants.map(\.tenant)).count == grants.count else {
      throw .invalidName("Each tenant is granted once.")
    }
    try await repository.set(grants, of: try await id(of: name))
  }

  /// Gives the user one more, or another role for a tenant of before.
  ///
  /// - Throws: `unknownUser`, `limitReached`, or what the control plane says.
  package func give(_ grant: Grant, to name: String) async throws(AccessError) {
    try await repository.give(grant, to: try await id(of: name), countMax: GrantDirectory.countMax)
  }

  /// Takes the user's grant for the tenant away.
  ///
  /// - Throws: `unknownUser`, `noGrant`, or what the control plane says.
  package func take(_ tenant: Tenant, from name: String) async throws(AccessError) {
    try await repository.take(tenant, from: try await id(of: name))
  }
}
