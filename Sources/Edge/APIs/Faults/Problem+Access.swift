import Access
import Routing

/// What the control plane's refusals become.
extension Problem {
  init(access error: AccessError) {
    switch error {
    case .wrongPassword: self.init(401, "Invalid credentials")
    case .throttled(let seconds):
      self.init(429, "Too many failed logins; try again in \(seconds) s", retryAfterSeconds: seconds)
    case .overloaded: self.init(503, "Too many logins at one time; nothing was checked", retryAfterSeconds: 2)
    case .invalidName(let reason), .weakPassword(let reason): self.init(400, reason)
    case .userExists: self.init(409, "User already exists")
    case .unknownUser: self.init(401, "Invalid or expired token")
    case .ownsContainers: self.init(409, "The user owns containers")
    case .lastAdministrator: self.init(409, "The last administrator must stay")
    case .containerExists: self.init(409, "Container already exists")
    case .noContainer: self.init(403, "Container not found or access denied")
    case .sessionExists: self.init(409, "Session already exists or container not found")
    case .noSession: self.init(403, "Session not found or access denied")
    // Of other APIs.
    case .tenantExists, .keyExists: self.init(409, "It exists already")
    case .unknownKey: self.init(404, "There is no such key")
    case .noGrant: self.init(404, "There is no such grant")
    case .noView: self.init(404, "There is no such view")
    case .limitReached(let reason): self.init(409, reason)
    case .diskFull: self.init(507, "No room to write; nothing was changed")
    case .database(let reason):
      self.init(500, "The control database failed; see the server's log")
      cause = reason
    case .sealedSecret(let tenant):
      self.init(500, "The control database failed; see the server's log")
      cause = "the secret of the audit tenant \(tenant) does not open"
    }
  }
}

extension AccessError {
  /// For the access log.
  var word: String {
    switch self {
    case .wrongPassword: "wrong_password"
    case .throttled: "throttled"
    case .overloaded: "overloaded"
    case .invalidName: "invalid_name"
    case .weakPassword: "weak_password"
    case .userExists, .containerExists, .sessionExists, .tenantExists, .keyExists: "exists"
    case .unknownUser: "unknown_user"
    case .unknownKey: "unknown_key"
    case .noGrant, .noView: "not_found"
    case .limitReached: "limit_reached"
    case .ownsContainers: "owns_containers"
    case .lastAdministrator: "last_administrator"
    case .noContainer, .noSession: "not_found_or_not_own"
    case .diskFull: "disk_full"
    case .database, .sealedSecret: "database"
    }
  }
}
