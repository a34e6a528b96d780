import Codecs
import Matching
import Records

extension SummaryRequest {
  private static let members = [
    "dataset", "start", "end", "where", "filters", "bucket", "utc_offset_seconds", "by", "fields", "values",
    "numbers", "strict",
  ]

  /// Reads the JSON form (Docs/query.md, "Summaries").
  ///
  /// - Parameters:
  ///   - filter: Holds for every row besides what `where` says.
  ///   - registry: What there is to ask.
  /// - Throws: `.invalid` with a sentence naming the member; values are not quoted.
  package init(
    json text: [UInt8], filter mandatory: Predicate = .all, registry: Registry
  ) throws(StoreError) {
    let tree = try QueryRequest.tree(text, "summary", members: SummaryRequest.members)
    dataset = try QueryRequest.dataset(tree, registry)
    start = try QueryRequest.time(tree["start"], "start")
    end = try QueryRequest.time(tree["end"], "end")
    let asked: Predicate =
      if let filter = tree["where"], filter != .null { try Predicate(filter: filter) } else { .all }
    predicate = .both(asked, mandatory)
    bucket = try TimeBucket(json: tree["bucket"], utcOffset: tree["utc_offset_seconds"])
    by = try SummaryRequest.path(tree["by"], "by")
    guard by == nil || bucket != nil else { throw .invalid("by: only with bucket") }
    if let fields = tree["fields"] {
      self.fields = try QueryRequest.paths(fields, "fields", max: SummaryRequest.fieldsMax)
    }
    switch tree["values"] {
    case nil, .null?: break
    case .int64(let count)? where (0...Int64(SummaryRequest.valuesMax)).contains(count):
      valueCount = Int(count)
    default: throw .invalid("values: a whole number from 0 to \(SummaryRequest.valuesMax)")
    }
    if let numbers = tree["numbers"] {
      gathersNumbers = try QueryRequest.flag(numbers, "numbers")
    }
    isStrict = try QueryRequest.flag(tree["strict"], "strict")
    if let filters = tree["filters"], filters != .null { try read(filters: filters) }
  }

  private static func path(_ tree: JSONTree?, _ name: String) throws(StoreError) -> ColumnPath? {
    switch tree {
    case nil, .null?: return nil
    case .string(let text)?:
      guard let path = ColumnPath(parsing: text) else { fallthrough }
      return path
    default: throw .invalid("\(name): a name such as \"level\" or \"metadata.user\"")
    }
  }

  private mutating func read(filters tree: JSONTree) throws(StoreError) {
    guard case .array(let elements) = tree, elements.count <= SummaryRequest.fieldsMax else {
      throw .invalid("filters: a list of at most \(SummaryRequest.fieldsMax)")
    }
    for (index, element) in elements.enumerated() {
      let filter = try FieldFilter(json: element, place: "filters[\(index)]")
      if let known = filters.firstIndex(where: { $0.path == filter.path }) {
        filters[known] = FieldFilter(filter.path, .both(filters[known].condition, filter.condition))
      } else {
        filters.append(filter)
      }
    }
  }
}

extension SummaryRequest.FieldFilter {
  private static let literalsMax = 1_000

  /// Reads `{"field":"level","in":["ERROR",null]}`; the conditions of one object hold together.
  fileprivate init(json tree: JSONTree, place: String) throws(StoreError) {
    guard case .object(let members) = tree, case .string(let text)? = tree["field"],
      let path = ColumnPath(parsing: text), members.count > 1
    else {
      throw .invalid(
        "\(place): a field and a condition, such as {\"field\":\"level\",\"in\":[\"ERROR\"]}")
    }
    var parts: [Predicate] = []
    for member in members where !member.name.hasBytes(of: "field") {
      let here = "\(place).\(member.name.told)"
      switch member.name {
      case "in": parts.append(try Self.list(member.value, path, here))
      case "not_in": parts.append(.not(try Self.list(member.value, path, here)))
      case "exists":
        guard case .bool(let exists) = member.value else { throw .invalid("\(here): true or false") }
        parts.append(exists ? .exists(path) : .not(.exists(path)))
      case "lt", "le", "gt", "ge":
        guard let comparison = Comparison(rawValue: member.name), let value = Literal(json: member.value)
        else {
          throw .invalid("\(here): a string or a number")
        }
        parts.append(.compare(path, comparison, value))
      case "contains":
        guard case .string(let needle) = member.value else { throw .invalid("\(here): a text") }
        parts.append(.contains(path, needle: needle, ignoreCase: true))
      default:
        throw .invalid("\(place): conditions are in, not_in, exists, lt, le, gt, ge, contains")
      }
    }
    self.init(path, parts.count == 1 ? parts[0] : .and(parts))
  }

  private static func list(
    _ tree: JSONTree, _ path: ColumnPath, _ place: String
  ) throws(StoreError) -> Predicate {
    guard case .array(let values) = tree, !values.isEmpty, values.count <= literalsMax else {
      throw .invalid("\(place): a list of 1 to \(literalsMax) values")
    }
    var literals: [Literal] = []
    var isMissingToo = false
    for value in values {
      if value == .null {
        isMissingToo = true
        continue
      }
      guard let literal = Literal(json: value) else {
        throw .invalid("\(place): strings, numbers, true, false, null")
      }
      literals.append(literal)
    }
    let known = Predicate.isIn(path, literals)
    guard isMissingToo else { return known }
    let missing = Predicate.not(.exists(path))
    return literals.isEmpty ? missing : .or([known, missing])
  }
}
