import Codecs
import Matching
import Records

/// A question about one dataset of one tenant, as the native API and the command line ask it.
package struct QueryRequest: Sendable, Hashable {
  /// What comes back.
  package enum Answer: Sendable, Hashable {
    /// Records: these columns and members, in this order.
    case rows(columns: [ColumnPath])
    /// One row a group, with its count.
    case groups(GroupedCount)
    /// One row a group, with its measures.
    case aggregates(AggregateQuery)
  }

  /// A count by columns and time.
  package struct GroupedCount: Sendable, Hashable {
    /// Columns whose values make a group; null is one.
    package var groupBy: [ColumnPath]
    /// Width of the time buckets in nanoseconds, aligned to 1970; nil: none.
    package var bucketNanoseconds: Int64?
    /// By count (largest first if descending) instead of by bucket and values.
    package var isOrderedByCount: Bool
    /// Counts in all without columns and buckets.
    package init(groupBy: [ColumnPath], bucketNanoseconds: Int64? = nil, isOrderedByCount: Bool = false) {
      self.groupBy = groupBy
      self.bucketNanoseconds = bucketNanoseconds
      self.isOrderedByCount = isOrderedByCount
    }
  }

  /// Whose records.
  package var dataset: Dataset
  /// Nanoseconds since 1970: start included, end not.
  package var start: Int64?
  /// Not included; nil: no bound.
  package var end: Int64?
  /// Which records.
  package var predicate: Predicate
  /// What is given of them.
  package var answer: Answer
  /// Rows or groups at most.
  package var limit: Int
  /// Whether the last come first.
  package var isDescending: Bool
  /// Where the page before ended; nil: the first page.
  package var cursor: QueryCursor?
  /// Whether a damaged or missing file is an error; else its rows are left out, and the answer says so.
  package var isStrict = false
  /// Whether groups that there is no memory for are an error; else the greatest are given, and the answer
  /// says how sure they are.
  package var isExact = false
  /// Whether the answer says what was looked at for it; nil: where its form has a place for that.
  package var wantsStatistics: Bool?

  /// Rows given when a request names no limit.
  package static let limitDefault = 1_000
  /// Answers are streamed in bounded memory, so the bound only catches slips of the pen.
  package static let limitMax = 1_000_000_000
  /// Columns of an answer.
  package static let columnsMax = 256
  /// Columns to group by.
  package static let groupColumnsMax = 8

  /// A request, unchecked: ``PreparedQuery`` checks it.
  package init(
    dataset: Dataset, predicate: Predicate = .all, answer: Answer, start: Int64? = nil, end: Int64? = nil,
    limit: Int = QueryRequest.limitDefault, isDescending: Bool = true, cursor: QueryCursor? = nil
  ) {
    self.dataset = dataset
    self.start = start
    self.end = end
    self.predicate = predicate
    self.answer = answer
    self.limit = limit
    self.isDescending = isDescending
    self.cursor = cursor
  }
}

extension QueryRequest {
  private static let members = [
    "dataset", "start", "end", "where", "columns", "limit", "order", "cursor", "measures", "group_by",
    "bucket", "utc_offset_seconds", "order_by", "offset", "count", "strict", "exact", "statistics",
  ]

