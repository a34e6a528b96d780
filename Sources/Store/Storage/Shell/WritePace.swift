import Synchronization

/// Slows writers down when archiving falls behind, so that they run at its speed instead of being refused.
///
/// While the head holds up to half of its bound there is no delay. From there on appends go through at a rate that falls to
/// nothing where the bound is reached; it settles where it equals the rate of archiving, to which waiting writers leave the
/// processor. The idea is RocksDB's delayed writes. An append waits at most ``delayNanosecondsMax``: then the bound decides.
struct WritePace: Sendable {
  /// Bytes a second at half of the bound.
  static let bytesPerSecondMax = 512e6
  static let delayNanosecondsMax: Int64 = 2_000_000_000

  /// When all appends so far have had their time; on the caller's clock.
  private var free: Int64 = 0

  /// How long an append of `bytes` has to wait from `now` on.
  mutating func delay(bytes: Int, headBytes: Int, headBytesMax: Int, now: Int64) -> Int64 {
    let free = min(max(self.free, now), now + WritePace.delayNanosecondsMax)
    let room = 1 - Double(headBytes) / Double(max(headBytesMax, 1))
    guard room < 0.5 else { return 0 }
    let bytesPerSecond = max(room * 2, 0.01) * WritePace.bytesPerSecondMax
    self.free = min(free + Int64(Double(bytes) / bytesPerSecond * 1e9), now + WritePace.delayNanosecondsMax)
    return free - now
  }
}
