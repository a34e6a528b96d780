import Records

extension Column {
  /// A cell as text: `null`, or the value; times as integers.
  package func cell(_ row: Int) -> String {
    guard isValid(row) else { return "null" }
    switch type {
    case .utf8, .json:
      return withText { offsets, bytes in
        let range = Int(offsets[row])..<Int(offsets[row + 1])
        return String(decoding: range.map { bytes[$0] }, as: UTF8.self)
      }
    case .int64, .timestamp: return withInt64 { "\($0[row])" }
    case .float64: return withFloat64 { "\($0[row])" }
    case .bool: return withBits { $0[row >> 3] >> UInt8(row & 7) & 1 == 1 ? "true" : "false" }
    case .uuid: return "uuid"
    }
  }
}

extension RecordBatch {
  /// A row by the names of its columns, nulls left out.
  package func cells(_ row: Int) -> [String: String] {
    var cells: [String: String] = [:]
    for (field, column) in zip(fields, columns) where column.isValid(row) {
      cells[field.name] = column.cell(row)
    }
    return cells
  }

  /// All rows, as ``cells(_:)``.
  package var cells: [[String: String]] { (0..<rowCount).map { cells($0) } }
}
