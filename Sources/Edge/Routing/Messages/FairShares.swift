import Access
import Records
import Synchronization

/// One of those who share what the server has: a tenant, or an address.
///
/// Told apart by bytes. A network of IPv6 is one address (``ClientNetwork``).
package struct ShareHolder: Sendable, Hashable {
  private let bytes: [UInt8]

  package static func tenant(_ tenant: Tenant) -> ShareHolder {
    ShareHolder(bytes: [1, tenant.realm.code] + Array(tenant.name.utf8))
  }

  /// A key of a tenant's, or a user of a token, by its hash.
  package static func credential(_ hash: UInt64, of tenant: Tenant) -> ShareHolder {
    let hashBytes = (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
    return ShareHolder(bytes: [3, tenant.realm.code] + hashBytes + Array(tenant.name.utf8))
  }

  /// - Parameter address: As the system writes it; empty where there is none.
  package static func address(_ address: String) -> ShareHolder {
    ShareHolder(bytes: [2] + Array(ClientNetwork.of(address).utf8))
  }
}

/// Sees to it that nobody takes all of something that all share: connections, bytes of bodies, live streams.
///
/// A holder may have at most so many times what is left as ``share`` says: three quarters of all there is
/// while nobody else has any, and less the less is left. So there is room for whoever comes next, and a
/// server that one tenant uses is used nearly whole. Any number of threads; a call costs a look-up under a
/// lock for each holder.
package final class FairShares: Sendable {
  /// The part that one may hold while nobody else holds any: above 0, below 1.
  package let share: Double
  /// As many may everybody hold.
  private let floor: Int
  private let held = Mutex<[ShareHolder: Int]>([:])

  /// - Returns: nil where one may have all: then nobody is counted.
  package init?(share: Double, floor: Int = 0) {
    guard share > 0, share < 1 else { return nil }
    self.share = share
    self.floor = floor
  }

  /// Takes `amount` for all of `holders`; false, and nothing taken, where one of them would have too much.
  ///
  /// - Parameter left: What is left of all there is, before.
  package func tryTake(_ amount: Int, for holders: [ShareHolder], left: Int) -> Bool {
    held.withLock { held in
      for holder in holders {
        let after = held[holder, default: 0] + amount
        guard after <= floor || Double(after) * (1 - share) <= share * Double(left - amount) else {
          return false
        }
      }
      for holder in holders { held[holder, default: 0] += amount }
      return true
    }
  }

  /// Gives back what was taken.
  package func give(back amount: Int, of holders: [ShareHolder]) {
    held.withLock { held in
      for holder in holders {
        let after = held[holder, default: 0] - amount
        held[holder] = after > 0 ? after : nil
      }
    }
  }
}
