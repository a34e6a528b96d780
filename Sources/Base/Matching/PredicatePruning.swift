import Records

/// A condition every matching row fulfils; it may let others pass.
package enum RequiredCondition: Sendable {
  /// The value equals one of these literals (on columns: converted to the column's type).
  case equalsAny(ColumnPath, [Literal])
  /// The value is not null and between the bounds, both included; nil: open.
  case range(ColumnPath, lower: Literal?, upper: Literal?)
  /// The text (on a whole object: a string value at some depth) is matched.
  case text(ColumnPath, TextAutomaton)
  /// The value is not null.
  case exists(ColumnPath)
}

/// What is known about a column's values over some rows.
package struct ColumnStatistics: Sendable {
  /// Bounds of the values that are not null, both included; they need not be attained.
  package enum Bounds: Sendable {
    /// int64 and timestamp.
    case int64(min: Int64, max: Int64)
    case float64(min: Double, max: Double)
    /// utf8 and uuid, by bytes.
    case bytes(min: [UInt8], max: [UInt8])
  }

  /// nil: nothing known.
  package var bounds: Bounds?
  /// nil: not known.
  package var nullCount: Int?
  /// Rows that the statistics are over, nulls counted.
  package var rowCount: Int

  /// What is known of a column's part.
  package init(bounds: Bounds?, nullCount: Int?, rowCount: Int) {
    self.bounds = bounds
    self.nullCount = nullCount
    self.rowCount = rowCount
  }
}

extension CompiledPredicate {
  /// The leaves of the top-level conjunction, for pruning.
  package var requiredConditions: [RequiredCondition] {
    switch root {
    case .and(let parts): parts.compactMap(CompiledPredicate.condition)
    default: [root].compactMap(CompiledPredicate.condition)
    }
  }

  /// Whether no row at all can match.
  package var isNever: Bool { if case .none = root { true } else { false } }
  /// Whether every row matches.
  package var isAlways: Bool { if case .all = root { true } else { false } }

  /// Ids one of which every matching row has, 16 bytes each; nil: the predicate does not ask for certain ids.
  package var requiredIDs: [[UInt8]]? {
    for case .equalsAny(let path, let literals) in requiredConditions where path == ColumnPath("id") {
      return literals.compactMap { if case .uuid(let id) = $0, id.count == 16 { id } else { nil } }
    }
    return nil
  }

  private static func condition(_ node: PredicateNode) -> RequiredCondition? {
    switch node {
    case .all, .none, .and, .not: return nil
    case .or(let parts):
      // Equalities on one path join.
      var path: ColumnPath?
      var literals: [Literal] = []
      for part in parts {
        guard case .equalsAny(let other, let more) = condition(part), path == nil || path == other else {
          return nil
        }
        path = other
        literals += more
      }
      return path.map { .equalsAny($0, literals) }
    case .leaf(let leaf): return condition(leaf)
    }
  }

  static func condition(_ leaf: PredicateLeaf) -> RequiredCondition {
    switch leaf.test {
    case .exists: return .exists(leaf.path)
    case .text(let automaton): return .text(leaf.path, automaton)
    case .values(let test):
      if let equals = test.equals { return .equalsAny(leaf.path, equals) }
      if test.lower == nil && test.upper == nil { return .exists(leaf.path) }
      return .range(leaf.path, lower: test.lower, upper: test.upper)
    }
  }

  // MARK: Bounds

  /// Nanoseconds since 1970 that every matching row's `timestamp` lies in; nil: no row can match.
  package var timeRange: ClosedRange<Int64>? { bounds(of: "timestamp") }

  /// Values of an int64 or timestamp column that every matching row lies in; nil: no row can match.
  package func bounds(of column: String) -> ClosedRange<Int64>? {
    CompiledPredicate.bounds(of: column, root)
  }

  private static func bounds(of column: String, _ node: PredicateNode) -> ClosedRange<Int64>? {
    let everything = Int64.min...Int64.max
    switch node {
    case .all, .not: return everything
    case .none: return nil
    case .and(let parts):
      var low = Int64.min
      var high = Int64.max
      for part in parts {
        guard let range = bounds(of: column, part) else { return nil }
        low = max(low, range.lowerBound)
        high = min(high, range.upperBound)
      }
      return low <= high ? low...high : nil
    case .or(let parts):
      let ranges = parts.compactMap { bounds(of: column, $0) }
      guard let first = ranges.first else { return nil }
      return ranges.reduce(first) { hull, range in
        min(hull.lowerBound, range.lowerBound)...max(hull.upperBound, range.upperBound)
      }
    case .leaf(let leaf):
      guard leaf.path == ColumnPath(column), leaf.type == .int64 || leaf.type == .timestamp,
        case .values(let test) = leaf.test, let numbers = test.numbers
      else { return everything }
      guard let first = numbers.integers.first, let last = numbers.integers.last else { return nil }
      return first.lowerBound...last.upperBound
    }
  }
}

