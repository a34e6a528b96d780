import Codecs
import Querying
import Records
import Routing

/// The groups of a query, put in the order that was asked for and written as Cube's clients read them:
/// numbers are texts.
struct CubeAnswer {
  /// What rows of several results say of theirs.
  enum Label: Sendable {
    /// The compared range.
    case range(String)
    /// The first time again, by a name that all results share.
    case time
  }

  private enum Cell: Sendable {
    case null
    case text(String)
    /// What it is compared by, and its text.
    case number(DecimalNumber, String)
    /// Nanoseconds since 1970.
    case time(Int64)
    /// A second as the clock shows it.
    case local(Int)
  }

  private let query: CubeQuery
  private let units: [CalendarDate.Unit]
  /// Names with the cube's name, as cells come: times by unit, dimensions, measures.
  private let names: [String]
  private var rows: [[Cell]] = []

  init(_ query: CubeQuery) {
    self.query = query
    units = query.units
    let time = query.times.first?.name ?? ""
    var names = units.map { "\(time).\($0.rawValue)" }
    names += query.dimensions.map { "\(query.cube.name).\($0.name)" }
    names += query.measures.map { "\(query.cube.name).\($0.name)" }
    self.names = names
  }

  /// The name of the time without a unit, and the cell that stands for it: the one of the shortest unit.
  private var plainTime: (name: String, index: Int)? {
    guard let time = query.times.first else { return nil }
    return CalendarDate.Unit.allCases.lazy.compactMap { units.firstIndex(of: $0) }.first.map {
      (time.name, $0)
    }
  }

  mutating func add(_ batch: RecordBatch) {
    var columns: [[Cell]] = []
    if !units.isEmpty {
      let starts = batch.columns[0].withInt64 { span in span.indices.map { Int(span[$0]) } }
      columns = units.map { unit in starts.map { .local(unit.range(of: $0).lowerBound) } }
    }
    columns += zip(batch.fields, batch.columns).dropFirst(min(1, units.count))
      .prefix(names.count - units.count).map { CubeAnswer.cells($1, of: $0) }
    for row in 0..<batch.rowCount { rows.append(columns.map { $0[row] }) }
  }

  private static func cells(_ column: Column, of field: Field) -> [Cell] {
    let values: [Cell]
    switch field.type {
    case .int64:
      values = column.withInt64 { span in
        span.indices.map { .number(DecimalNumber(span[$0]), String(span[$0])) }
      }
    case .timestamp: values = column.withInt64 { span in span.indices.map { .time(span[$0]) } }
    case .float64:
      values = column.withFloat64 { span in
        span.indices.map { row in
          DecimalNumber(span[row]).map { .number($0, JSONNumber.format(span[row])) } ?? .null
        }
      }
    case .utf8, .bool, .uuid: values = texts(column).map { .text($0) }
    // Numbers that float64 cannot say.
    case .json: values = texts(column).map { text in DecimalNumber(text).map { .number($0, text) } ?? .null }
    }
    return values.indices.map { column.isValid($0) ? values[$0] : .null }
  }

  private static func texts(_ column: Column) -> [String] {
    column.plainText().withText { offsets, bytes in
      (0..<column.rowCount).map { row in
        String(decoding: (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }, as: UTF8.self)
      }
    }
  }

  /// By the order asked for; without one by time, else the largest first measure first, as Cube does.
  private mutating func sort() {
    var keys: [(index: Int, isDescending: Bool)] = query.order.compactMap { order in
      let index =
        names.firstIndex(of: order.name)
        ?? plainTime.flatMap { $0.name.hasBytes(of: order.name) ? $0.index : nil }
      return index.map { ($0, order.isDescending) }
    }
    if query.order.isEmpty {
      if let plainTime {
        keys = [(plainTime.index, false)]
      } else if let first = query.measures.isEmpty
        ? nil : names.indices.dropFirst(query.dimensions.count).first
      {
        keys = [(first, true)]
      }
    }
    guard !keys.isEmpty else { return }
    let sorted = rows.enumerated().sorted { left, right in
      for key in keys {
        let order = CubeAnswer.compare(left.element[key.index], right.element[key.index])
        if order != 0 { return key.isDescending ? order > 0 : order < 0 }
      }
      return left.offset < right.offset
    }
    rows = sorted.map(\.element)
  }