  /// Reads the JSON form (Docs/query.md).
  ///
  /// - Parameters:
  ///   - filter: Holds for every row besides what `where` says.
  ///   - registry: What there is to ask.
  ///   - open: What is within a cursor that a client sends back; nil: it was not given to this client.
  /// - Throws: `.invalid` with a sentence naming the member; values are not quoted.
  package init(
    json text: [UInt8], filter mandatory: Predicate = .all, registry: Registry = .standard,
    opening open: (String, Dataset) -> String? = { cursor, _ in cursor }
  ) throws(StoreError) {
    let tree = try QueryRequest.tree(text, "query", members: QueryRequest.members)
    let dataset = try QueryRequest.dataset(tree, registry)
    self.dataset = dataset
    start = try QueryRequest.time(tree["start"], "start")
    end = try QueryRequest.time(tree["end"], "end")
    let asked: Predicate =
      if let filter = tree["where"], filter != .null { try Predicate(filter: filter) } else { .all }
    predicate = .both(asked, mandatory)
    answer = try QueryRequest.answer(tree, schema: dataset.schema)
    var isGrouped = true
    if case .rows = answer { isGrouped = false }
    limit = try QueryRequest.limit(tree["limit"], isGrouped: isGrouped)
    switch tree["order"] {
    case nil, .null?: isDescending = !isGrouped
    case .string("asc")?: isDescending = false
    case .string("desc")?: isDescending = true
    default: throw .invalid("order: \"asc\" or \"desc\"")
    }
    isStrict = try QueryRequest.flag(tree["strict"], "strict")
    isExact = try QueryRequest.flag(tree["exact"], "exact")
    if let wanted = tree["statistics"], wanted != .null {
      wantsStatistics = try QueryRequest.flag(wanted, "statistics")
    }
    cursor = nil
    // The most first, where an order is asked for and not said.
    if isGrouped, tree["order_by"] != nil, tree["order"] == nil { isDescending = true }
    try readCursor(tree["cursor"], isGrouped: isGrouped) { open($0, dataset) }
  }

