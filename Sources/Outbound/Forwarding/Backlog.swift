import Platform
import Records
import Synchronization

/// Which limit of a quota a tenant is at.
package enum QuotaKind: String, Sendable, Hashable, CaseIterable {
  case bytes, age
}

/// Whether a tenant may send more.
package enum QuotaVerdict: Sendable, Hashable {
  case ok
  /// Refuse with 429; a retry may be accepted after the seconds, at least 1.
  case quotaExceeded(kind: QuotaKind, retryAfterSeconds: Int)
}

/// What is accepted and not yet forwarded, tenant by tenant: asked at every request, told by the forwarder.
///
/// Requests that are under way at once are all measured against what was accepted before them. After a
/// restart bytes are known as of the last save (``ForwardingLimits/saveSeconds``); records after it count
/// with the mean of the tenant's earlier ones. The age is exact once the oldest waiting record was read. Two
/// short locks, some 100 ns a call.
package final class Backlog: Sendable {
  private let dataset: Dataset
  private let realms: Set<Realm>
  private let quota: Mutex<BacklogQuota?>
  private let ledgers = Mutex<[Tenant: BacklogLedger]>([:])

  /// - Parameter quota: nil: nothing is refused, for a server that forwards nothing.
  package init(quota: BacklogQuota?, dataset: Dataset = .logs, realms: Set<Realm> = []) {
    self.quota = Mutex(quota)
    self.dataset = dataset
    self.realms = realms
  }

  /// Takes another quota, for what is asked from now on.
  package func use(_ quota: BacklogQuota) { self.quota.withLock { $0 = quota } }

  /// Whether `tenant` may add `bytes` of payload at `now` (ns since 1970).
  package func mayAccept(_ tenant: Tenant, bytes: Int, now: Int64) -> QuotaVerdict {
    guard let quota = quota.withLock({ $0 }), realms.contains(tenant.realm) else { return .ok }
    return ledgers.withLock { $0[tenant]?.verdict(adding: bytes, now: now, quota: quota) ?? .ok }
  }

  /// Counts records that became durable. Calls may come late and in any order.
  package func accepted(
    _ partition: Partition, positions: Range<Int64>, bytes: Int, now: Int64
  ) {
    guard partition.dataset == dataset, realms.contains(partition.tenant.realm) else { return }
    ledgers.withLock { $0[partition.tenant, default: BacklogLedger()].add(positions, bytes: bytes, now: now) }
  }

  /// What a tenant has waiting.
  package func figures(of tenant: Tenant) -> (bytes: Int, oldestAt: Int64?) {
    ledgers.withLock { ledgers in
      guard let ledger = ledgers[tenant] else { return (0, nil) }
      return (ledger.bytes, ledger.oldestAt)
    }
  }

  /// Starts a tenant's account from what was saved: `positionEnd` is the durable end at `now`.
  func restore(_ cursor: SavedCursor, positionEnd: Int64, now: Int64) {
    ledgers.withLock {
      $0[cursor.tenant] = BacklogLedger(cursor, positionEnd: positionEnd, now: now)
    }
  }

  /// The tenant's cursor moved to `position`.
  /// - Parameter oldestAt: When the record there was accepted, if known.
  func forwarded(_ tenant: Tenant, to position: Int64, oldestAt: Int64?, now: Int64) {
    ledgers.withLock {
      $0[tenant, default: BacklogLedger()].advance(to: position, oldestAt: oldestAt, now: now)
    }
  }

  /// What must be saved to go on after a restart.
  func saved(_ tenant: Tenant) -> SavedBacklog {
    ledgers.withLock { $0[tenant]?.saved ?? SavedBacklog() }
  }

  /// Tenants whose account changed since the last call.
  func takeChanged() -> [Tenant] {
    ledgers.withLock { ledgers in
      let changed = ledgers.filter { $0.value.isChanged }.map(\.key)
      for tenant in changed { ledgers[tenant]?.isChanged = false }
      return changed
    }
  }
}
