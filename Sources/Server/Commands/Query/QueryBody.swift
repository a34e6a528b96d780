import Codecs
import Matching
import Querying
import Records
import Server

/// What `cordwood query`'s flags ask, as values.
struct QueryFlags: Sendable, Hashable {
  var dataset = "logs"
  var since: String?
  var until: String?
  var levels: [String] = []
  var services: [String] = []
  var contains: [String] = []
  var word: [String] = []
  var regex: [String] = []
  var expressions: [String] = []
  var columns: [String] = []
  var order: String?
  var limit: Int?
  var counts = false
  var countBy: [String] = []
  var bucket: String?
  var largestFirst = false
  var isExact = false
}

/// Makes the JSON of `POST /v1/query` from flags.
enum QueryBody {
  /// The body, checked as far as the client can.
  static func make(_ flags: QueryFlags, now: Int64) throws -> JSONTree {
    let (dataset, filter) = try filter(flags)
    var members = [JSONTree.Member("dataset", .string(dataset.name))]
    if let since = flags.since {
      members.append(.init("start", .string(try time(since, "--since", now: now))))
    }
    if let until = flags.until { members.append(.init("end", .string(try time(until, "--until", now: now)))) }
    if filter != .all { members.append(.init("where", filter.json)) }
    if flags.counts || !flags.countBy.isEmpty || flags.bucket != nil {
      members.append(.init("measures", .array([.string("count")])))
      if !flags.countBy.isEmpty {
        members.append(.init("group_by", .array(flags.countBy.map { .string($0) })))
      }
      if let bucket = flags.bucket { members.append(.init("bucket", .string(bucket))) }
      if flags.largestFirst { members.append(.init("order_by", .string("count"))) }
      if flags.isExact { members.append(.init("exact", .bool(true))) }
    } else if !flags.columns.isEmpty {
      members.append(.init("columns", .array(flags.columns.map { .string($0) })))
    }
    if let order = flags.order { members.append(.init("order", .string(order))) }
    if let limit = flags.limit { members.append(.init("limit", .int64(Int64(limit)))) }
    return .object(members)
  }

  /// What is asked, and of which dataset, checked.
  static func filter(_ flags: QueryFlags) throws -> (dataset: Dataset, predicate: Predicate) {
    guard let dataset = ServedAPIs.registry.dataset(named: flags.dataset) else {
      throw Failure("the datasets are \(ServedAPIs.registry.datasets.map(\.name).joined(separator: ", "))")
    }
    return (dataset, try predicate(flags, schema: dataset.schema))
  }

  private static func predicate(_ flags: QueryFlags, schema: DatasetSchema) throws -> Predicate {
    var parts: [Predicate] = []
    func oneOf(_ column: String, _ values: [String]) {
      let path = ColumnPath(column)
      if values.count == 1 { parts.append(.compare(path, .equal, .string(values[0]))) }
      if values.count > 1 { parts.append(.isIn(path, values.map { .string($0) })) }
    }
    oneOf(schema.field("level") == nil ? "severity" : "level", flags.levels)
    oneOf("service", flags.services)
    let text = ColumnPath(schema.primaryText ?? schema.overflowColumn ?? "metadata")
    parts += flags.contains.map { .contains(text, needle: $0, ignoreCase: false) }
    parts += flags.word.map { .word(text, $0) }
    parts += flags.regex.map { .regex(text, pattern: $0, ignoreCase: false) }
    for expression in flags.expressions {
      do throws(StoreError) { parts.append(try Expression.parse(expression)) } catch {
        throw Failure("--where: \(sentence(error))")
      }
    }
    let whole = parts.reduce(Predicate.all) { .both($0, $1) }
    do throws(StoreError) { _ = try CompiledPredicate(whole, schema: schema) } catch {
      throw Failure(sentence(error))
    }
    return whole
  }

  private static func sentence(_ error: StoreError) -> String {
    if case .invalid(let text) = error { return text }
    return "\(error)"
  }

  /// `1h` (so long ago), a date, or RFC 3339, as RFC 3339.
  static func time(_ text: String, _ flag: String, now: Int64) throws -> String {
    if let width = Querying.Duration.nanoseconds(text) { return RFC3339.string(now - width) }
    if text == "now" { return RFC3339.string(now) }
    if let time = RFC3339.parse(text) ?? RFC3339.parse(text + "T00:00:00Z") ?? RFC3339.parse(text + "Z") {
      return RFC3339.string(time)
    }
    throw Failure("\(flag): a duration such as 15m, 2h or 7d, a date, or a time such as 2026-11-19T12:00:00Z")
  }
}