  /// Below, at or above 0; null comes first.
  private static func compare(_ left: Cell, _ right: Cell) -> Int {
    switch (left, right) {
    case (.null, .null): 0
    case (.null, _): -1
    case (_, .null): 1
    case (.number(let a, _), .number(let b, _)): a < b ? -1 : a > b ? 1 : 0
    case (.time(let a), .time(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.local(let a), .local(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.text(let a), .text(let b)):
      a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : a.hasBytes(of: b) ? 0 : 1
    default: 0
    }
  }

  /// Writes the result as an object: the query, its rows, what they are.
  ///
  /// - Parameters:
  ///   - now: Nanoseconds since 1970.
  ///   - label: What each row says besides.
  /// - Returns: How many rows there are.
  mutating func write(to text: inout JSONWriter, now: Int64, label: Label? = nil) -> Int {
    sort()
    let total = rows.count
    rows = Array(rows.dropFirst(query.offset).prefix(query.limit))
    text.beginObject()
    text.name("query")
    text.raw(Array(query.tree.text.utf8))
    text.name("data")
    text.beginArray()
    for row in rows { write(row, label, to: &text) }
    text.endArray()
    text.name("annotation")
    annotate(&text)
    text.member("lastRefreshTime", CalendarDate.text(of: now, in: UTCOffsets(always: 0)) + "Z")
    if query.tree["total"] == .bool(true) { text.member("total", total) }
    text.endObject()
    return rows.count
  }

  private func write(_ row: [Cell], _ label: Label?, to text: inout JSONWriter) {
    text.beginObject()
    for (index, cell) in row.enumerated() {
      text.name(text: names[index])
      write(cell, to: &text)
      if index + 1 == units.count, let plainTime {
        text.name(text: plainTime.name)
        write(row[plainTime.index], to: &text)
      }
    }
    switch label {
    case nil: break
    case .range(let range)?: text.member("compareDateRange", range)
    case .time?:
      text.name(text: "time.\(units[0].rawValue)")
      write(row[0], to: &text)
    }
    text.endObject()
  }

  private func write(_ cell: Cell, to text: inout JSONWriter) {
    switch cell {
    case .null: text.null()
    case .text(let value), .number(_, let value): text.value(value)
    case .time(let time): text.value(CalendarDate.text(of: time, in: query.zone))
    case .local(let second): text.value(CalendarDate.text(local: second))
    }
  }

  private func annotate(_ text: inout JSONWriter) {
    text.beginObject()
    text.name("measures")
    text.beginObject()
    for measure in query.measures { CubeAnswer.annotate(measure.name, measure.type, query.cube, &text) }
    text.endObject()
    text.name("dimensions")
    text.beginObject()
    for dimension in query.dimensions {
      CubeAnswer.annotate(dimension.name, dimension.type, query.cube, &text)
    }
    text.endObject()
    text.name("segments")
    text.beginObject()
    text.endObject()
    text.name("timeDimensions")
    text.beginObject()
    if let plainTime {
      let name = String(plainTime.name.dropFirst(query.cube.name.count + 1))
      for unit in units { CubeAnswer.annotate(name + "." + unit.rawValue, .time, query.cube, &text) }
      CubeAnswer.annotate(name, .time, query.cube, &text)
    }
    text.endObject()
    text.endObject()
  }

  static func annotate(
    _ name: String, _ type: CubeSchema.MemberType, _ cube: CubeSchema, _ text: inout JSONWriter
  ) {
    text.name(text: "\(cube.name).\(name)")
    text.beginObject()
    text.member("title", "\(cube.title) \(CubeAnswer.title(name))")
    text.member("shortTitle", CubeAnswer.title(name))
    text.member("type", type.rawValue)
    text.endObject()
  }

  static func title(_ name: String) -> String {
    name.split(whereSeparator: { $0 == "_" || $0 == "." }).map { $0.prefix(1).uppercased() + $0.dropFirst() }
      .joined(separator: " ")
  }
}
