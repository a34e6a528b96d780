import Records

/// What a user may do with a tenant's records on the page, beside what is their own.
package struct Grant: Sendable, Hashable {
  /// Of any realm.
  package let tenant: Tenant
  /// One of ``Role/ofKeys``.
  package let role: Role

  /// Traps on a role that no grant has.
  package init(tenant: Tenant, role: Role) {
    invariant(Role.ofKeys.contains(role), "a grant's role is one of those that keys have")
    self.tenant = tenant
    self.role = role
  }

  /// By realm, then by the name's bytes.
  package static func precedes(_ left: Grant, _ right: Grant) -> Bool {
    let (first, second) = (left.tenant.realm.code, right.tenant.realm.code)
    return first == second ? Name(left.tenant.name) < Name(right.tenant.name) : first < second
  }
}

/// What changed among grants.
package enum GrantChange: Sendable {
  /// All there are, by the users' ids: what was told before counts no more.
  case all([Int64: [Grant]])
  /// The user has these and no others.
  case changed(userID: Int64, [Grant])
}

/// Grants, durably, a tenant once a user. Told and given in the order of ``Grant/precedes(_:_:)``. Beside
/// what is said they throw `database` and `diskFull`: then nothing changed.
package protocol GrantRepository: Sendable {
  /// Gives the user these and no others.
  ///
  /// - Parameter grants: Each tenant once.
  /// - Throws: `unknownUser`.
  func set(_ grants: [Grant], of userID: Int64) async throws(AccessError)

  /// Gives the user one more, or another role for a tenant of before.
  ///
  /// - Parameter countMax: Of the user's grants.
  /// - Throws: `unknownUser`; `limitReached`: there are so many.
  func give(_ grant: Grant, to userID: Int64, countMax: Int) async throws(AccessError)

  /// Takes the user's grant for the tenant away.
  ///
  /// - Throws: `noGrant`: there is none.
  func take(_ tenant: Tenant, from userID: Int64) async throws(AccessError)
}
