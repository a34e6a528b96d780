import Records

/// Batches of random records, as decoders give them: the declared columns of a dataset.
package enum RandomBatches {
  /// `rowCount` records of `dataset`. Values are few, so that they collide; texts have one to four bytes a
  /// character; nullable columns are absent in a quarter of the batches and lack a third of the values in
  /// another quarter.
  package static func batch(
    of dataset: Dataset, rowCount: Int, using generator: inout SeededGenerator,
    timestamps: ClosedRange<Int64> = 1_780_000_000_000_000_000...1_780_000_600_000_000_000
  ) -> RecordBatch {
    let fields = dataset.schema.declaredFields
    let columns = fields.map {
      column(of: $0, rowCount: rowCount, using: &generator, timestamps: timestamps)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rowCount)
  }

  private static func column(
    of field: Field, rowCount: Int, using generator: inout SeededGenerator, timestamps: ClosedRange<Int64>
  ) -> Column {
    if field.type == .timestamp {
      return Column(timestamps: (0..<rowCount).map { _ in Int64.random(in: timestamps, using: &generator) })
    }
    let style = Int.random(in: 0..<4, using: &generator)
    if field.isNullable && style == 0 { return .nulls(type: field.type, rowCount: rowCount) }
    let isNull = (0..<rowCount).map { _ in
      field.isNullable && style == 1 && generator.chance(oneIn: 3)
    }
    switch field.type {
    case .utf8, .json:
      var builder = TextBuilder()
      for row in 0..<rowCount {
        if isNull[row] {
          builder.appendNull()
        } else {
          builder.appendRow(text(of: field.type, using: &generator))
        }
      }
      return builder.finish(type: field.type)
    case .bool:
      var builder = BoolBuilder()
      for row in 0..<rowCount {
        if isNull[row] { builder.appendNull() } else { builder.append(Bool.random(using: &generator)) }
      }
      return builder.finish()
    case .float64:
      var builder = FixedBuilder<Double>()
      for row in 0..<rowCount {
        let value = Double(Int.random(in: -1000...1000, using: &generator)) / 8
        if isNull[row] { builder.appendNull(placeholder: 0) } else { builder.append(value) }
      }
      return builder.finish(type: .float64)
    case .int64, .timestamp:
      var builder = FixedBuilder<Int64>()
      for row in 0..<rowCount {
        let value = Int64.random(in: -5...5, using: &generator)
        if isNull[row] { builder.appendNull(placeholder: 0) } else { builder.append(value) }
      }
      return builder.finish(type: field.type)
    case .uuid:
      return Column.nulls(type: .uuid, rowCount: rowCount)
    }
  }

  private static let vocabulary = [
    "", "a", "error", "timeout", "größer", "日志", "🪵", "request 4711", "user=alice",
    "quantum flux capacitor misaligned",
  ]

  private static func text(of type: ColumnType, using generator: inout SeededGenerator) -> String {
    let count = Int.random(in: 0...3, using: &generator)
    let words = (0..<count).map { _ in
      vocabulary[Int.random(in: 0..<vocabulary.count, using: &generator)]
    }
    if type == .utf8 { return words.joined(separator: " ") }
    let members = words.enumerated().map { "\"k\($0.offset)\":\"\($0.element)\"" }
    return "{" + members.joined(separator: ",") + "}"
  }

  /// Each row as one text of all its columns, for comparing batches: `name=value` joined by `|`, nulls left
  /// out.
  package static func rowTexts(_ batch: RecordBatch) -> [String] {
    var rows = [String](repeating: "", count: batch.rowCount)
    for (field, column) in zip(batch.fields, batch.columns) {
      for row in 0..<batch.rowCount where column.isValid(row) {
        rows[row] += "|\(field.name)=\(value(column, row))"
      }
    }
    return rows
  }

  private static func value(_ column: Column, _ row: Int) -> String {
    switch column.type {
    case .int64, .timestamp: return column.withInt64 { "\($0[row])" }
    case .float64: return column.withFloat64 { "\($0[row])" }
    case .bool: return column.withBits { "\($0[row >> 3] >> UInt8(row & 7) & 1)" }
    case .uuid:
      return column.withUUIDs { span in (0..<16).map { "\(span[row * 16 + $0])" }.joined(separator: ".") }
    case .utf8, .json:
      if case .dictionary = column.storage {
        return column.withDictionary { keys, offsets, bytes in
          string(bytes, Int(offsets[Int(keys[row])])..<Int(offsets[Int(keys[row]) + 1]))
        }
      }
      return column.withText { offsets, bytes in string(bytes, Int(offsets[row])..<Int(offsets[row + 1])) }
    }
  }

  private static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    String(decoding: range.map { bytes[$0] }, as: UTF8.self)
  }
}
