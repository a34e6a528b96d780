import Records

/// One attempt to get in, for the server's log: who, from where, to what, and whether they may. Never a
/// credential.
package struct AccessEvent: Sendable, Hashable {
  /// What was tried.
  package enum Kind: String, Sendable {
    /// A request that showed a credential, or should have.
    case request
    case login, logout, refresh
    case userCreated = "user_created"
    case passwordChanged = "password_changed"
    case keyCreated = "key_created"
    case keyRevoked = "key_revoked"
    case grantsChanged = "grants_changed"
    case containerCreated = "container_created"
    case sessionCreated = "session_created"
    /// An ingest key that is not known, is inactive, or may not do what was asked.
    case ingestKeyRefused = "ingest_key_refused"
    /// A tenant or a key asked too often.
    case rateLimited = "rate_limited"
    /// An ingest key has too much that is not forwarded.
    case quotaExceeded = "quota_exceeded"
  }

  /// What came of it.
  package enum Outcome: Sendable, Hashable {
    case granted
    /// Though the disk had no room to keep it: it holds until the server stops.
    case grantedInMemory
    /// Why not, in a word or two of a fixed few.
    case refused(String)
  }

  /// What was tried.
  package var kind: Kind
  /// What came of it.
  package var outcome: Outcome
  /// Whose API was asked.
  package var realm: Realm
  /// At most ``subjectBytesMax``; nil: unknown.
  package var subject: String? { didSet { subject = subject.map(AccessEvent.cut) } }
  /// Whose records it was about; nil: not known, or nobody's.
  package var tenant: Tenant?
  /// The route's name; `GET /api/logs/{container}/{session}`.
  package var route: String
  /// The request's method.
  package var method: String
  /// The client's, without its port.
  package var address: String
  /// The request's id, as its answer has it.
  package var requestID: String

  /// What a line of the log calls the event. Failed logins and refused requests have names of their own, so
  /// that one word finds them.
  package var name: String {
    guard case .refused = outcome else { return kind.rawValue }
    return switch kind {
    case .request: "access_refused"
    case .login: "login_failed"
    default: kind.rawValue
    }
  }

  /// Of a longer name the log has the beginning.
  package static let subjectBytesMax = 256

  private static func cut(_ name: String) -> String {
    guard name.utf8.count > subjectBytesMax else { return name }
    return String(decoding: name.utf8.prefix(subjectBytesMax), as: UTF8.self) + "…"
  }

  /// An event without a time: the log adds that.
  package init(
    _ kind: Kind, _ outcome: Outcome, realm: Realm, subject: String?, tenant: Tenant? = nil, route: String,
    method: String, address: String, requestID: String
  ) {
    self.kind = kind
    self.outcome = outcome
    self.realm = realm
    self.subject = subject.map(AccessEvent.cut)
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
