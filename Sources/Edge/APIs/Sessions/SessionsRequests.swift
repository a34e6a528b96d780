import Access
import Codecs
import Encoding
import Querying
import Records
import Routing

/// A small JSON body.
enum SessionsBody {
  /// The body's JSON, whose members are among `names`; what is missing in it is told by what reads it.
  static func tree(_ body: [UInt8], taking names: String...) throws(Problem) -> JSONTree {
    let tree: JSONTree
    do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: body) } catch {
      throw Problem(400, "The request body is not valid JSON: at byte \(error.offsetBytes): \(error.reason)")
    }
    if case .object(let members) = tree, let slip = Slip.first(of: members, among: names) {
      throw slip.problem(in: .body, errors: .error)
    }
    return tree
  }
}

/// `{"username","password"}`.
enum CredentialsRequest {
  /// nil for what is no text: no user has such a name or password.
  static func read(_ body: [UInt8]) throws(Problem) -> (name: String?, password: String?) {
    let tree = try SessionsBody.tree(body, taking: "username", "password")
    guard let name = tree["username"], let password = tree["password"] else {
      throw Problem(400, "Missing username or password")
    }
    return (name.string, password.string)
  }
}

/// `{"username","password","role"?}`.
struct NewUserRequest {
  let name: String
  let password: String
  let role: Role

  init(_ body: [UInt8]) throws(Problem) {
    let tree = try SessionsBody.tree(body, taking: "username", "password", "role")
    guard let name = tree["username"], let password = tree["password"] else {
      throw Problem(400, "Missing username or password")
    }
    guard let name = name.string, let password = password.string else {
      throw Problem(400, "username and password must be strings")
    }
    self.name = name
    self.password = password
    switch tree["role"] {
    case nil, .string("user")?: role = .user
    case .string("admin")?: role = .admin
    default: throw Problem(400, "role must be \"user\" or \"admin\"")
    }
  }
}

/// `{"name","realm","tenant","role"?}`.
struct NewKeyRequest {
  let name: String
  let realm: Realm
  let tenant: String
  let role: Role

  init(_ body: [UInt8]) throws(Problem) {
    let tree = try SessionsBody.tree(body, taking: "name", "realm", "tenant", "role")
    guard let name = tree["name"]?.string, let realm = tree["realm"]?.string,
      let tenant = tree["tenant"]?.string
    else { throw Problem(400, "Missing name, realm or tenant") }
    guard let found = KeyStore.realms.first(where: { $0.name.hasBytes(of: realm) }) else {
      throw Problem(400, "realm must be \"native\", \"workflow\" or \"ingest\"")
    }
    self.name = name
    self.realm = found
    self.tenant = tenant
    switch tree["role"] {
    case nil: role = found == .ingest ? .writer : .user
    case .string(let word)?:
      let roles = Role.ofKeys(found)
      guard let role = roles.first(where: { $0.rawValue.hasBytes(of: word) }) else {
        throw Problem(400, "role must be one of: \(roles.map(\.rawValue).joined(separator: ", "))")
      }
      self.role = role
    default: throw Problem(400, "role must be a string")
    }
  }
}

/// `{"current_password","new_password"}`.
struct PasswordRequest {
  let current: String
  let new: String

  init(_ body: [UInt8]) throws(Problem) {
    let tree = try SessionsBody.tree(body, taking: "current_password", "new_password")
    guard let current = tree["current_password"], let new = tree["new_password"] else {
      throw Problem(400, "Missing current_password or new_password")
    }
    guard let current = current.string, let new = new.string else {
      throw Problem(400, "current_password and new_password must be strings")
    }
    self.current = current
    self.new = new
  }
}

/// `{"container_id"}` or `{"session_id"}`.
enum CatalogRequest {
  static func name(_ member: String, in body: [UInt8]) throws(Problem) -> String {
    let tree = try SessionsBody.tree(body, taking: member)
    guard let value = tree[member] else { throw Problem(400, "Missing \(member)") }
    guard let name = value.string, SessionCatalog.isValid(name: name) else {
      throw Problem(400, "Invalid \(member) format. Use alphanumeric, hyphens, or underscores")
    }
    return name
  }
}

