/// Why a credential was refused.
package enum CredentialError: Error, Sendable, Hashable {
  /// The request carries none, and none is open.
  case missing
  /// The header is there but is no bearer token.
  case malformed
  /// Never known, expired, revoked, or of another API: all the same to who asks.
  case unknown
}

/// Why something about users, containers or sessions could not be done. Nothing changed.
package enum AccessError: Error, Sendable, Hashable {
  /// User name or password are wrong; which of them is not said.
  case wrongPassword
  /// Too many failed logins; another try is heard after so many seconds.
  case throttled(retryAfterSeconds: Int)
  /// Too many logins wait to be checked.
  case overloaded
  case invalidName(String)
  case weakPassword(String)
  case userExists
  case unknownUser
  /// The user owns so many containers; they need another owner first.
  case ownsContainers(Int)
  /// The last administrator must stay one.
  case lastAdministrator
  case containerExists
  /// No such container, or another user's: all the same to who asks.
  case noContainer
  /// There is an audit tenant of this key.
  case tenantExists
  /// The secret of this audit tenant does not open with the keys there are.
  case sealedSecret(tenant: String)
  /// There is a key of this name in the realm that is not revoked.
  case keyExists
  /// No key of this name in the realm, or it is revoked already.
  case unknownKey
  /// The user has no grant for this tenant.
  case noGrant
  /// No view of this name.
  case noView
  /// There are as many as there may be: of what, and how many.
  case limitReached(String)
  case sessionExists
  case noSession
  /// No room on the disk.
  case diskFull
  /// The control plane failed: doing what, and its own words.
  case database(String)
}
