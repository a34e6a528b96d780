import Codecs
import Matching
import Records

extension QueryRequest {
  /// Reads `group_by`, `bucket`, `utc_offset_seconds`, `measures`, `order_by` and `offset` of the JSON form.
  ///
  /// What is no more than a grouped count becomes one.
  /// - Throws: `.invalid` with a sentence naming the member; values are not quoted.
  static func groupedAnswer(_ tree: JSONTree) throws(StoreError) -> Answer {
    var query = AggregateQuery(measures: [Measure(.count)])
    if let by = tree["group_by"] { query.groupBy = try paths(by, "group_by", max: groupColumnsMax) }
    query.bucket = try TimeBucket(json: tree["bucket"], utcOffset: tree["utc_offset_seconds"])
    if let measures = tree["measures"] { query.measures = try QueryRequest.measures(measures) }
    switch tree["offset"] {
    case nil, .null?: break
    case .int64(let value)? where value >= 0 && value <= Int64(limitMax): query.offset = Int(value)
    default: throw .invalid("offset: a whole number from 0 to \(limitMax)")
    }
    if let by = tree["order_by"] {
      guard case .string(let name) = by, query.measures.contains(where: { $0.name.hasBytes(of: name) }) else {
        throw .invalid("order_by: the name of a measure, such as \"count\"")
      }
      query.orderBy = name
    }
    guard query.measures == [Measure(.count)], query.offset == 0 else { return .aggregates(query) }
    let isOrdered = query.orderBy != nil
    switch query.bucket {
    case nil: return .groups(GroupedCount(groupBy: query.groupBy, isOrderedByCount: isOrdered))
    case .fixed(let width):
      return .groups(
        GroupedCount(groupBy: query.groupBy, bucketNanoseconds: width, isOrderedByCount: isOrdered))
    case .local: return .aggregates(query)
    }
  }

  private static func measures(_ tree: JSONTree) throws(StoreError) -> [Measure] {
    guard case .array(let elements) = tree, !elements.isEmpty, elements.count <= AggregateQuery.measuresMax
    else { throw .invalid("measures: a list of 1 to \(AggregateQuery.measuresMax)") }
    var measures: [Measure] = []
    for (index, element) in elements.enumerated() {
      measures.append(try Measure(json: element, place: "measures[\(index)]"))
    }
    guard Set(measures.map { Name($0.name) }).count == measures.count else {
      throw .invalid("measures: two of one name; name them with \"as\"")
    }
    return measures
  }
}

extension Measure {
  private static let functions = ["count", "sum", "avg", "min", "max", "quantile", "count_distinct"]
  /// As long as the name of a file may be.
  private static let nameBytesMax = 255

  /// Reads `"count"`, `{"sum":"metadata.bytes"}`, `{"count":{"where":{…}},"as":"errors"}`.
  init(json tree: JSONTree, place: String) throws(StoreError) {
    if tree == .string("count") {
      self.init(.count)
      return
    }
    guard case .object(let members) = tree else {
      throw .invalid(
        "\(place): \"count\", or an object with a function, such as {\"sum\":\"metadata.bytes\"}")
    }
    var function: Function?
    var filter: JSONTree?
    var name: String?
    for member in members {
      switch member.name {
      case "where":
        filter = member.value
      case "as":
        guard case .string(let text) = member.value, !text.isEmpty, text.utf8.count <= Measure.nameBytesMax
        else { throw .invalid("\(place).as: a name of 1 to \(Measure.nameBytesMax) bytes") }
        name = text
      case let word where Measure.functions.contains(word):
        guard function == nil else { throw .invalid("\(place): one function, not two") }
        if word.hasBytes(of: "count"), case .object(let options) = member.value {
          guard options.allSatisfy({ $0.name.hasBytes(of: "where") }) else {
            throw .invalid("\(place).count: a column, or an object with nothing but \"where\"")
          }
          guard options.isEmpty || tree["where"] == nil else {
            throw .invalid("\(place).where: twice")
          }
          filter = options.first?.value ?? filter
          function = .count
        } else {
          function = try Function(word: word, argument: member.value, place: "\(place).\(word)")
        }
      default:
        throw .invalid(
          "\(place): unknown member; there are \(Measure.functions.joined(separator: ", ")), where, as")
      }
    }
    guard let function else {
      throw .invalid("\(place): a function: \(Measure.functions.joined(separator: ", "))")
    }
    self.init(function, where: try Measure.filter(filter, place: place), as: name)
  }

