import Codecs
import Decoding
import Records
import Routing

/// The filters of a listing or an export.
struct AuditFilter {
  static let exact = ["action", "resource_type", "resource_id", "ip_address", "severity", "user_id"]
  private static let searched = [
    "action", "resource_type", "resource_id", "ip_address", "user_agent", "before", "after", "metadata",
  ]

  let predicate: Predicate
  let start: Int64?
  let end: Int64?

  init(_ items: QueryItems) throws(Problem) {
    var faults = ValidationFaults()
    try self.init(items, &faults)
    try faults.refuse()
  }

  init(_ items: QueryItems, _ faults: inout ValidationFaults) throws(Problem) {
    var parts: [Predicate] = []
    for name in AuditFilter.exact {
      if let value = items[name], !value.isEmpty {
        parts.append(.compare(ColumnPath(name), .equal, .string(value)))
      }
    }
    if let agent = items["user_agent"], !agent.isEmpty {
      parts.append(.contains(ColumnPath("user_agent"), needle: agent, ignoreCase: false))
    }
    if let search = items["search"], !search.isEmpty {
      parts.append(
        .or(
          AuditFilter.searched.map { .regex(ColumnPath($0), pattern: search, ignoreCase: true) }))
    }
    predicate = parts.isEmpty ? .all : .and(parts)
    var start = PageRequest.time(items, "start", &faults)?.lowerBound
    // Included, as bounds are.
    var last = PageRequest.time(items, "end", isEnd: true, &faults)?.upperBound
    if let time = PageRequest.time(items, "timestamp", &faults)?.upperBound {
      // The day of that time, in UTC.
      let day: Int64 = 86_400_000_000_000
      let passed = ((time % day) + day) % day
      start = max(start ?? .min, time.flooredTime(by: day))
      last = min(last ?? .max, time.addingClamped(day - 1 - passed))
    }
    self.start = start
    end = last.flatMap(\.endBehind)
  }
}

/// The query of `GET /api/v1/logs` with a token.
struct AuditListRequest {
  let page: PageRequest
  let filter: AuditFilter

  init(_ items: QueryItems) throws(Problem) {
    var faults = ValidationFaults()
    page = PageRequest(items, sizeName: "size", &faults)
    filter = try AuditFilter(items, &faults)
    try faults.refuse()
  }
}

/// `{"name","key"}`.
struct RevocationRequest {
  /// nil: the caller's own.
  let tenant: String?
  let id: String?
  /// Nanoseconds since 1970.
  let issuedBefore: Int64?

  init(_ body: [UInt8]) throws(Problem) {
    var form = try JSONForm(body, taking: "tenant", "jti", "issued_before")
    tenant = form.optionalText("tenant")
    id = form.optionalText("jti")
    let time = form.optionalText("issued_before")
    issuedBefore = time.flatMap { FlexibleTime.nanoseconds($0) }
    if time != nil, issuedBefore == nil {
      form.note("issued_before", "datetime_parsing", "Input should be a valid datetime")
    }
    if id?.isEmpty == true {
      form.note("jti", "value_error", "Value error, an empty jti is no token's")
    } else if (id == nil) == (time == nil) {
      form.note("jti", "value_error", "Value error, either jti or issued_before is needed")
    }
    try form.check()
  }
}

struct TenantRequest {
  let name: String
  let key: String

  init(_ body: [UInt8]) throws(Problem) {
    var form = try JSONForm(body, taking: "name", "key")
    name = form.text("name")
    key = form.text("key")
    let isKey = !key.isEmpty && key.utf8.count <= 128 && key.utf8.allSatisfy(TenantRequest.isKeyByte)
    if form.hasText("key"), !isKey {
      form.note(
        "key", "value_error",
        "Value error, Key must be lowercase alphanumeric with dashes or underscores (no spaces or special characters)"
      )
    }
    try form.check()
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
