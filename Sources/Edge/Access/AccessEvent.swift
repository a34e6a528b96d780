import Records

/// One attempt to get in, for the server's log: who, from where, to what, and whether they may. Never a credential.
package struct AccessEvent: Sendable, Hashable {
  package enum Kind: String, Sendable {
    /// A request that showed a credential, or should have.
    case request
    case login, logout, refresh
    case userCreated = "user_created"
    case passwordChanged = "password_changed"
    case keyCreated = "key_created"
    case keyRevoked = "key_revoked"
    case containerCreated = "container_created"
    case sessionCreated = "session_created"
    /// An ingest key that is not known, is inactive, or may not do what was asked.
    case ingestKeyRefused = "ingest_key_refused"
    /// An ingest key asked too often.
    case rateLimited = "rate_limited"
    /// An ingest key has too much that is not forwarded.
    case quotaExceeded = "quota_exceeded"
  }

  package enum Outcome: Sendable, Hashable {
    case granted
    /// Why not, in a word or two of a fixed few.
    case refused(String)
  }

  package var kind: Kind
  package var outcome: Outcome
  package var realm: Realm
  /// nil: unknown.
  package var subject: String?
  package var tenant: Tenant?
  /// The route's name; `GET /api/logs/{container}/{session}`.
  package var route: String
  package var method: String
  package var address: String
  package var requestID: String

  /// What a line of the log calls the event. Failed logins and refused requests have names of their own, so that one word
  /// finds them.
  package var name: String {
    guard case .refused = outcome else { return kind.rawValue }
    return switch kind {
    case .request: "access_refused"
    case .login: "login_failed"
    default: kind.rawValue
    }
  }

  package init(
    _ kind: Kind, _ outcome: Outcome, realm: Realm, subject: String?, tenant: Tenant? = nil, route: String,
    method: String, address: String, requestID: String
  ) {
    self.kind = kind
    self.outcome = outcome
    self.realm = realm
    self.subject = subject
    self.tenant = tenant
    self.route = route
    self.method = method
    self.address = address
    self.requestID = requestID
  }
}

/// Where access events go. Called on event loops: must not block.
package protocol AccessLog: Sendable {
  func record(_ event: AccessEvent)
}