extension PredicateLeaf {
  /// What statistics of its column prove of all rows they cover. Of an object only nulls tell anything: its
  /// values may be in columns of their own.
  func verdict(_ statistics: ColumnStatistics) -> Verdict {
    guard path.members.isEmpty else { return .maybe }
    if let nulls = statistics.nullCount, nulls >= statistics.rowCount { return .no }
    let proved = test.verdict(type == .json ? nil : statistics.bounds)
    return proved == .yes && statistics.nullCount != 0 ? .maybe : proved
  }
}

extension PredicateTest {
  /// What bounds prove of all values that are not null.
  func verdict(_ bounds: ColumnStatistics.Bounds?) -> Verdict {
    switch (self, bounds) {
    case (.exists, _): return .yes
    case (_, nil): return .maybe
    case (.values(let test), .int64(let low, let high)):
      return test.numbers.map { PredicateTest.verdict($0.integers, low, high) } ?? .no
    case (.values(let test), .float64(let low, let high)):
      guard !low.isNaN, !high.isNaN else { return .maybe }
      let verdict = test.numbers.map { PredicateTest.verdict($0.doubles, low, high) } ?? .no
      // Bounds leave NaN out, which passes nothing.
      return verdict == .yes ? .maybe : verdict
    case (.values(let test), .bytes(let low, let high)):
      return (test.text ?? test.uuids)?.verdict(low, high) ?? .no
    case (.text(let automaton), .bytes(let low, let high)): return automaton.verdict(low, high)
    case (.text, _): return .maybe
    }
  }

  private static func verdict<T: Comparable>(_ ranges: [ClosedRange<T>], _ low: T, _ high: T) -> Verdict {
    guard low <= high else { return .maybe }
    if ranges.contains(where: { $0.lowerBound <= low && high <= $0.upperBound }) { return .yes }
    return ranges.contains { $0.overlaps(low...high) } ? .maybe : .no
  }
}

extension TextTest {
  /// What bounds prove of all values.
  func verdict(_ low: [UInt8], _ high: [UInt8]) -> Verdict {
    func isBefore(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.lexicographicallyPrecedes(b) }
    switch self {
    case .oneOf(let choices):
      let inside = choices.filter { !isBefore($0, low) && !isBefore(high, $0) }
      return inside.isEmpty ? .no : low == high ? .yes : .maybe
    case .compare(let comparison, let wanted):
      switch comparison {
      case .equal, .notEqual:
        let isOutside = isBefore(wanted, low) || isBefore(high, wanted)
        let isOnly = low == high && low == wanted
        if isOutside { return comparison == .equal ? .no : .yes }
        return isOnly ? (comparison == .equal ? .yes : .no) : .maybe
      case .less: return isBefore(high, wanted) ? .yes : isBefore(low, wanted) ? .maybe : .no
      case .lessOrEqual: return !isBefore(wanted, high) ? .yes : isBefore(wanted, low) ? .no : .maybe
      case .greater: return isBefore(wanted, low) ? .yes : isBefore(wanted, high) ? .maybe : .no
      case .greaterOrEqual: return !isBefore(low, wanted) ? .yes : isBefore(high, wanted) ? .no : .maybe
      }
    }
  }
}

extension TextAutomaton {
  /// What bounds prove of all texts: a lot for prefixes, and all for one value.
  func verdict(_ low: [UInt8], _ high: [UInt8]) -> Verdict {
    if low == high { return matches(low.span) ? .yes : .no }
    guard case .prefix(let text) = pattern else { return .maybe }
    let prefix = Array(text.utf8)
    if low.starts(with: prefix) && high.starts(with: prefix) { return .yes }
    let isAfter = high.lexicographicallyPrecedes(prefix)
    let isBefore = prefix.lexicographicallyPrecedes(low) && !low.starts(with: prefix)
    return isAfter || isBefore ? .no : .maybe
  }
}
