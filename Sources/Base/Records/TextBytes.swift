extension RecordBatch {
  /// Bytes of text each row has in all text columns together, values of dictionaries counted in every row
  /// that has them: what a gather makes of it. About a nanosecond a row and text column.
  package func textBytes() -> [Int] {
    var sizes = [Int](repeating: 0, count: rowCount)
    for column in columns where column.type.isText { column.addTextBytes(to: &sizes) }
    return sizes
  }

  /// The sum of ``textBytes()``. O(columns) without dictionaries.
  package var textByteCount: Int {
    columns.reduce(0) { $0 + ($1.type.isText ? $1.textByteCount(0..<rowCount) : 0) }
  }

  /// At least ``textByteCount``: a dictionary counts with its longest value in every row. O(columns and
  /// values).
  package var textByteCountMax: Int { columns.reduce(0) { $0 + ($1.type.isText ? $1.textByteCountMax : 0) } }
}

extension Column {
  /// Bytes of text that rows of a text column have, values of a dictionary counted in every row that has
  /// them. O(1) for plain text.
  package func textByteCount(_ rows: Range<Int>) -> Int {
    if rows.isEmpty { return 0 }
    guard case .dictionary = storage else {
      return withText { offsets, _ in Int(offsets[rows.upperBound]) - Int(offsets[rows.lowerBound]) }
    }
    return withDictionary { keys, offsets, _ in
      withValidity { bits in
        var bytes = 0
        for row in rows {
          if let bits, bits[row >> 3] & (1 << UInt8(row & 7)) == 0 { continue }
          let key = Int(keys[row])
          bytes += Int(offsets[key + 1]) - Int(offsets[key])
        }
        return bytes
      }
    }
  }

  fileprivate var textByteCountMax: Int {
    guard case .dictionary = storage else { return textByteCount(0..<rowCount) }
    return withDictionary { _, offsets, _ in
      var most = 0
      for value in 0..<offsets.count - 1 { most = max(most, Int(offsets[value + 1]) - Int(offsets[value])) }
      return most * rowCount
    }
  }

  fileprivate func addTextBytes(to sizes: inout [Int]) {
    var sizes = sizes.mutableSpan
    guard case .dictionary = storage else {
      return withText { offsets, _ in
        for row in sizes.indices { sizes[row] += Int(offsets[row + 1]) - Int(offsets[row]) }
      }
    }
    withDictionary { keys, offsets, _ in
      withValidity { bits in
        for row in sizes.indices {
          if let bits, bits[row >> 3] & (1 << UInt8(row & 7)) == 0 { continue }
          let key = Int(keys[row])
          sizes[row] += Int(offsets[key + 1]) - Int(offsets[key])
        }
      }
    }
  }
}
