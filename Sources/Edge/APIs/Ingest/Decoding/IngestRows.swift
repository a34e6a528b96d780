import Records

/// One entry, masked: its time and its texts in the order of ``IngestRows/names``.
struct IngestRow {
  var time: Int64 = 0
  var texts = [String?](repeating: nil, count: IngestRows.names.count)
}

/// Entries read as trees, on their way into columns.
struct IngestRows {
  /// The declared columns of the dataset `logs` behind the time.
  static let names = Dataset.logs.schema.declaredFields.dropFirst().map(\.name)

  private var rows: [IngestRow] = []

  mutating func append(_ row: IngestRow) { rows.append(row) }

  func finish() -> RecordBatch {
    let fields = Dataset.logs.schema.declaredFields
    var columns = [Column(timestamps: rows.map(\.time))]
    for (index, field) in fields.dropFirst().enumerated() {
      var builder = TextBuilder(capacity: rows.count)
      for row in rows {
        if let text = row.texts[index] { builder.appendRow(text) } else { builder.appendNull() }
      }
      columns.append(builder.finish(type: field.type))
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
  }
}
