/// A part of the control plane whose changes are told.
package enum ControlTable: Sendable, Hashable, CaseIterable {
  case accounts, keys, tenants, queryTokens, grants, catalog
}

/// Something that changed in the control plane, as those need it who keep a table in memory.
package enum ControlChange: Sendable {
  case accounts(AccountChange)
  case keys(KeyChange)
  case tenants(TenantChange)
  case queryTokens(QueryTokenChange)
  case grants(GrantChange)
  /// Containers or sessions have other owners, or were changed elsewhere: what is remembered of them may be
  /// wrong.
  case catalog

  /// Which table changed.
  package var table: ControlTable {
    switch self {
    case .accounts: .accounts
    case .keys: .keys
    case .tenants: .tenants
    case .queryTokens: .queryTokens
    case .grants: .grants
    case .catalog: .catalog
    }
  }
}

/// The order in which a control plane changes: by it what is kept in memory stays equal to what is durable.
///
/// Changes of this process and of others come by the same way, one after the other, in the order they were
/// committed.
package protocol ControlChanges: Sendable {
  /// Has `apply` called with the table's present contents (an `all`; for the catalog nothing is kept, so
  /// nothing is told), before this returns, and with every change after them, as long as this object lives.
  ///
  /// A change made here is told before its call returns; one made elsewhere with the next ``catchUp()``,
  /// perhaps as an `all`.
  ///
  /// - Parameter apply: Called one at a time. Must not block, nor ask the control plane.
  /// - Throws: `database`: then nothing is told, now or later.
  func observe(
    _ table: ControlTable, _ apply: @escaping @Sendable (ControlChange) -> Void
  ) async throws(AccessError)

  /// Returns once everything is told that was committed anywhere before the call. Cheap when nothing was;
  /// called once a second, and before what must not be decided by what is old.
  ///
  /// - Throws: `database`: then a later call makes up for it.
  func catchUp() async throws(AccessError)
}