  private static func filter(_ tree: JSONTree?, place: String) throws(StoreError) -> Predicate {
    guard let tree, tree != .null else { return .all }
    do throws(StoreError) { return try Predicate(filter: tree) } catch {
      guard case .invalid(let reason) = error else { throw error }
      throw .invalid("\(place).\(reason)")
    }
  }
}

extension Measure.Function {
  fileprivate init(word: String, argument: JSONTree, place: String) throws(StoreError) {
    if word.hasBytes(of: "quantile") {
      guard case .array(let elements) = argument, elements.count == 2,
        let share = elements[1].number, share >= 0, share <= 1
      else { throw .invalid("\(place): a list of a column and a share from 0 to 1") }
      self = .quantile(try Self.path(elements[0], place: place), share)
      return
    }
    if word.hasBytes(of: "count"), argument == .bool(true) {
      self = .count
      return
    }
    let path = try Self.path(argument, place: place)
    switch word {
    case "sum": self = .sum(path)
    case "avg": self = .avg(path)
    case "min": self = .min(path)
    case "max": self = .max(path)
    case "count_distinct": self = .countDistinct(path)
    default: self = .countValues(path)
    }
  }

  private static func path(_ tree: JSONTree, place: String) throws(StoreError) -> ColumnPath {
    guard case .string(let text) = tree, let path = ColumnPath(parsing: text) else {
      throw .invalid("\(place): a column's name, such as \"user_id\" or \"metadata.bytes\"")
    }
    return path
  }
}

extension TimeBucket {
  /// Reads `bucket` and `utc_offset_seconds`; nil without a bucket.
  init?(json tree: JSONTree?, utcOffset: JSONTree?) throws(StoreError) {
    var offset: Int?
    switch utcOffset {
    case nil, .null?: break
    case .int64(let value)? where abs(value.clamped) <= TimeBucket.utcOffsetSecondsMax: offset = Int(value)
    default:
      let most = TimeBucket.utcOffsetSecondsMax
      throw .invalid("utc_offset_seconds: a whole number from -\(most) to \(most)")
    }
    let bucket: TimeBucket?
    switch tree {
    case nil, .null?: bucket = nil
    case .string(let text)?:
      if let unit = Unit(word: text), Unit.ofCalendar.contains(unit) {
        bucket = .calendar(unit, utcOffsetSeconds: offset ?? 0)
        offset = nil
      } else if let width = Duration.nanoseconds(text) {
        bucket = .fixed(nanoseconds: width)
      } else {
        fallthrough
      }
    default:
      let units = Unit.ofCalendar.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      throw .invalid("bucket: a width such as \"1m\", \"15s\", \"1h\" or \"1d\", or one of \(units)")
    }
    guard offset == nil else {
      throw .invalid("utc_offset_seconds: only with a bucket of the calendar, such as \"day\"")
    }
    guard let bucket else { return nil }
    self = bucket
  }
}

extension JSONTree {
  fileprivate var number: Double? {
    switch self {
    case .int64(let value): Double(value)
    case .float64(let value): value
    case .null, .bool, .number, .string, .array, .object: nil
    }
  }
}

extension Int64 {
  /// Without the one number that has no opposite.
  fileprivate var clamped: Int64 { Swift.max(self, -.max) }
}
