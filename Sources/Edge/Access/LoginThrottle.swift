import Platform
import Synchronization

/// Bounds failed logins: so many a minute for a user from an address, and so many for an address. Nobody can
/// lock another out, since a count never concerns a user from all addresses.
package final class LoginThrottle: Sendable {
  fileprivate struct Key: Hashable {
    /// nil: the address as a whole.
    var user: String?
    var address: String
  }

  /// When failures happened, in nanoseconds since 1970, rising; those of the last minute.
  fileprivate struct State {
    var failures: [Key: [Int64]] = [:]
  }

  /// Failures a minute of one user from one address, beyond which nothing is heard.
  package static let userFailuresMax = 10
  /// Failures a minute from one address.
  package static let addressFailuresMax = 100
  fileprivate static let window: Int64 = 60_000_000_000
  /// Beyond so many keys the oldest half goes: an attacker from many addresses must not fill the memory.
  fileprivate static let keysMax = 65_536

  private let state = Mutex(State())
  private let clock: any WallClock

  /// Nothing has failed yet.
  package init(clock: any WallClock) { self.clock = clock }

  /// - Throws: `throttled` while there are too many failures.
  func check(user: String, address: String) throws(AccessError) {
    let now = clock.now()
    let waits = state.withLock { state -> [Int64] in
      [
        state.wait(Key(user: user, address: address), LoginThrottle.userFailuresMax, now),
        state.wait(Key(user: nil, address: address), LoginThrottle.addressFailuresMax, now),
      ]
    }
    let wait = waits.max() ?? 0
    if wait > 0 { throw .throttled(retryAfterSeconds: Int((wait + 999_999_999) / 1_000_000_000)) }
  }

  func failed(user: String, address: String) {
    let now = clock.now()
    state.withLock { state in
      state.note(Key(user: user, address: address), LoginThrottle.userFailuresMax, now)
      state.note(Key(user: nil, address: address), LoginThrottle.addressFailuresMax, now)
    }
  }

  /// A good login forgives the user's failures from this address, not those of the address.
  func succeeded(user: String, address: String) {
    state.withLock { _ = $0.failures.removeValue(forKey: Key(user: user, address: address)) }
  }
}

extension LoginThrottle.State {
  /// Nanoseconds until there are fewer than `most` failures within the window; 0: there are.
  fileprivate mutating func wait(_ key: LoginThrottle.Key, _ most: Int, _ now: Int64) -> Int64 {
    guard let all = failures[key] else { return 0 }
    // A clock that was set back leaves times in the future: they count as now, so that nobody waits longer
    // than a window.
    let recent = all.map { Swift.min($0, now) }.filter { now - $0 < LoginThrottle.window }
    failures[key] = recent.isEmpty ? nil : recent
    guard recent.count >= most else { return 0 }
    return recent[recent.count - most] + LoginThrottle.window - now
  }

  fileprivate mutating func note(_ key: LoginThrottle.Key, _ most: Int, _ now: Int64) {
    if failures.count >= LoginThrottle.keysMax { makeRoom(now) }
    var times = failures[key] ?? []
    times.append(now)
    if times.count > most { times.removeFirst(times.count - most) }
    failures[key] = times
  }

  private mutating func makeRoom(_ now: Int64) {
    failures = failures.filter { now - ($0.value.last ?? 0) < LoginThrottle.window }
    guard failures.count >= LoginThrottle.keysMax else { return }
    let middle = failures.values.map { $0.last ?? 0 }.sorted()[failures.count / 2]
    failures = failures.filter { $0.value.last ?? 0 > middle }
  }
}
