import Records

/// Rows of several batches in portions of bounded size, so that what is made of a portion is bounded too.
struct RowChunks {
  /// Bytes of a portion's columns, about, unless it is a single row.
  static let bytesMax = 1 << 20
  static let rowsMax = 4_096

  private let batches: [RecordBatch]
  private let bytesMax: Int
  private var batch = 0
  private var row = 0

  init(_ batches: [RecordBatch], bytesMax: Int = RowChunks.bytesMax) {
    self.batches = batches
    self.bytesMax = bytesMax
  }

  /// The next portion as one batch; nil at the end.
  mutating func next() -> RecordBatch? {
    var runs: [RowRun] = []
    var rows = 0
    var bytes = 0
    while batch < batches.count, rows < RowChunks.rowsMax {
      let end = fittingEnd(
        bytesLeft: bytesMax - bytes, rowsLeft: RowChunks.rowsMax - rows, isFirst: rows == 0)
      if end == row { break }
      runs.append(RowRun(source: batch, start: row, count: end - row))
      bytes += batches[batch].byteCount(row..<end)
      rows += end - row
      row = end
      if row < batches[batch].rowCount { break }
      batch += 1
      row = 0
    }
    return runs.isEmpty ? nil : gather(runs)
  }

  /// As far as rows from `row` on fit, in the batch they begin in.
  private func fittingEnd(bytesLeft: Int, rowsLeft: Int, isFirst: Bool) -> Int {
    let source = batches[batch]
    var low = isFirst ? row + 1 : row
    var high = min(source.rowCount, row + rowsLeft)
    while low < high {
      let middle = (low + high + 1) / 2
      if source.byteCount(row..<middle) <= bytesLeft { low = middle } else { high = middle - 1 }
    }
    return low
  }

  private func gather(_ runs: [RowRun]) -> RecordBatch {
    // Only the batches the runs are of: a gather looks at all it is given.
    let first = runs[0].source
    let sources = Array(batches[first...runs[runs.count - 1].source])
    return RecordBatch.gather(
      sources, runs: runs.map { RowRun(source: $0.source - first, start: $0.start, count: $0.count) })
  }
}

extension RecordBatch {
  /// About the bytes of the rows' values, values of dictionaries in every row that has them, as a gather
  /// copies them. O(columns), and O(rows) for each dictionary.
  func byteCount(_ rows: Range<Int>) -> Int {
    var bytes = 0
    for column in columns {
      if column.type.isText {
        bytes += column.textByteCount(rows)
      } else {
        bytes += column.type.fixedWidth.map { $0 * rows.count } ?? rows.count / 8
      }
    }
    return bytes
  }
}
