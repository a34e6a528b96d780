import Codecs
import Records
import TestKit

/// Makes random rows of a dataset, full of what is hard to keep: odd member names and values, equal times,
/// nulls.
struct RowMaker {
  var generator: SeededGenerator
  let dataset: Dataset
  var position: Int64 = 0
  /// Around which timestamps lie.
  var time: Int64 = 1_780_000_000_000_000_000
  /// How far apart rows are, at most; in ns.
  var step: Int64 = 3_000_000_000
  /// Whether times rise with positions, as when one client sends a file.
  var isSorted = false

  static let names = [
    "a", "A", "b.c", "x:y", "", "%", "p%41", "é", "q\"uote", "tab\t", "host", "status", "Status", "nested",
    "field.member:int64", "d", "e", "f",
  ]
  static let values = [
    "1", "1.0", "-0", "-0.0", "9007199254740993", "1e400", "12345678901234567890", "0.1", "1.5", "1.50",
    "2e3",
    "-7", "0", "0.0", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "\"\"", "\"x\"",
    "\"two words\"", "\"q\\\"uote\\n\\\\\"", "\"1\"", "\"ERROR\"", "\"unicode é ☃\"", "null", "true", "false",
    "[]",
    "[1,\"in array\",null]", "{}", "{\"deep\":{\"er\":\"found me 42\"}}", "0.30000000000000004", "1e-7",
    "123456789012345678",
  ]
  static let words = ["disk", "quantum", "flux", "capacitor", "misaligned", "GET", "timeout", "user", "ok"]
  static let levels: [String?] = ["INFO", "ERROR", "WARN", "DEBUG", nil]

  init(seed: UInt64, dataset: Dataset = .logs) {
    generator = SeededGenerator(seed: seed)
    self.dataset = dataset
  }

  private mutating func pick<T>(_ choices: [T]) -> T {
    choices[Int.random(in: 0..<choices.count, using: &generator)]
  }

  mutating func object() -> String? {
    if generator.chance(oneIn: 8) { return nil }
    var writer = JSONWriter()
    writer.append(raw: "{")
    var count = 0
    for name in RowMaker.names.shuffled(using: &generator) where generator.chance(oneIn: 3) {
      if count > 0 { writer.append(raw: ",") }
      writer.appendString(name)
      writer.append(raw: ":")
      // Mostly one type a name, so that columns are filled.
      let values =
        generator.chance(oneIn: 3)
        ? RowMaker.values : name == "host" ? ["\"h1\"", "\"h2\"", "\"host 3\""] : ["1", "200", "-5"]
      writer.append(raw: pick(values))
      count += 1
    }
    if generator.chance(oneIn: 5) {
      if count > 0 { writer.append(raw: ",") }
      writer.appendString("rare\(Int.random(in: 0..<1000, using: &generator))")
      writer.append(raw: ":")
      writer.append(raw: pick(RowMaker.values))
    }
    writer.append(raw: "}")
    return String(decoding: writer.takeBytes(), as: UTF8.self)
  }

