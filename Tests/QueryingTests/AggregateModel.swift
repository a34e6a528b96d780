import Codecs
import Records

@testable import Querying

/// A value of an answer.
enum Cell: Hashable {
  case null
  case int(Int64)
  case number(Double)
  case text(String)

  /// Whether they are the same but for the last bits of a sum.
  func isNear(_ other: Cell) -> Bool {
    guard case .number(let a) = self, case .number(let b) = other else { return self == other }
    return a == b || abs(a - b) <= 1e-12 * max(abs(a), abs(b))
  }

  /// In the order of answers.
  static func precedes(_ left: Cell, _ right: Cell) -> Bool {
    switch (left, right) {
    case (.int(let a), .int(let b)): a < b
    case (.number(let a), .number(let b)): a < b
    case (.text(let a), .text(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
    default: false
    }
  }

  /// The rows of a batch.
  static func rows(_ batch: RecordBatch) -> [[Cell]] {
    var rows = [[Cell]](repeating: [], count: batch.rowCount)
    for column in batch.columns {
      for row in rows.indices {
        guard column.isValid(row) else {
          rows[row].append(.null)
          continue
        }
        switch column.type {
        case .int64, .timestamp: rows[row].append(.int(column.withInt64 { $0[row] }))
        case .float64: rows[row].append(.number(column.withFloat64 { $0[row] }))
        default:
          let text = column.withText { offsets, bytes in
            (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }
          }
          rows[row].append(.text(String(decoding: text, as: UTF8.self)))
        }
      }
    }
    return rows
  }
}

/// Aggregates the slow and plain way: a list of rows a group.
struct AggregateModel {
  let rows: [MemorySource.Row]

  /// What a column or member of a row holds.
  static func value(_ path: ColumnPath, _ row: MemorySource.Row) -> Cell {
    switch path.column {
    case "position": return .int(row.position)
    case "timestamp": return .int(row.timestamp)
    case "level": return row.level.map { .text($0) } ?? .null
    case "service": return row.service.map { .text($0) } ?? .null
    case "message": return .text(row.message)
    default:
      guard let text = row.metadata, var tree = try? JSONTree(parsing: Array(text.utf8)) else { return .null }
      for member in path.members { tree = tree[member] ?? .null }
      switch tree {
      case .int64(let value): return .number(Double(value))
      case .float64(let value): return .number(value)
      case .string(let text): return .text(text)
      case .bool(let value): return .text(value ? "true" : "false")
      case .null, .array, .object, .number: return .null
      }
    }
  }

  /// A group's text of a column.
  private static func key(_ path: ColumnPath, _ row: MemorySource.Row) -> Cell {
    if case .number(let value) = value(path, row) {
      return .text(value == value.rounded() ? "\(Int(value))" : "\(value)")
    }
    return value(path, row)
  }

  /// Buckets by the calendar, from dates as text. Of local ones their part in which the clock is not set.
  static func bucketStart(_ bucket: TimeBucket, _ time: Int64) -> Int64 {
    switch bucket {
    case .fixed(let width):
      return Int64((Double(time) / Double(width)).rounded(.down)) * width
    case .local(let bucket) where bucket.isKnownByStart:
      let (unit, shift) = (bucket.units[0], Int64(bucket.offsets.only ?? 0) * 1_000_000_000)
      let date = RFC3339.string(time + shift)
      let (year, month) = (date.prefix(4), Int(date.dropFirst(5).prefix(2)) ?? 0)
      func start(_ text: String) -> Int64 { (RFC3339.parse(text + "T00:00:00Z") ?? 0) - shift }
      func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
      switch unit {
      case .day: return start(String(date.prefix(10)))
      case .week:
        let day: Int64 = 86_400_000_000_000
        // A Monday.
        guard let monday = RFC3339.parse("2026-11-16T00:00:00Z") else { return 0 }
        var found = start(String(date.prefix(10)))
        while (found + shift - monday) % (7 * day) != 0 { found -= day }
        return found
      case .month: return start("\(year)-\(padded(month))-01")
      case .quarter: return start("\(year)-\(padded((month - 1) / 3 * 3 + 1))-01")
      case .year: return start("\(year)-01-01")
      case .second, .minute, .hour: preconditionFailure("no unit of the calendar")
      }
    case .local(let bucket): return bucket.place(of: time).range.lowerBound
    }
  }

  private func measure(
    _ measure: Measure, _ rows: [MemorySource.Row], passes: (Predicate, MemorySource.Row) -> Bool
  ) -> Cell {
    let rows = rows.filter { passes(measure.filter, $0) }
    let function = measure.function
    guard let path = function.path else { return .int(Int64(rows.count)) }
    let all = rows.map { AggregateModel.value(path, $0) }.filter { $0 != .null }
    let integers = all.compactMap { if case .int(let value) = $0 { value } else { nil } }
    let numbers = all.compactMap { cell -> Double? in
      switch cell {
      case .int(let value): Double(value)
      case .number(let value): value
      case .null, .text: nil
      }
    }
    // Of members, numbers alone have extremes.
    let comparable = path.members.isEmpty ? all : numbers.map { .number($0) }
    switch function {
    case .count: return .null
    case .countValues: return .int(Int64(all.count))
    case .countDistinct: return .int(Int64(Set(all).count))
    case .sum where !integers.isEmpty: return .int(integers.reduce(0, +))
    case .sum: return numbers.isEmpty ? .null : .number(numbers.reduce(0, +))
    case .avg: return numbers.isEmpty ? .null : .number(numbers.reduce(0, +) / Double(numbers.count))
    case .min: return comparable.min(by: Cell.precedes) ?? .null
    case .max: return comparable.max(by: Cell.precedes) ?? .null
    case .quantile(_, let share):
      let sorted = numbers.sorted()
      return sorted.enumerated().first { Double($0.offset + 1) >= share * Double(sorted.count) - 1e-9 }
        .map { .number($0.element) } ?? .null
    }
  }

  /// The rows of the answer.
  func answer(
    _ query: AggregateQuery, where predicate: Predicate, limit: Int, isDescending: Bool,
    passes: (Predicate, MemorySource.Row) -> Bool
  ) -> [[Cell]] {
    var groups: [[Cell]: [MemorySource.Row]] = [:]
    if query.groupBy.isEmpty, query.bucket == nil { groups[[]] = [] }
    for row in rows where passes(predicate, row) {
      let bucket = query.bucket.map { [Cell.int(AggregateModel.bucketStart($0, row.timestamp))] } ?? []
      groups[bucket + query.groupBy.map { AggregateModel.key($0, row) }, default: []].append(row)
    }
    func precedes(_ left: [Cell], _ right: [Cell]) -> Bool {
      for (a, b) in zip(left, right) where a != b { return a == .null || Cell.precedes(a, b) }
      return false
    }
    let keyCount = query.groupBy.count + (query.bucket == nil ? 0 : 1)
    let answers = groups.map { key, rows in
      key + query.measures.map { self.measure($0, rows, passes: passes) }
    }
    let ordering = query.measures.firstIndex { $0.name == query.orderBy }.map { keyCount + $0 }
    let sorted = answers.sorted { left, right in
      let (first, second) = (Array(left.prefix(keyCount)), Array(right.prefix(keyCount)))
      guard let ordering else { return isDescending ? precedes(second, first) : precedes(first, second) }
      if left[ordering] == right[ordering] { return precedes(first, second) }
      if left[ordering] == .null || right[ordering] == .null { return right[ordering] == .null }
      return Cell.precedes(left[ordering], right[ordering]) != isDescending
    }
    return Array(sorted.dropFirst(query.offset).prefix(limit))
  }
}
