import Records
import Synchronization

/// Slows writers down when archiving falls behind, so that they run at its speed instead of being refused.
///
/// While the head holds up to half of its bound there is no delay. From there on appends go through at a rate
/// that falls to nothing where the bound is reached; it settles where it equals the rate of archiving, to
/// which waiting writers leave the processor. The idea is RocksDB's delayed writes. Tenants that wait share
/// the rate alike, and whoever writes less than its share does not wait: one that floods the server slows
/// itself. An append waits at most ``delayNanosecondsMax``: then the bound decides.
struct WritePace: Sendable {
  /// Bytes a second at half of the bound.
  static let bytesPerSecondMax = 512e6
  static let delayNanosecondsMax: Int64 = 2_000_000_000

  /// When all appends so far of a tenant that waits have had their time; on the caller's clock.
  private var free: [Tenant: Int64] = [:]

  /// How long an append of `bytes` has to wait from `now` on. O(tenants that wait).
  mutating func delay(bytes: Int, of tenant: Tenant, headBytes: Int, headBytesMax: Int, now: Int64) -> Int64 {
    free = free.filter { $0.value > now }
    let room = 1 - Double(headBytes) / Double(max(headBytesMax, 1))
    guard room < 0.5 else { return 0 }
    let latest = now + WritePace.delayNanosecondsMax
    let own = min(free[tenant] ?? now, latest)
    free[tenant] = own
    let bytesPerSecond = max(room * 2, 0.01) * WritePace.bytesPerSecondMax / Double(free.count)
    free[tenant] = min(own + Int64(Double(bytes) / bytesPerSecond * 1e9), latest)
    return own - now
  }
}
