import Platform
import Records
import Synchronization

/// Who tries to log in, from where.
struct LoginOrigin: Sendable, Hashable {
  /// Nobody need be called so.
  let user: Name
  /// The address's network.
  let network: Name

  /// - Parameter address: As the connection has it; any text is one.
  init(user: String, address: String) {
    self.user = Name(user)
    network = Name(ClientNetwork.of(address))
  }
}

/// Bounds failed logins: so many a minute for a user from a network, and so many for a network. Nobody can
/// lock another out, since a count never concerns a user from all networks.
package final class LoginThrottle: Sendable {
  fileprivate struct Key: Hashable {
    /// nil: any user.
    var user: Name?
    /// nil: any network.
    var network: Name?
  }

  /// When failures happened, in nanoseconds since 1970, rising; those of the last minute.
  fileprivate struct State {
    var failures: [Key: [Int64]] = [:]
    /// Who has logged in from where since the start.
    var known: Set<LoginOrigin> = []
  }

  /// Failures a minute of one user from one network, beyond which nothing is heard.
  package static let userFailuresMax = 10
  /// Failures a minute from one network.
  package static let addressFailuresMax = 100
  /// Failures a minute from one network, or of one user from anywhere, from which on others go first.
  static let failuresFresh = 3
  fileprivate static let window: Int64 = 60_000_000_000
  /// Beyond so many keys the oldest half goes: an attacker from many addresses must not fill the memory.
  fileprivate static let keysMax = 65_536

  private let state = Mutex(State())
  private let clock: any WallClock

  /// Nothing has failed yet.
  package init(clock: any WallClock) { self.clock = clock }

  /// - Throws: `throttled` while there are too many failures.
  func check(_ origin: LoginOrigin) throws(AccessError) {
    try check([LoginThrottle.user(origin), LoginThrottle.network(origin.network)])
  }

  /// Where nobody says who they are before somebody else has checked it.
  ///
  /// - Throws: `throttled` while there are too many failures from the network.
  func check(network: Name) throws(AccessError) { try check([LoginThrottle.network(network)]) }

  private func check(_ bounds: [Bound]) throws(AccessError) {
    let now = clock.now()
    let wait = state.withLock { state in
      bounds.reduce(Int64(0)) { Swift.max($0, state.wait($1.key, $1.most, now)) }
    }
    if wait > 0 { throw .throttled(retryAfterSeconds: Int((wait + 999_999_999) / 1_000_000_000)) }
  }

  private typealias Bound = (key: Key, most: Int)

  private static func user(_ origin: LoginOrigin) -> Bound {
    (Key(user: origin.user, network: origin.network), userFailuresMax)
  }
  private static func network(_ network: Name) -> Bound {
    (Key(user: nil, network: network), addressFailuresMax)
  }

  /// Before whom and behind whom the origin's password is checked.
  func standing(_ origin: LoginOrigin) -> LoginStanding {
    let now = clock.now()
    return state.withLock { state in
      if state.known.contains(origin) { return .known }
      let few = LoginThrottle.failuresFresh
      let isFailing =
        state.wait(Key(user: nil, network: origin.network), few, now) > 0
        || state.wait(Key(user: origin.user, network: nil), LoginThrottle.addressFailuresMax, now) > 0
      return isFailing ? .failing : .fresh
    }
  }

  func failed(_ origin: LoginOrigin) {
    note([
      LoginThrottle.user(origin), LoginThrottle.network(origin.network),
      (Key(user: origin.user, network: nil), LoginThrottle.addressFailuresMax),
    ])
  }

  /// A failure where nobody has said who they are.
  func failed(network: Name) { note([LoginThrottle.network(network)]) }

  private func note(_ bounds: [Bound]) {
    let now = clock.now()
    state.withLock { state in for bound in bounds { state.note(bound.key, bound.most, now) } }
  }

  /// A good login forgives the user's failures from this network, not those of the network.
  func succeeded(_ origin: LoginOrigin) {
    state.withLock { state in
      state.failures[Key(user: origin.user, network: origin.network)] = nil
      if state.known.count >= LoginThrottle.keysMax { state.known = [] }
      state.known.insert(origin)
    }
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
