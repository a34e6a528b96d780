import Records

/// A value of a row that was read otherwise than by a scan.
package enum ScanCell: Sendable, Hashable {
  /// For columns that are nullable.
  case null
  /// For `utf8` and `json`; valid text.
  case text(String)
  /// For `float64`.
  case number(Double)
  /// For `timestamp`, nanoseconds since 1970.
  case time(Int64)
}

extension JSONColumnScanner {
  /// Appends a row, a cell a slot of the plan. What is masked is masked already. Traps on a cell of another
  /// type.
  package mutating func append(_ cells: [ScanCell]) {
    invariant(cells.count == columns.count, "a cell a column")
    columns.reserveRow()
    for (slot, cell) in cells.enumerated() {
      // Within bounds: a row was reserved, and each column has memory for it.
      let type = unsafe columns.columns[slot].type
      switch cell {
      case .null:
        invariant(type != .timestamp && type != .bool, "a column that has nulls and no bits")
        columns.setNull(slot)
        if type.isText { endText(slot) } else { unsafe columns.columns[slot].values[columns.rowCount] = 0 }
      case .text(let text):
        invariant(type.isText, "a text column")
        let bytes = Array(text.utf8)
        unsafe appendText(slot, bytes.span)
      case .number(let number):
        invariant(type == .float64, "a number column")
        unsafe columns.columns[slot].values[columns.rowCount] = Int64(bitPattern: number.bitPattern)
      case .time(let time):
        invariant(type == .timestamp, "a time column")
        unsafe columns.columns[slot].values[columns.rowCount] = time
      }
    }
    columns.rowCount += 1
  }

  /// Takes the row back that was appended last; not where something is masked, which was counted.
  package mutating func dropLastRow() {
    invariant(columns.rowCount > 0 && !masks.isOn, "a row that was not counted elsewhere")
    columns.rowCount -= 1
    columns.discardRow()
  }

  /// Empties the text of the row appended last, so that what is not kept takes no memory.
  package mutating func emptyLastText(of slot: Int) {
    invariant(columns.rowCount > 0 && slot >= 0 && slot < columns.count, "a cell that is there")
    // Within bounds: as just checked.
    let start = unsafe columns.columns[slot].offsets[columns.rowCount - 1]
    unsafe columns.columns[slot].used = Int(start)
    unsafe columns.columns[slot].offsets[columns.rowCount] = start
  }
}
