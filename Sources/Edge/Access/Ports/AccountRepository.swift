/// A user as the control plane keeps it.
package struct UserRecord: Sendable, Hashable {
  /// Given to no other user, even once this one is gone.
  package let id: Int64
  /// As its maker wrote it.
  package let name: String
  /// What the user may do.
  package let role: Role
  /// The password as ``PasswordHash`` writes it.
  package let password: String
  /// Whether the password is a documented default.
  package let hasDefaultPassword: Bool
  /// Nanoseconds since 1970.
  package let createdAt: Int64

  /// A user as it is kept.
  package init(
    id: Int64, name: String, role: Role, password: String, hasDefaultPassword: Bool, createdAt: Int64
  ) {
    self.id = id
    self.name = name
    self.role = role
    self.password = password
    self.hasDefaultPassword = hasDefaultPassword
    self.createdAt = createdAt
  }

  /// The same user with a password of their own.
  package func with(password: String) -> UserRecord {
    UserRecord(
      id: id, name: name, role: role, password: password, hasDefaultPassword: false, createdAt: createdAt)
  }
}

/// A user's token as the control plane keeps it.
package struct TokenRecord: Sendable, Hashable, Expiring {
  /// By which requests find it.
  package let hash: TokenHash
  /// Whose it is.
  package let userID: Int64
  /// Nanoseconds since 1970, as ``expiresAt``.
  package let issuedAt: Int64
  /// The first moment at which it does not hold.
  package let expiresAt: Int64

  /// A token as it is kept.
  package init(hash: TokenHash, userID: Int64, issuedAt: Int64, expiresAt: Int64) {
    self.hash = hash
    self.userID = userID
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
  }
}

/// What changed among users and their tokens.
package enum AccountChange: Sendable {
  /// All there is: what was told before counts no more.
  case all(users: [UserRecord], tokens: [TokenRecord])
  case userCreated(UserRecord)
  /// All tokens of the user ended but `kept`.
  case passwordChanged(UserRecord, kept: TokenHash?)
  /// With all tokens.
  case userRemoved(id: Int64)
  case tokenIssued(TokenRecord, ended: [TokenHash])
  case tokensEnded([TokenHash])
}

/// Users and their tokens, durably. Each call changes everything it says or nothing.
///
/// Beside what is said at each call they throw `database` and `diskFull`: then nothing changed.
package protocol AccountRepository: Sendable {
  /// Makes a user.
  ///
  /// - Parameter looks: The name as it looks: one user alone may look so.
  /// - Parameter createdAt: Nanoseconds since 1970.
  /// - Throws: `userExists`.
  func createUser(
    name: String, looks: String, role: Role, password: String, hasDefaultPassword: Bool, createdAt: Int64
  ) async throws(AccessError) -> UserRecord

  /// Gives a user another password, which is no default. All of the user's tokens end but `kept`, and their
  /// tokens of the query-log API.
  ///
  /// - Throws: `unknownUser`.
  func setPassword(_ password: String, of user: UserRecord, keeping kept: TokenHash?)
    async throws(AccessError)

  /// Removes a user and all their tokens, those of the query-log API too, their grants and own views.
  ///
  /// - Parameter heir: Gets the user's containers; nil: there must be none.
  /// - Throws: `ownsContainers`: and there is no heir, or it is the user. `lastAdministrator`: none would be
  ///   left.
  func removeUser(_ user: UserRecord, heir: UserRecord?) async throws(AccessError)

  /// Keeps a token, if the user's password still is `password`.
  ///
  /// - Parameters:
  ///   - old: Ends.
  ///   - tokensMax: Beyond so many of the user the oldest end.
  /// - Throws: `wrongPassword`: the password is another, or the user is gone. `unknownUser`: `old` has ended.
  func issue(
    _ token: TokenRecord, password: String, replacing old: TokenHash?, tokensMax: Int
  ) async throws(AccessError)

  /// Ends a token, if it is there.
  func end(_ token: TokenHash) async throws(AccessError)

  /// Ends `tokens`, and deletes those that expired by `now` (nanoseconds since 1970).
  func endExpired(_ tokens: [TokenHash], now: Int64) async throws(AccessError)
}
