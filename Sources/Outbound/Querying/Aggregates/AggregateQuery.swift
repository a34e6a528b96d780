import Records

/// Measures over groups of rows.
package struct AggregateQuery: Sendable, Hashable {
  /// Text columns and members of objects (as text); null is a group of its own.
  package var groupBy: [ColumnPath]
  /// How time is cut; nil: not.
  package var bucket: TimeBucket?
  /// At least one; their names are distinct.
  package var measures: [Measure]
  /// The name of the measure that orders the groups, null last; nil: by bucket and values. Groups of equal
  /// measure come by bucket and values.
  package var orderBy: String?
  /// Groups left out before the first that is given.
  package var offset: Int

  /// Measures of a query.
  package static let measuresMax = 64

  /// A query, unchecked: ``PreparedQuery`` checks it.
  package init(
    groupBy: [ColumnPath] = [], bucket: TimeBucket? = nil, measures: [Measure], orderBy: String? = nil,
    offset: Int = 0
  ) {
    self.groupBy = groupBy
    self.bucket = bucket
    self.measures = measures
    self.orderBy = orderBy
    self.offset = offset
  }

  /// A grouped count.
  init(_ count: QueryRequest.GroupedCount) {
    self.init(
      groupBy: count.groupBy, bucket: count.bucketNanoseconds.map { .fixed(nanoseconds: $0) },
      measures: [Measure(.count)], orderBy: count.isOrderedByCount ? "count" : nil)
  }

  /// Whether block summaries may answer it.
  var isPlainCount: Bool { measures.allSatisfy { $0.function == .count && $0.filter == .all } }
  /// Whether it is a count of all rows, which units may know without being read.
  var isTotal: Bool { isPlainCount && groupBy.isEmpty && bucket == nil }
}

extension QueryRequest {
  /// The columns of an aggregate's answer: the bucket, the group's columns, the measures. A local bucket is
  /// its key. An extreme of a member, `float64` here, may turn out as `int64` or as JSON numbers
  /// (``MeasureValues/type(declared:)``).
  ///
  /// - Throws: `.invalid` for a column that does not exist or has no such measure, a name given twice, …
  func fields(of query: AggregateQuery) throws(StoreError) -> [Field] {
    var fields = query.bucket.map { [Field("bucket", $0.keyType, isNullable: false)] } ?? []
    for path in query.groupBy {
      guard try output(path).type == .utf8 || !path.members.isEmpty else {
        throw .invalid("group_by: text columns and members of objects; for time use bucket")
      }
      fields.append(Field(path.description, .utf8, isNullable: true))
    }
    guard !query.measures.isEmpty, query.measures.count <= AggregateQuery.measuresMax else {
      throw .invalid("measures: 1 to \(AggregateQuery.measuresMax)")
    }
    for measure in query.measures { fields.append(try field(of: measure)) }
    guard Set(fields.map { Name($0.name) }).count == fields.count else {
      throw .invalid("measures: two columns of one name; name measures with \"as\"")
    }
    guard query.offset >= 0 else { throw .invalid("offset: a whole number from 0 on") }
    if let name = query.orderBy, !query.measures.contains(where: { $0.name.hasBytes(of: name) }) {
      throw .invalid("order_by: the name of a measure")
    }
    return fields
  }

  private func field(of measure: Measure) throws(StoreError) -> Field {
    let type = try input(of: measure.function)?.type
    switch measure.function {
    case .count, .countValues, .countDistinct: return Field(measure.name, .int64, isNullable: false)
    case .sum: return Field(measure.name, type == .int64 ? .int64 : .float64, isNullable: true)
    case .avg, .quantile: return Field(measure.name, .float64, isNullable: true)
    case .min, .max: return Field(measure.name, type ?? .float64, isNullable: true)
    }
  }

  /// The column a function reads; nil: none.
  func input(of function: Measure.Function) throws(StoreError) -> OutputColumn? {
    guard let path = function.path else { return nil }
    let column = try output(path)
    let isMember = !path.members.isEmpty
    switch function {
    case .count, .countValues: return column
    case .countDistinct:
      guard isMember || column.type != .json else {
        throw .invalid("\(function.word): \(path) is an object; name a member of it")
      }
      return isMember ? OutputColumn(path, type: .utf8) : column
    case .sum, .avg, .quantile:
      if case .quantile(_, let share) = function, !(share >= 0 && share <= 1) {
        throw .invalid("quantile: a share from 0 to 1")
      }
      if isMember { return OutputColumn(path, type: .float64) }
      guard column.type == .int64 || column.type == .float64 else {
        throw .invalid("\(function.word): \(path) does not hold numbers")
      }
      return column
    case .min, .max:
      if isMember { return OutputColumn(path, type: .float64, isExact: true) }
      switch column.type {
      case .int64, .float64, .timestamp, .utf8: return column
      case .bool, .uuid, .json:
        throw .invalid("\(function.word): \(path) holds neither numbers, times nor text")
      }
    }
  }
}
