import Records
import Synchronization

/// A budget by tenant: one may hold seven eighths of it, so that what others ask finds some.
package final class TenantBudgets: Sendable {
  private struct Entry {
    weak var budget: MemoryBudget?
  }

  private struct State {
    var entries: [Tenant: Entry] = [:]
    /// So many entries are looked through for those that nothing holds any more.
    var pruneAt = 64
  }

  private let whole: MemoryBudget
  private let state = Mutex(State())

  /// Of which every tenant's are parts.
  package init(of whole: MemoryBudget) { self.whole = whole }

  /// How many tenants are known; those that hold nothing are forgotten now and then.
  var count: Int { state.withLock { $0.entries.count } }

  /// The tenant's, as long as somebody holds it.
  package func budget(of tenant: Tenant) -> MemoryBudget {
    state.withLock { state in
      if let known = state.entries[tenant]?.budget { return known }
      let budget = MemoryBudget(
        whole.name, bytesMax: whole.bytesMax - whole.bytesMax / 8, within: whole)
      state.entries[tenant] = Entry(budget: budget)
      if state.entries.count >= state.pruneAt {
        state.entries = state.entries.filter { $0.value.budget != nil }
        state.pruneAt = max(64, state.entries.count * 2)
      }
      return budget
    }
  }
}
