/// A token of the query-log API as the control plane keeps it.
package struct QueryTokenRecord: Sendable, Hashable, Expiring {
  /// By which requests find it.
  package let hash: TokenHash
  /// Who they say they are, at the time.
  package let user: String
  /// The user of ``Accounts`` whose password was given; nil: none was asked for, and anyone may be anyone.
  package let userID: Int64?
  /// Nanoseconds since 1970, as ``expiresAt``.
  package let issuedAt: Int64
  /// The first moment at which it does not hold.
  package let expiresAt: Int64

  /// A token as it is kept.
  package init(hash: TokenHash, user: String, userID: Int64?, issuedAt: Int64, expiresAt: Int64) {
    self.hash = hash
    self.user = user
    self.userID = userID
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
  }
}

/// What changed among tokens of the query-log API.
package enum QueryTokenChange: Sendable {
  /// All there is: what was told before counts no more.
  case all([QueryTokenRecord])
  case issued(QueryTokenRecord, ended: [TokenHash])
  /// All of a user of ``Accounts`` ended: the password is another, or the user is gone.
  case ended(userID: Int64)
  /// Those that expired by then, nanoseconds since 1970, are gone.
  case expired(now: Int64)
}

/// Tokens of the query-log API, durably. They throw `database` and `diskFull`: then nothing changed.
package protocol QueryTokenRepository: Sendable {
  /// Keeps a token, if its user is still there.
  ///
  /// - Parameter password: The user's, as it was checked: another one by now keeps no token; nil: whichever.
  /// - Parameter surplus: So many of the oldest end; none if it is not above 0.
  /// - Throws: `wrongPassword`: it is another, or the user is gone.
  func issue(
    _ token: QueryTokenRecord, password: String?, endingOldest surplus: Int) async throws(AccessError)

  /// Deletes those that expired by `now` (nanoseconds since 1970).
  func endExpired(now: Int64) async throws(AccessError)
}