  mutating func message() -> String {
    if generator.chance(oneIn: 40) { return "" }
    var parts: [String] = []
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      parts.append(
        generator.chance(oneIn: 3)
          ? "\(Int.random(in: 0..<5000, using: &generator))" : pick(RowMaker.words))
    }
    return parts.joined(separator: generator.chance(oneIn: 4) ? "-" : " ")
  }

  private mutating func text(of name: String) -> String? {
    switch name {
    case "level", "severity", "status": return pick(RowMaker.levels)
    case "message", "query": return message()
    case "trace_id":
      return generator.chance(oneIn: 5)
        ? nil : Hex.text((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
    case "container", "session", "service", "user_id", "action":
      return pick(["alpha", "Beta", "b", "ba", "gamma", "é", ""])
    default: return generator.chance(oneIn: 3) ? nil : pick(["one", "two", "three", "four"])
    }
  }

  /// Rows as the journal gives them: times in no order, positions rising.
  mutating func batch(rowCount: Int) -> RecordBatch {
    let schema = dataset.schema
    var columns: [Column] = []
    let ingestedAt = time / 1_000_000 * 1_000_000
    for field in schema.fields {
      columns.append(column(field, rowCount: rowCount, ingestedAt: ingestedAt))
    }
    position += Int64(rowCount) + (generator.chance(oneIn: 3) ? 5 : 0)
    time += step * Int64(rowCount) / 2
    return RecordBatch(fields: schema.fields, columns: columns, rowCount: rowCount)
  }

  private mutating func column(_ field: Field, rowCount: Int, ingestedAt: Int64) -> Column {
    switch field.name {
    case "position": return Column(int64: (0..<Int64(rowCount)).map { position + $0 })
    case "timestamp":
      var times: [Int64] = []
      for _ in 0..<rowCount {
        let spread = Int64.random(in: -step * 4...step * 4, using: &generator)
        times.append((time + spread) / 500_000_000 * 500_000_000)
      }
      return Column(timestamps: isSorted ? (0..<Int64(rowCount)).map { time + $0 * (step / 2) } : times)
    case "ingested_at": return Column(timestamps: [Int64](repeating: ingestedAt, count: rowCount))
    case "id":
      let first = UUIDv7.make(
        milliseconds: ingestedAt / 1_000_000, random: (generator.next(), generator.next()))
      return UUIDv7.column(first: first, count: rowCount)
    default: break
    }
    if field.type == .float64 {
      var builder = FixedBuilder<Double>()
      for _ in 0..<rowCount {
        if generator.chance(oneIn: 4) {
          builder.appendNull(placeholder: 0)
        } else {
          builder.append(Double(Int.random(in: 0..<100, using: &generator)) / 4)
        }
      }
      return builder.finish(type: .float64)
    }
    var builder = TextBuilder()
    for _ in 0..<rowCount {
      let text = field.type == .json ? object() : text(of: field.name)
      if let text = text ?? (field.isNullable ? nil : "x") {
        builder.appendRow(text)
      } else {
        builder.appendNull()
      }
    }
    return builder.finish(type: field.type)
  }

  mutating func batches(_ counts: [Int]) -> [RecordBatch] { counts.map { batch(rowCount: $0) } }
}

/// A row as values that compare as what was sent: objects as JSON, whatever the order of their members.
struct PlainRow: Hashable, CustomStringConvertible {
  var values: [String?]

  var description: String { values.map { $0 ?? "null" }.joined(separator: " | ") }

  /// The rows of a batch.
  static func rows(of batch: RecordBatch) -> [PlainRow] {
    let columns = batch.columns.map { column in (0..<batch.rowCount).map { value(of: column.plainText(), $0) }
    }
    return (0..<batch.rowCount).map { row in PlainRow(values: columns.map { $0[row] }) }
  }

  static func value(of column: Column, _ row: Int) -> String? {
    guard column.isValid(row) else { return nil }
    switch column.type {
    case .int64, .timestamp: return column.withInt64 { "\($0[row])" }
    case .float64: return column.withFloat64 { "\($0[row])" }
    case .bool: return column.withBits { $0[row >> 3] & (1 << UInt8(row & 7)) != 0 ? "true" : "false" }
    case .uuid: return column.withUUIDs { ids in (row * 16..<row * 16 + 16).map { "\(ids[$0])," }.joined() }
    case .utf8: return text(column, row)
    case .json: return normalized(text(column, row))
    }
  }

  private static func text(_ column: Column, _ row: Int) -> String {
    column.withText { offsets, bytes in
      String(decoding: (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }, as: UTF8.self)
    }
  }

  static func normalized(_ json: String) -> String {
    guard let tree = try? JSONTree(parsing: Array(json.utf8)) else { return "BROKEN " + json }
    return sorted(tree).text
  }

  private static func sorted(_ tree: JSONTree) -> JSONTree {
    switch tree {
    case .object(let members):
      .object(
        members.map { JSONTree.Member($0.name, sorted($0.value)) }
          .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
    case .array(let elements): .array(elements.map(sorted))
    case .null, .bool, .int64, .float64, .number, .string: tree
    }
  }
}
