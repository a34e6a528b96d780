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
    if !flags.levels.isEmpty {
      oneOf(try column(levelNames, "--level", flags.dataset, schema), spellings(of: flags.levels))
    }
    if !flags.services.isEmpty {
      oneOf(try column(["service"], "--service", flags.dataset, schema), flags.services)
    }
    let texts = texts(of: schema)
    func anywhere(_ make: (ColumnPath) -> Predicate) -> Predicate {
      texts.count == 1 ? make(texts[0]) : .or(texts.map(make))
    }
    parts += flags.contains.map { text in anywhere { .contains($0, needle: text, ignoreCase: false) } }
    parts += flags.word.map { word in anywhere { .word($0, word) } }
    parts += flags.regex.map { pattern in anywhere { .regex($0, pattern: pattern, ignoreCase: false) } }
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

  /// What a dataset calls how grave a record is, or how a run ended.
  private static let levelNames = ["level", "severity", "status"]

  /// Levels as they may have been sent: as typed, and in capitals, small, and with one capital, of ASCII.
  private static func spellings(of levels: [String]) -> [String] {
    func capitals(_ text: some Sequence<UInt8>) -> [UInt8] {
      text.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 0x20 : $0 }
    }
    var known: Set<Name> = []
    return levels.flatMap { level in
      let small = Array(level.asciiLowercased.utf8)
      let forms = [capitals(level.utf8), small, capitals(small.prefix(1)) + small.dropFirst()]
      return [level] + forms.map { String(decoding: $0, as: UTF8.self) }
    }.filter { known.insert(Name($0)).inserted }
  }

  /// The first of `names` that the dataset has.
  private static func column(
    _ names: [String], _ flag: String, _ dataset: String, _ schema: DatasetSchema
  ) throws -> String {
    guard let name = names.first(where: { schema.field($0) != nil }) else {
      throw Failure("\(flag): the dataset \(dataset) has no \(names[0]); --where asks of any column")
    }
    return name
  }

  /// Where people read: the message, or what else is text where there is none, objects included.
  private static func texts(of schema: DatasetSchema) -> [ColumnPath] {
    if let message = schema.primaryText { return [ColumnPath(message)] }
    return schema.declaredFields.filter { $0.type == .utf8 || $0.type == .json }.map { ColumnPath($0.name) }
  }

  private static func sentence(_ error: StoreError) -> String {
    if case .invalid(let text) = error { return text }
    return "\(error)"
  }

  /// `1h` (so long ago), a date, a number since 1970, or RFC 3339, as RFC 3339.
  static func time(_ text: String, _ flag: String, now: Int64) throws -> String {
    if let width = Querying.Duration.nanoseconds(text) {
      return RFC3339.string(now.subtractingClamped(width))
    }
    if text == "now" { return RFC3339.string(now) }
    if let time = FlexibleTime.nanoseconds(text) { return RFC3339.string(time) }
    throw Failure("\(flag): a duration such as 15m, 2h or 7d, a date, or a time such as 2026-11-19T12:00:00Z")
  }
}
