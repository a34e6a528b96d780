import Codecs
import Matching
import Querying
import Records
import Routing

/// A query of Cube's REST API, checked against a cube.
struct CubeQuery {
  static let limitDefault = 10_000
  static let limitMax = 50_000

  struct TimeDimension: Sendable {
    /// With the cube's name.
    let name: String
    let granularity: CalendarDate.Unit?
    let range: DateRange?
  }

  /// Names in a list, and time dimensions.
  static let itemsMax = 32

  let cube: CubeSchema
  /// The query as answers repeat it: each `dateRange` as two local times, what was left out as it counted.
  let tree: JSONTree
  let measures: [CubeSchema.MeasureMember]
  let dimensions: [CubeSchema.Dimension]
  let times: [TimeDimension]
  private(set) var predicate: Predicate
  /// Members with the cube's name, and whether they fall.
  let order: [(name: String, isDescending: Bool)]
  let limit: Int
  let offset: Int
  let zone: UTCOffsets
  /// Nanoseconds since 1970, when it was asked.
  let now: Int64

  /// - Throws: 400 with the member's name; values are not quoted.
  init(_ tree: JSONTree, cube: CubeSchema, now: Int64, zones: TimeZones = .none) throws(Problem) {
    try CubeQuery.checkNames(tree, cube)
    let tree = CubeQuery.movingTimes(tree, cube)
    self.cube = cube
    self.now = now
    zone = try CubeQuery.zone(tree["timezone"], zones)
    measures = try CubeQuery.names(tree["measures"], "measures", cube).map { name throws(Problem) in
      guard let measure = cube.measure(name) else {
        throw Problem(400, "measures: \(cube.name) has no such measure")
      }
      return measure
    }
    dimensions = try CubeQuery.names(tree["dimensions"], "dimensions", cube).map { name throws(Problem) in
      guard let dimension = cube.dimension(name), dimension.type == .string else {
        throw Problem(400, "dimensions: \(cube.name) has no such dimension to group by")
      }
      return dimension
    }
    times = try CubeQuery.times(tree["timeDimensions"], cube, now: now, zone)
    guard !measures.isEmpty || !dimensions.isEmpty || times.contains(where: { $0.granularity != nil }) else {
      throw Problem(400, "a query needs measures, dimensions or a time dimension with a granularity")
    }
    order = try CubeQuery.order(tree["order"], cube)
    limit = try CubeQuery.number(
      tree["limit"], "limit", fallback: CubeQuery.limitDefault, 1...CubeQuery.limitMax)
    offset = try CubeQuery.number(tree["offset"], "offset", fallback: 0, 0...Int.max)
    predicate = .all
    self.tree = CubeQuery.normalized(tree, times, zone)
    switch tree["filters"] {
    case nil, .null?: break
    case .array(let filters)?:
      var conditions: [Predicate] = []
      var count = 0
      for filter in filters { conditions.append(try condition(filter, 0, &count)) }
      predicate = .and(conditions)
    default: throw Problem(400, "filters: a list")
    }
  }

  /// Times with a unit among the dimensions, such as `logs.timestamp.day`, are time dimensions without a
  /// range.
  private static func movingTimes(_ tree: JSONTree, _ cube: CubeSchema) -> JSONTree {
    guard case .array(let items)? = tree["dimensions"] else { return tree }
    var dimensions: [JSONTree] = []
    var times: [JSONTree] = []
    for item in items {
      let parts = item.string?.parts(at: ".", most: 4).map { String($0) } ?? []
      guard parts.count == 3, parts[0].hasBytes(of: cube.name), cube.dimension(parts[1])?.type == .time else {
        dimensions.append(item)
        continue
      }
      times.append(
        .object([
          .init("dimension", .string("\(cube.name).\(parts[1])")), .init("granularity", .string(parts[2])),
        ]))
    }
    guard !times.isEmpty else { return tree }
    switch tree["timeDimensions"] {
    case nil, .null?: break
    case .array(let known)?: times = known + times
    default: return tree
    }
    return tree.setting("dimensions", to: .array(dimensions)).setting("timeDimensions", to: .array(times))
  }

