import Access
import Codecs
import Decoding
import Records
import Routing

/// The bodies the sessions API answers with.
enum SessionsResponses {
  static func token(_ issued: IssuedToken, hours: Int) -> HTTPAnswer {
    var answer = HTTPAnswer.object { text in
      text.member("expires_in_hours", hours)
      text.member("token", issued.token)
      text.member("user_id", issued.user)
      if !issued.isKept { text.member("warning", UnkeptWarning.text) }
    }
    answer.headers.append(("Cache-Control", "no-store"))
    return answer
  }

  static func message(_ sentence: String) -> HTTPAnswer { .object { $0.member("message", sentence) } }

  static func userCreated(_ name: String, role: Role) -> HTTPAnswer {
    .object(.created) { text in
      text.member("message", "User created successfully")
      text.member("role", role.rawValue)
      text.member("user_id", name)
    }
  }

  static func users(_ users: [User]) -> HTTPAnswer {
    .object { text in
      text.member("count", users.count)
      text.name("users")
      text.beginArray()
      for user in users {
        text.beginObject()
        text.member("created_at", date(user.createdAt))
        text.member("role", user.role.rawValue)
        text.member("user_id", user.name)
        text.endObject()
      }
      text.endArray()
    }
  }

  /// The one time a key is shown.
  static func keyCreated(_ key: String, _ request: NewKeyRequest) -> HTTPAnswer {
    var answer = HTTPAnswer.object(.created) { text in
      text.member("key", key)
      text.member("message", "API key created successfully")
      text.member("name", request.name)
      text.member("realm", request.realm.name)
      text.member("role", request.role.rawValue)
      text.member("tenant", request.tenant)
    }
    answer.headers.append(("Cache-Control", "no-store"))
    return answer
  }

  static func keys(_ keys: [StoredKey]) -> HTTPAnswer {
    .object { text in
      text.member("count", keys.count)
      text.name("keys")
      text.beginArray()
      for key in keys {
        text.beginObject()
        text.member("created_at", date(key.createdAt))
        text.member("name", key.name)
        text.member("realm", key.tenant.realm.name)
        text.member("revoked_at", key.revokedAt.map(date))
        text.member("role", key.role.rawValue)
        text.member("tenant", key.tenant.name)
        text.endObject()
      }
      text.endArray()
    }
  }

  static func containerCreated(_ name: String, user: String) -> HTTPAnswer {
    .object(.created) { text in
      text.member("container_id", name)
      text.member("message", "Container created successfully")
      text.member("user_id", user)
    }
  }

  static func containers(_ all: [CatalogEntry], user: String) -> HTTPAnswer {
    .object { text in
      text.name("containers")
      list(all, "container_id", in: &text)
      text.member("count", all.count)
      text.member("user_id", user)
    }
  }

  static func sessionCreated(_ name: String, container: String, user: String) -> HTTPAnswer {
    .object(.created) { text in
      text.member("container_id", container)
      text.member("message", "Session created successfully")
      text.member("session_id", name)
      text.member("user_id", user)
    }
  }

  static func sessions(_ all: [CatalogEntry], container: String, user: String) -> HTTPAnswer {
    .object { text in
      text.member("container_id", container)
      text.member("count", all.count)
      text.name("sessions")
      list(all, "session_id", in: &text)
      text.member("user_id", user)
    }
  }

  private static func list(_ all: [CatalogEntry], _ id: StaticString, in text: inout JSONWriter) {
    text.beginArray()
    for entry in all {
      text.beginObject()
      text.member(id, entry.name)
      text.member("created_at", date(entry.createdAt))
      text.endObject()
    }
    text.endArray()
  }

  static func received(_ count: Int, container: String, session: String) -> HTTPAnswer {
    .object(.created) { text in
      text.member("container", container)
      text.member("count", count)
      text.member("message", "Logs received")
      text.member("session", session)
    }
  }

  static func neverWritten(container: String, session: String) -> HTTPAnswer {
    .object { text in
      text.member("container", container)
      text.member("files_scanned", 0)
      text.name("logs")
      text.beginArray()
      text.endArray()
      text.member("session", session)
      text.member("total_rows", 0)
    }
  }

  /// `2026-11-21 02:19:58`, UTC.
  private static func date(_ nanoseconds: Int64) -> String {
    RFC3339.string(nanoseconds / 1_000_000_000 * 1_000_000_000).replacing("T", with: " ").replacing(
      "Z", with: "")
  }
}

/// What errors of other modules mean in this API.
extension Problem {
  init(sessions error: CredentialError) {
    switch error {
    case .missing: self.init(401, "No authorization header provided")
    case .malformed: self.init(401, "Invalid authorization header format. Use: Bearer <token>")
    case .unknown: self.init(401, "Invalid or expired token")
    }
  }

  init(sessions error: DecodingError) {
    self.init(error)
    switch (error.entry, error.reason) {
    case (nil, .missing): detail = "Missing \"logs\" field in request body"
    case (nil, .wrongType): detail = "\"logs\" must be an array"
    case (nil, .empty) where error.field != nil: detail = "\"logs\" array cannot be empty"
    case (nil, .empty): detail = "The request body is empty"
    case (_?, .notAnObject): detail = "All log entries must be dictionaries"
    case (_?, .missing):
      detail = "Missing required field '\(error.field ?? "timestamp")' in at least one log entry"
    default: break
    }
  }
}
