import Access
import Records
import Synchronization

/// The tenants that there are, as administrators see them: those with records first, then by realm and name.
///
/// What the store says of it is asked for when somebody looks; what is known in between is as old as that.
package final class KnownTenants: Sendable {
  /// Beyond so many the last are left out.
  static let countMax = 10_000

  private struct State {
    var list: [Tenant]
    var datasets: [Tenant: Set<Dataset>] = [:]
  }

  private let control: any StoreControl
  private let others: @Sendable () -> [Tenant]
  /// What a tenant's API keeps, whether there are any or not.
  private let owned: [Realm: [Dataset]]
  private let state: Mutex<State>

  /// - Parameters:
  ///   - owned: The datasets of each realm's own API.
  ///   - others: Tenants that are there without records: of keys, of grants, and which there always are.
  package init(
    _ control: any StoreControl, owned: [Realm: [Dataset]], others: @escaping @Sendable () -> [Tenant]
  ) {
    self.control = control
    self.owned = owned
    self.others = others
    state = Mutex(State(list: KnownTenants.sorted(Set(others()), with: [:])))
  }

  /// As it was looked at last.
  var list: [Tenant] { state.withLock { $0.list } }

  /// Looks at the store.
  ///
  /// - Throws: What the store says: then what was known is known.
  func refresh() async throws(StoreError) {
    var datasets: [Tenant: Set<Dataset>] = [:]
    for usage in try await control.usage() where usage.headRows + usage.blockRows > 0 {
      datasets[usage.partition.tenant, default: []].insert(usage.partition.dataset)
    }
    let list = KnownTenants.sorted(Set(others()).union(datasets.keys), with: datasets)
    state.withLock { $0 = State(list: list, datasets: datasets) }
  }

  private static func sorted(_ tenants: Set<Tenant>, with datasets: [Tenant: Set<Dataset>]) -> [Tenant] {
    let sorted = tenants.sorted { left, right in
      let (first, second) = (datasets[left] != nil, datasets[right] != nil)
      if first != second { return first }
      if left.realm != right.realm { return left.realm.code < right.realm.code }
      return Name(left.name) < Name(right.name)
    }
    return Array(sorted.prefix(countMax))
  }

  /// Those that the tenant has records of, as far as is known, and its API's own, by their codes.
  func datasets(of tenant: Tenant) -> [Dataset] {
    let found = state.withLock { $0.datasets[tenant] } ?? []
    return found.union(owned[tenant.realm] ?? []).sorted { $0.code < $1.code }
  }
}