  private static func names(
    _ tree: JSONTree?, _ member: String, _ cube: CubeSchema
  ) throws(Problem) -> [String] {
    guard let tree, tree != .null else { return [] }
    guard case .array(let items) = tree, items.count <= itemsMax else {
      throw Problem(400, "\(member): a list of names")
    }
    return try items.map { item throws(Problem) in try name(item, member, cube) }
  }

  /// `logs.severity` without the cube's name.
  private static func name(_ tree: JSONTree?, _ member: String, _ cube: CubeSchema) throws(Problem) -> String
  {
    guard let text = tree?.string, text.hasBytes(from: cube.name + ".") else {
      throw Problem(400, "\(member): names such as \(cube.name).count")
    }
    return String(Substring(text.utf8.dropFirst(cube.name.utf8.count + 1)))
  }

  private static func number(
    _ tree: JSONTree?, _ name: String, fallback: Int, _ range: ClosedRange<Int>
  ) throws(Problem) -> Int {
    switch tree {
    case nil, .null?: return fallback
    case .int64(let number)? where range.contains(Int(number)): return Int(number)
    default: throw Problem(400, "\(name): a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
  }

  private static func zone(_ tree: JSONTree?, _ zones: TimeZones) throws(Problem) -> UTCOffsets {
    let refusal = Problem(400, "timezone: UTC, an offset such as +02:00, or a name such as Europe/Berlin")
    switch tree {
    case nil, .null?, .string("UTC")?, .string("Etc/UTC")?, .string("GMT")?, .string("Z")?:
      return UTCOffsets(always: 0)
    case .string(let text)?:
      guard text.hasPrefix("+") || text.hasPrefix("-") else {
        guard let zone = zones.offsets(text) else { throw refusal }
        return zone
      }
      let parts = text.dropFirst().split(separator: ":")
      guard parts.count == 2, let hours = Int(parts[0]), let minutes = Int(parts[1]), hours <= 18,
        minutes < 60, hours >= 0, minutes >= 0
      else { throw refusal }
      let seconds = min(hours * 3600 + minutes * 60, TimeBucket.utcOffsetSecondsMax)
      return UTCOffsets(always: text.hasPrefix("-") ? -seconds : seconds)
    default: throw refusal
    }
  }

  private static func times(
    _ tree: JSONTree?, _ cube: CubeSchema, now: Int64, _ zone: UTCOffsets
  ) throws(Problem) -> [TimeDimension] {
    guard let tree, tree != .null else { return [] }
    guard case .array(let items) = tree, items.count <= itemsMax else {
      throw Problem(400, "timeDimensions: a list of at most \(itemsMax) time dimensions")
    }
    return try items.map { item throws(Problem) in
      try check(item, "timeDimensions", timeMembers)
      let member = try name(item["dimension"], "timeDimensions", cube)
      guard cube.dimension(member)?.type == .time else {
        throw Problem(400, "timeDimensions: \(cube.name) has no such time")
      }
      var granularity: CalendarDate.Unit?
      if let word = item["granularity"], word != .null {
        guard let text = word.string, let unit = CalendarDate.Unit(word: text) else {
          throw Problem(400, "granularity: second, minute, hour, day, week, month, quarter or year")
        }
        granularity = unit
      }
      return TimeDimension(
        name: "\(cube.name).\(member)", granularity: granularity,
        range: try range(item["dateRange"], now: now, zone))
    }
  }

  private static func range(
    _ tree: JSONTree?, now: Int64, _ zone: UTCOffsets
  ) throws(Problem) -> DateRange? {
    guard let tree, tree != .null else { return nil }
    guard let range = DateRange(tree, now: now, zone: zone) else {
      throw Problem(
        400, "dateRange: two dates, a date, or words such as \"last 30 days\", \"today\", \"this month\"")
    }
    guard !range.isReversed else { throw Problem(400, "dateRange: its end lies before its start") }
    return range
  }

  private static func normalized(_ tree: JSONTree, _ times: [TimeDimension], _ zone: UTCOffsets) -> JSONTree {
    var tree = tree
    for name in ["measures", "dimensions", "filters", "timeDimensions"] where tree[name] ?? .null == .null {
      tree = tree.setting(name, to: .array([]))
    }
    if tree["timezone"] ?? .null == .null { tree = tree.setting("timezone", to: .string("UTC")) }
    guard case .array(let items)? = tree["timeDimensions"] else { return tree }
    let written = zip(items, times).map { item, time in
      time.range.map { item.setting("dateRange", to: .array($0.texts(in: zone).map { .string($0) })) } ?? item
    }
    return tree.setting("timeDimensions", to: .array(written))
  }

  private static func order(
    _ tree: JSONTree?, _ cube: CubeSchema
  ) throws(Problem) -> [(name: String, isDescending: Bool)] {
    var pairs: [(JSONTree, JSONTree)] = []
    switch tree {
    case nil, .null?: break
    case .object(let members)?: pairs = members.map { (.string($0.name), $0.value) }
    case .array(let items)?:
      for item in items {
        guard case .array(let pair) = item, pair.count == 2 else {
          throw Problem(400, "order: pairs of name and direction")
        }
        pairs.append((pair[0], pair[1]))
      }
    default: throw Problem(400, "order: an object, or a list of pairs")
    }
    return try pairs.map { pair throws(Problem) in
      let member = try name(pair.0, "order", cube)
      guard canOrder(by: member, cube) else { throw Problem(400, "order: \(cube.name) has no such member") }
      switch pair.1 {
      case .string("asc"): return ("\(cube.name).\(member)", false)
      case .string("desc"): return ("\(cube.name).\(member)", true)
      default: throw Problem(400, "order: \"asc\" or \"desc\"")
      }
    }
  }

  // MARK: Filters

  /// - Parameter count: How many conditions there are so far; a list of values to be equal to is one.
  private func condition(_ tree: JSONTree, _ depth: Int, _ count: inout Int) throws(Problem) -> Predicate {
    guard depth < 16 else { throw Problem(400, "filters: nested too deeply") }
    try CubeQuery.add(1, to: &count)
    try CubeQuery.checkFilter(tree)
    for (word, isAnd) in [("and", true), ("or", false)] {
      guard let parts = tree[word] else { continue }
      guard case .array(let items) = parts else { throw Problem(400, "filters: \(word) takes a list") }
      var conditions: [Predicate] = []
      for item in items { conditions.append(try condition(item, depth + 1, &count)) }
      return isAnd ? .and(conditions) : .or(conditions)
    }
    let name = try CubeQuery.name(tree["member"] ?? tree["dimension"], "filters", cube)
    guard let dimension = cube.dimension(name) else {
      throw Problem(400, "filters: \(cube.name) has no such dimension")
    }
    guard let word = tree["operator"]?.string else { throw Problem(400, "filters: an operator") }
    var values: [String] = []
    if case .array(let items)? = tree["values"] {
      for item in items {
        switch item {
        case .string(let text): values.append(text)
        case .int64, .float64, .number, .bool: values.append(item.text)
        default: throw Problem(400, "filters: values are texts and numbers")
        }
      }
    }
    if word != "equals", word != "notEquals" { try CubeQuery.add(max(0, values.count - 1), to: &count) }
    return try condition(dimension, word, values)
  }

  /// As many conditions as in filters of our own.
  private static func add(_ more: Int, to count: inout Int) throws(Problem) {
    count += more
    guard count <= Predicate.leavesMax else {
      throw Problem(400, "filters: more than \(Predicate.leavesMax) conditions and values")
    }
  }

  private func condition(
    _ dimension: CubeSchema.Dimension, _ word: String, _ values: [String]
  ) throws(Problem) -> Predicate {
    let path = dimension.path
    func each(_ make: (String) throws(Problem) -> Predicate) throws(Problem) -> Predicate {
      guard !values.isEmpty else { throw Problem(400, "filters: \(word) needs values") }
      return try .or(values.map { value throws(Problem) in try make(value) })
    }
    switch word {
    case "set": return .exists(path)
    case "notSet": return .not(.exists(path))
    case "equals": return try equals(values, dimension)
    // As in Cube, rows without a value count as not equal.
    case "notEquals": return .not(try equals(values, dimension))
    case "contains": return try each { .contains(path, needle: $0, ignoreCase: true) }
    case "notContains": return .not(try each { .contains(path, needle: $0, ignoreCase: true) })
    case "startsWith", "notStartsWith":
      let starts = try each { .regex(path, pattern: "^" + CubeQuery.escaped($0), ignoreCase: true) }
      return word.hasBytes(of: "startsWith") ? starts : .not(starts)
    case "endsWith", "notEndsWith":
      let ends = try each { .regex(path, pattern: CubeQuery.escaped($0) + "$", ignoreCase: true) }
      return word.hasBytes(of: "endsWith") ? ends : .not(ends)
    case "gt", "gte", "lt", "lte":
      let comparisons: [String: Comparison] = [
        "gt": .greater, "gte": .greaterOrEqual, "lt": .less, "lte": .lessOrEqual,
      ]
      guard let comparison = comparisons[word] else { bug("one of the four") }
      return try each { value throws(Problem) in
        dimension.type == .time
          ? try time(path, word, value) : try .compare(path, comparison, number(value))
      }
    case "inDateRange", "notInDateRange", "beforeDate", "beforeOrOnDate", "afterDate", "afterOrOnDate",
      "onTheDate":
      return try date(path, word, values)
    default: throw Problem(400, "filters: there is no such operator")
    }
  }

  /// A member of an object is of the type that it has in each row, and groups show all as text: a value is
  /// looked for as each type that it may be the text of.
  private func equals(_ values: [String], _ dimension: CubeSchema.Dimension) throws(Problem) -> Predicate {
    guard !values.isEmpty else { throw Problem(400, "filters: equals and notEquals need values") }
    if dimension.type == .time {
      return .or(try values.map { value throws(Problem) in try time(dimension.path, "equals", value) })
    }
    var literals: [Literal] = []
    for value in values {
      literals.append(try literal(value, dimension))
      guard dimension.type == .string, !dimension.path.members.isEmpty else { continue }
      if let flag = Bool(value) { literals.append(.bool(flag)) }
      if let number = Literal(number: value) { literals.append(number) }
    }
    return literals.count == 1
      ? .compare(dimension.path, .equal, literals[0]) : .isIn(dimension.path, literals)
  }

  private func literal(_ value: String, _ dimension: CubeSchema.Dimension) throws(Problem) -> Literal {
    switch dimension.type {
    case .string: return .string(value)
    case .number: return try number(value)
    case .time: bug("times are compared as ranges")
    }
  }

  private func number(_ value: String) throws(Problem) -> Literal {
    guard let number = Literal(number: value) else { throw Problem(400, "filters: a number") }
    return number
  }

  private static func escaped(_ text: String) -> String {
    text.escaped { "\\^$.|?*+()[]{}".unicodeScalars.contains($0) }
  }
}

extension CubeQuery {
  /// The units of the answer's times, without repeats, as they were asked for.
  var units: [CalendarDate.Unit] {
    times.compactMap(\.granularity).reduce(into: []) { units, unit in
      if !units.contains(unit) { units.append(unit) }
    }
  }

  /// The query of the engine, whose groups are sorted and cut by ``CubeAnswer``: those it needs, or all.
  func request(filter: Predicate) -> QueryRequest {
    let ranges = times.compactMap(\.range)
    let start = ranges.map(\.start).max()
    // What lies in all ranges, which may be nothing.
    let end = ranges.compactMap(\.end).min().map { max($0, start ?? $0) }
    let bucket =
      units.isEmpty
      ? nil : TimeBucket.local(LocalBucket(units, offsets: zone.during(start: start, end: end)))
    var functions = measures.enumerated().map { index, measure in
      Measure(measure.function, where: measure.filter, as: "m\(index)")
    }
    // Groups without a measure: their count is left out of the answer.
    if functions.isEmpty { functions = [Measure(.count, as: "m0")] }
    let cut = cut
    let query = AggregateQuery(
      groupBy: dimensions.map(\.path), bucket: bucket, measures: functions,
      orderBy: cut.measure.map { "m\($0)" })
    return QueryRequest(
      dataset: cube.dataset, predicate: .both(predicate, filter), answer: .aggregates(query), start: start,
      end: end, limit: cut.count, isDescending: cut.measure != nil)
  }
}