  /// The object that a text is, of known members alone.
  ///
  /// - Parameter what: What it is called in errors.
  static func tree(
    _ text: [UInt8], _ what: String, members known: [String]
  ) throws(StoreError) -> JSONTree {
    let tree: JSONTree
    do { tree = try JSONTree(parsing: text) } catch {
      throw .invalid("the \(what) is not JSON: at byte \(error.offsetBytes): \(error.reason)")
    }
    guard case .object(let members) = tree else { throw .invalid("a \(what) is a JSON object") }
    if let unknown = members.first(where: { member in !known.contains { $0.hasBytes(of: member.name) } }) {
      let name = unknown.name.told
      let near = NearestName.of(unknown.name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
      throw .invalid("unknown member \"\(name)\" in the \(what)\(near)")
    }
    return tree
  }

  static func dataset(_ tree: JSONTree, _ registry: Registry) throws(StoreError) -> Dataset {
    guard case .string(let name)? = tree["dataset"], let dataset = registry.dataset(named: name) else {
      throw .invalid("dataset: one of \(registry.datasets.map(\.name).joined(separator: ", "))")
    }
    return dataset
  }

  private mutating func readCursor(
    _ tree: JSONTree?, isGrouped: Bool, opening open: (String) -> String?
  ) throws(StoreError) {
    guard let tree, tree != .null else { return }
    guard case .string(let token) = tree, !isGrouped else {
      throw .invalid("cursor: the text an earlier answer of the same query gave; grouped counts have none")
    }
    cursor = try QueryCursor(token: open(token) ?? "", request: self)
  }

  /// A time as requests say it: RFC 3339 text, or a number.
  package static func time(_ tree: JSONTree?, _ name: String) throws(StoreError) -> Int64? {
    switch tree {
    case nil, .null?: return nil
    case .int64?, .float64?, .number?:
      guard let value = tree.flatMap({ UnixTime.nanoseconds($0) }) else {
        throw .invalid("\(name): a number of seconds since 1970 between the years 1677 and 2262")
      }
      return value
    case .string(let text)?:
      guard let value = RFC3339.parse(text) else {
        throw .invalid("\(name): RFC 3339 such as 2026-11-19T12:00:00Z, between the years 1677 and 2262")
      }
      return value
    default: throw .invalid("\(name): RFC 3339 text or a number of seconds since 1970")
    }
  }

  static func flag(_ tree: JSONTree?, _ name: String) throws(StoreError) -> Bool {
    switch tree {
    case nil, .null?: return false
    case .bool(let flag)?: return flag
    default: throw .invalid("\(name): true or false")
    }
  }

  private static func limit(_ tree: JSONTree?, isGrouped: Bool) throws(StoreError) -> Int {
    switch tree {
    case nil, .null?: return isGrouped ? limitMax : limitDefault
    case .int64(let value)? where value >= 1 && value <= Int64(limitMax): return Int(value)
    default: throw .invalid("limit: a whole number from 1 to \(limitMax)")
    }
  }

  static func paths(
    _ tree: JSONTree, _ name: String, max: Int
  ) throws(StoreError) -> [ColumnPath] {
    guard case .array(let elements) = tree, elements.count <= max else {
      throw .invalid("\(name): a list of at most \(max) columns")
    }
    var paths: [ColumnPath] = []
    for element in elements {
      guard case .string(let text) = element, let path = ColumnPath(parsing: text) else {
        throw .invalid("\(name): names such as \"level\" or \"metadata.user\"")
      }
      guard !paths.contains(path) else { throw .invalid("\(name): a column twice") }
      paths.append(path)
    }
    return paths
  }

  private static func answer(_ tree: JSONTree, schema: DatasetSchema) throws(StoreError) -> Answer {
    let isGrouped = ["measures", "group_by", "bucket", "count"].contains { tree[$0] != nil }
    guard isGrouped else {
      for name in ["offset", "utc_offset_seconds", "exact", "order_by"] where tree[name] != nil {
        throw .invalid("\(name): only with group_by, bucket or measures")
      }
      guard let columns = tree["columns"], columns != .null else {
        return .rows(columns: schema.fields.map { ColumnPath($0.name) })
      }
      let paths = try paths(columns, "columns", max: columnsMax)
      guard !paths.isEmpty else { throw .invalid("columns: at least one column") }
      return .rows(columns: paths)
    }
    guard tree["columns"] == nil else { throw .invalid("columns: not together with measures; see group_by") }
    if let count = tree["count"], count != .bool(true) { throw .invalid("count: true") }
    return try groupedAnswer(tree)
  }

  /// The columns that rows are ordered by before `position`: those of the sort key, or none where the filter
  /// fixes each of them to one value.
  package var orderColumns: [String] {
    let sortKey = dataset.schema.sortKey
    var fixed: Set<String> = []
    for part in predicate.conjunction {
      if case .compare(let path, .equal, .string) = part, path.members.isEmpty { fixed.insert(path.column) }
    }
    return sortKey.allSatisfy(fixed.contains) ? [] : sortKey
  }

  /// The columns of the answer.
  package func fields() throws(StoreError) -> [Field] {
    switch answer {
    case .rows(let columns):
      var fields: [Field] = []
      for path in columns { fields.append(try output(path).field) }
      return fields
    case .groups(let groups):
      let bucket = groups.bucketNanoseconds.map { _ in Field("bucket", .timestamp, isNullable: false) }
      for path in groups.groupBy where try output(path).type != .utf8 && path.members.isEmpty {
        throw .invalid("group_by: text columns and members of objects; for time use bucket")
      }
      return [bucket].compactMap { $0 }
        + groups.groupBy.map { Field($0.description, .utf8, isNullable: true) }
        + [Field("count", .int64, isNullable: false)]
    case .aggregates(let query): return try fields(of: query)
    }
  }

  /// A column of the schema, or a member of an object column as JSON.
  func output(_ path: ColumnPath) throws(StoreError) -> OutputColumn {
    guard let field = dataset.schema.field(path.column) else {
      let names = dataset.schema.fields.map(\.name).joined(separator: ", ")
      throw .invalid("\(dataset.name) has no column of that name; it has \(names)")
    }
    if path.members.isEmpty { return OutputColumn(path, type: field.type) }
    guard field.type == .json else { throw .invalid("\(path.column) is no object: it has no members") }
    return OutputColumn(path, type: .json)
  }
}

/// Widths of time written as a number and a unit.
package enum Duration {
  private static let units: [(String, Int64)] = [
    ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000), ("w", 604_800_000_000_000),
  ]

  /// Nanoseconds of `15s`, `1m`, `2h`, `500ms`, `1d`, `1w`; nil for anything else, zero included.
  package static func nanoseconds(_ text: String) -> Int64? {
    // Letters under thousands of marks are looked at no further.
    guard text.utf8.count <= 32 else { return nil }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int64(digits), count > 0,
      let unit = units.first(where: { $0.0 == text.dropFirst(digits.count) })
    else { return nil }
    let (value, overflow) = count.multipliedReportingOverflow(by: unit.1)
    return overflow ? nil : value
  }
}