/// The query of `GET /api/logs/{container}/{session}`.
struct LogsRequest {
  let query: QueryRequest
  let container: String
  let session: String
  /// As given, for the answer.
  let start: String?
  let end: String?
  let isStreamed: Bool

  /// - Parameter open: Gives back what a sealed cursor holds; nil if it is none of ours.
  init(
    _ items: QueryItems, _ place: SessionCatalog.Session, filter: Predicate,
    open: (String) -> String?
  ) throws(Problem) {
    guard items.isWellFormed else {
      throw Problem(400, "The query has a broken escape, or text that is not UTF-8")
    }
    container = place.container
    session = place.name
    start = items["start_ts"]
    end = items["end_ts"]
    isStreamed = items.flag("stream")
    let last = try LogsRequest.time(end, "end_ts")?.upperBound
    var parts = [LogsRequest.records(of: place)]
    let levels = items.values("level")
    if !levels.isEmpty { parts.append(.isIn(ColumnPath("level"), levels.map { .string($0) })) }
    let isIgnored = items.flag("ignore_case")
    for needle in items.values("contains") where !needle.isEmpty {
      parts.append(
        .contains(
          ColumnPath("message"), needle: needle, ignoreCase: isIgnored))
    }
    let columns = ["timestamp", "level", "message"]
    var query = QueryRequest(
      dataset: .sessions, predicate: .both(.and(parts), filter),
      answer: .rows(columns: columns.map { ColumnPath($0) }),
      start: try LogsRequest.time(start, "start_ts")?.lowerBound,
      // The bound itself is included.
      end: last.flatMap(\.endBehind), limit: try LogsRequest.limit(items["limit"]),
      isDescending: false)
    var cursor: String?
    if let sealed = items["cursor"] {
      guard let opened = open(sealed), let order = opened.first, order == "a" || order == "d" else {
        throw Problem(400, "cursor: not one this session gave you; send it back unchanged")
      }
      query.isDescending = order == "d"
      cursor = String(opened.dropFirst())
    }
    switch items["order"] {
    case nil: break
    case "asc" where cursor == nil || !query.isDescending: query.isDescending = false
    case "desc" where cursor == nil || query.isDescending: query.isDescending = true
    case "asc", "desc": throw Problem(400, "order: not the order the cursor was given for")
    default: throw Problem(400, "order: asc or desc")
    }
    if let cursor {
      do throws(StoreError) { query.cursor = try QueryCursor(token: cursor, request: query) } catch {
        throw Problem(error)
      }
    }
    self.query = query
  }

  /// All records of the session.
  static func records(of place: SessionCatalog.Session) -> Predicate {
    .and([
      .compare(ColumnPath("container"), .equal, .string(place.identity)),
      .compare(ColumnPath("session"), .equal, .string(place.name)),
    ])
  }

  private static func limit(_ text: String?) throws(Problem) -> Int {
    guard let text else { return QueryRequest.limitMax }
    guard let number = Int(text), (1...QueryRequest.limitMax).contains(number) else {
      throw Problem(400, "limit: a whole number from 1 to \(QueryRequest.limitMax)")
    }
    return number
  }

  /// The times that answers show as ISO 8601, to the microsecond, or a number since 1970; without a zone, or
  /// a time, it is UTC, or midnight.
  private static func time(_ text: String?, _ name: String) throws(Problem) -> ClosedRange<Int64>? {
    guard let text else { return nil }
    // A plus that was not escaped came as a space: `12:00:00 02:00`.
    var plus = text
    if let space = text.lastIndex(of: " "), text.distance(from: space, to: text.endIndex) == 6,
      text.distance(from: text.startIndex, to: space) > 10
    {
      plus.replaceSubrange(space...space, with: "+")
    }
    guard let time = FlexibleTime.range(plus, of: 1_000) else {
      throw Problem(
        400,
        "Invalid timestamp format: \(name) must be ISO 8601 such as 2025-11-30T12:00:00Z, from 1677 to 2262")
    }
    return time
  }
}
