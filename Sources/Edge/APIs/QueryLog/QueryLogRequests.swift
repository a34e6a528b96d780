import Access
import Codecs
import Masking
import Records
import Routing

/// `{"user_id","password"?}`.
struct QueryLoginRequest {
  let user: String
  let password: String?

  init(_ body: [UInt8]) throws(Problem) {
    var form = try JSONForm(body, taking: "user_id", "password")
    user = form.text("user_id")
    password = form.optionalText("password")
    if user.utf8.count > QuerySessions.userBytesMax {
      form.note(
        "user_id", "string_too_long", "String should have at most \(QuerySessions.userBytesMax) characters")
    }
    try form.check()
    guard !user.isEmpty else { throw Problem(400, "User ID is required") }
  }
}

/// `{"query","status"}`: any text, other members are ignored.
struct QueryEntryRequest: Sendable {
  let query: String
  let status: String

  init(_ body: [UInt8]) throws(Problem) {
    var form = try JSONForm(body, scalars: ["query", "status"])
    query = form.text("query")
    status = form.text("status")
    try form.check()
  }

  private init(query: String, status: String) {
    self.query = query
    self.status = status
  }

  /// The same with what `plan` hides hidden. Two texts never pass a plan's bound of operations unmasked: what
  /// is beyond it is hidden whole.
  func masked(_ plan: MaskingPlan) -> QueryEntryRequest {
    guard !plan.isEmpty else { return self }
    var record = RecordMasking(plan)
    let masked = QueryEntryRequest(
      query: record.column("query", query), status: record.column("status", status))
    guard !record.isOverBound else {
      return QueryEntryRequest(query: MaskingPlan.replacement, status: masked.status)
    }
    return masked
  }
}

/// The query of `/ws/logs` and `/ws/stream`.
struct QueryStreamRequest: Sendable {
  static let limitMax = 1_000

  let user: String?
  let limit: Int
  let offset: Int

  /// - Throws: 403, which is what a refused handshake has always been answered here.
  init(_ items: QueryItems) throws(Problem) {
    guard items.isWellFormed else { throw Problem(403, "The query has a broken escape") }
    user = items["user_id"].flatMap { $0.isEmpty ? nil : $0 }
    limit = min(try QueryStreamRequest.number(items, "limit", orElse: 100), QueryStreamRequest.limitMax)
    offset = try QueryStreamRequest.number(items, "offset", orElse: 0)
  }

  /// Clamped to what makes sense: a negative number is none.
  private static func number(_ items: QueryItems, _ name: String, orElse fallback: Int) throws(Problem) -> Int
  {
    guard let text = items[name] else { return fallback }
    guard let number = Int(text) else { throw Problem(403, "\(name) must be a whole number") }
    return max(0, number)
  }

  /// Which records are asked for, of those the caller may see.
  func filter(_ principal: Principal) -> Predicate {
    guard let user else { return principal.filter }
    return .both(.compare(ColumnPath("user_id"), .equal, .string(user)), principal.filter)
  }
}
