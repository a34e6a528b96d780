import Records

/// Goes through the texts of some rows of a column.
enum TextRows {
  /// Calls `body` with the text of each of `rows` and the row's number within `rows`. A dictionary's value
  /// that an earlier of these rows had is not handed over again: `repeated` gets that earlier row and this
  /// one.
  @inline(__always)
  static func forEach(
    of column: Column, in rows: Range<Int>,
    _ body: (UnsafeRawBufferPointer, Int) -> Void,
    repeated: (Int, Int) -> Void = { _, _ in }, null: (Int) -> Void = { _ in }
  ) {
    invariant(rows.upperBound <= column.rowCount && column.type.isText, "rows of a text column")
    column.withValidity { bits in
      switch column.storage {
      case .text:
        column.withText { offsets, bytes in
          unsafe bytes.withUnsafeBytes { text in
            for row in rows {
              if let bits, bits[row >> 3] & (1 << UInt8(row & 7)) == 0 {
                null(row - rows.lowerBound)
                continue
              }
              // Int32 offsets are checked against the bytes here.
              let range = Int(offsets[row])..<Int(offsets[row + 1])
              unsafe body(UnsafeRawBufferPointer(rebasing: text[range]), row - rows.lowerBound)
            }
          }
        }
      case .dictionary:
        column.withDictionary { keys, offsets, bytes in
          // By key the first of the rows that has it, and one more for none.
          var firstRows = [Int32](repeating: 0, count: offsets.count)
          unsafe bytes.withUnsafeBytes { text in
            for row in rows {
              if let bits, bits[row >> 3] & (1 << UInt8(row & 7)) == 0 {
                null(row - rows.lowerBound)
                continue
              }
              let key = Int(keys[row])
              let earlier = Int(firstRows[key])
              if earlier > 0 {
                repeated(earlier - 1, row - rows.lowerBound)
                continue
              }
              firstRows[key] = Int32(truncatingIfNeeded: row - rows.lowerBound + 1)
              let range = Int(offsets[key])..<Int(offsets[key + 1])
              unsafe body(UnsafeRawBufferPointer(rebasing: text[range]), row - rows.lowerBound)
            }
          }
        }
      case .fixed: bug("a text column has no fixed width")
      }
    }
  }
}
