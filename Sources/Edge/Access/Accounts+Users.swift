import Platform
import Records
import Synchronization

extension Accounts {
  /// In the order of their names.
  package func users() -> [User] {
    state.withLock { $0.users.values.map(\.user) }.sorted { Name($0.name) < Name($1.name) }
  }

  /// Makes a user.
  ///
  /// - Parameter isDefaultPassword: Whether it is a documented default, for which no rules hold.
  /// - Throws: `invalidName`, `weakPassword`, `userExists`, `overloaded`, or what the control plane says.
  package func create(
    name: String, password: String, role: Role, isDefaultPassword: Bool = false
  ) async throws(AccessError) {
    try ShownName.checkUser(name)
    guard !name.hasBytes(from: Accounts.vouchedPrefix) else {
      throw .invalidName(
        "Users whose names begin with \(Accounts.vouchedPrefix) are made by their first sign-in with the "
          + "provider.")
    }
    if !isDefaultPassword { try policy.rules.check(password, user: name) }
    try await changes.catchUp()
    let looks = ShownName.looks(of: name)
    // The control plane looks again: this spares the hash.
    guard state.withLock({ !$0.hasUser(named: name, looking: looks) }) else { throw .userExists }
    let hash = try await checker.hash(password)
    _ = try await repository.createUser(
      name: name, looks: looks, role: role, password: hash.text,
      hasDefaultPassword: isDefaultPassword,
      createdAt: clock.now())
  }

  /// Users whose names begin so are those for whom the provider of sign-ins vouches: nobody else's.
  package static let vouchedPrefix = "oidc:"

  /// The user for whom the provider of sign-ins vouches, made without a password if there is none yet.
  ///
  /// - Parameters:
  ///   - name: As the provider says it.
  ///   - role: Of a user that is made; one that there is keeps its own.
  /// - Throws: `invalidName`; `userExists`: another looks like this one; what the control plane says.
  func vouched(_ name: String, role: Role) async throws(AccessError) -> AccountState.Account {
    let name = Accounts.vouchedPrefix + name
    try ShownName.checkUser(name)
    try await changes.catchUp()
    if let account = state.withLock({ $0.user(named: name) }) { return account }
    do throws(AccessError) {
      _ = try await repository.createUser(
        name: name, looks: ShownName.looks(of: name), role: role, password: "", hasDefaultPassword: false,
        createdAt: clock.now())
    } catch {
      // Another sign-in of the same person may have been first.
      guard error == .userExists, state.withLock({ $0.user(named: name) }) != nil else { throw error }
    }
    guard let account = state.withLock({ $0.user(named: name) }) else { throw .unknownUser }
    return account
  }

  /// Changes a user's own password, which must be given; other tokens than the one used die.
  ///
  /// - Throws: `wrongPassword`, `throttled`, `weakPassword`, `overloaded`, `unknownUser`, or what the control
  ///   plane says.
  package func changePassword(
    _ principal: Principal, authorization: String?, current: String, new: String, address: String
  ) async throws(AccessError) {
    let account = try await check(
      name: principal.subject, password: current, address: address, isLetIn: true)
    try await setPassword(account, new, keeping: Accounts.tokenHash(authorization))
  }

  /// Sets a password without knowing the old one: for operators. All of the user's tokens die.
  ///
  /// - Throws: `unknownUser`, `weakPassword`, `overloaded`, or what the control plane says.
  package func setPassword(name: String, _ password: String) async throws(AccessError) {
    try await changes.catchUp()
    guard let account = state.withLock({ $0.user(named: name) }) else { throw .unknownUser }
    try await setPassword(account, password, keeping: nil)
  }

  private func setPassword(
    _ account: AccountState.Account, _ password: String, keeping kept: TokenHash?
  ) async throws(AccessError) {
    try policy.rules.check(password, user: account.name)
    let hash = try await checker.hash(password)
    try await repository.setPassword(hash.text, of: account.record, keeping: kept)
  }

  /// Removes a user and their tokens. Containers go to `heir`; without one the user must own none.
  ///
  /// - Throws: `unknownUser`, `ownsContainers`, `lastAdministrator`, or what the control plane says.
  package func remove(name: String, heir: String?) async throws(AccessError) {
    try await changes.catchUp()
    let (account, other) = state.withLock { state in
      (state.user(named: name), heir.flatMap { state.user(named: $0) })
    }
    guard let account, heir == nil || other != nil else { throw .unknownUser }
    try await repository.removeUser(account.record, heir: other?.record)
  }

  /// Users whose password is a documented default, in the order of their names.
  package func usersWithDefaultPassword() -> [String] {
    state.withLock { $0.users.values.filter(\.record.hasDefaultPassword).map { Name($0.name) }.sorted() }.map(
      \.text)
  }
}
