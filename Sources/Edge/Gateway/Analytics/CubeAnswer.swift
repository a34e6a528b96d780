import Codecs
import NIOHTTP1
import Querying
import Records

/// The groups of a query, put in the order that was asked for and written as Cube's clients read them: numbers are texts.
struct CubeAnswer {
  private enum Cell: Sendable {
    case null
    case text(String)
    case number(Double, String)
    case time(Int64)
  }

  private let query: CubeQuery
  /// Names with the cube's name, as columns come: bucket, dimensions, measures.
  private let names: [String]
  private var rows: [[Cell]] = []

  init(_ query: CubeQuery) {
    self.query = query
    var names: [String] = []
    if let time = query.time, time.granularity != nil { names.append(time.name) }
    names += query.dimensions.map { "\(query.cube.name).\($0.name)" }
    names += query.measures.map { "\(query.cube.name).\($0.name)" }
    self.names = names
  }

  mutating func add(_ batch: RecordBatch) {
    let columns = zip(batch.fields, batch.columns).prefix(names.count).map { CubeAnswer.cells($1, of: $0) }
    for row in 0..<batch.rowCount { rows.append(columns.map { $0[row] }) }
  }

  private static func cells(_ column: Column, of field: Field) -> [Cell] {
    let values: [Cell]
    switch field.type {
    case .int64:
      values = column.withInt64 { span in span.indices.map { .number(Double(span[$0]), String(span[$0])) } }
    case .timestamp: values = column.withInt64 { span in span.indices.map { .time(span[$0]) } }
    case .float64:
      values = column.withFloat64 { span in
        span.indices.map { .number(span[$0], JSONNumber.format(span[$0])) }
      }
    case .utf8, .json, .bool, .uuid:
      values = column.plainText().withText { offsets, bytes in
        (0..<column.rowCount).map { row in
          .text(
            String(decoding: (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }, as: UTF8.self))
        }
      }
    }
    return values.indices.map { column.isValid($0) ? values[$0] : .null }
  }

  /// By the order asked for; without one by time, else the largest first measure first, as Cube does.
  private mutating func sort() {
    var keys: [(index: Int, isDescending: Bool)] = query.order.compactMap { order in
      names.firstIndex(of: order.name).map { ($0, order.isDescending) }
    }
    if query.order.isEmpty {
      if query.time?.granularity != nil {
        keys = [(0, false)]
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
    case (.text(let a), .text(let b)):
      a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : a == b ? 0 : 1
    default: 0
    }
  }

  /// The whole answer.
  mutating func finish(now: Int64) -> HTTPAnswer {
    sort()
    let total = rows.count
    rows = Array(rows.dropFirst(query.offset).prefix(query.limit))
    var text = JSONText()
    text.beginObject()
    text.name("query")
    text.raw(Array(query.tree.text.utf8))
    text.name("data")
    text.beginArray()
    for row in rows { write(row, to: &text) }
    text.endArray()
    text.name("annotation")
    annotate(&text)
    text.name("lastRefreshTime")
    text.raw(CubeAnswer.time(now, zone: "Z"))
    if query.tree["total"] == .bool(true) { text.member("total", total) }
    text.endObject()
    return .json(.ok, text)
  }

  private func write(_ row: [Cell], to text: inout JSONText) {
    text.beginObject()
    for (index, cell) in row.enumerated() {
      if index == 0, let time = query.time, let unit = time.granularity {
        text.name(text: "\(time.name).\(unit.rawValue)")
        write(cell, to: &text)
      }
      text.name(text: names[index])
      write(cell, to: &text)
    }
    text.endObject()
  }

  private func write(_ cell: Cell, to text: inout JSONText) {
    switch cell {
    case .null: text.null()
    case .text(let value), .number(_, let value): text.value(value)
    case .time(let time):
      text.raw(CubeAnswer.time(time.plus(Int64(query.utcOffsetSeconds) * 1_000_000_000), zone: ""))
    }
  }

  /// `"2025-06-26T00:00:00.000"`.
  private static func time(_ nanoseconds: Int64, zone: String) -> [UInt8] {
    let below = (nanoseconds % 1_000_000_000 + 1_000_000_000) % 1_000_000_000
    let digits = String(below / 1_000_000 + 1000).dropFirst()
    // Up to the second: `2025-06-26T00:00:00`.
    return Array("\"\(RFC3339.string(nanoseconds).prefix(19)).\(digits)\(zone)\"".utf8)
  }

  private func annotate(_ text: inout JSONText) {
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
    if let time = query.time, let unit = time.granularity {
      let name = String(time.name.dropFirst(query.cube.name.count + 1))
      CubeAnswer.annotate(name + "." + unit.rawValue, .time, query.cube, &text)
      CubeAnswer.annotate(name, .time, query.cube, &text)
    }
    text.endObject()
    text.endObject()
  }

  static func annotate(
    _ name: String, _ type: CubeSchema.MemberType, _ cube: CubeSchema, _ text: inout JSONText
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
