extension RecordBatch {
  /// The rows `range`, which begin at a multiple of 8; shares this batch's memory, dictionaries included.
  /// O(columns).
  package func slice(_ range: Range<Int>) -> RecordBatch {
    if range == 0..<rowCount { return self }
    return RecordBatch(fields: fields, columns: columns.map { $0.slice(range) }, rowCount: range.count)
  }

  /// The rows of `runs`, copied; unlike ``gather(_:runs:)`` it leaves dictionaries as they are.
  package func picked(_ runs: [Range<Int>]) -> RecordBatch {
    if runs == [0..<rowCount] { return self }
    let rowRuns = runs.map { RowRun(source: 0, start: $0.lowerBound, count: $0.count) }
    let count = runs.reduce(0) { $0 + $1.count }
    invariant(runs.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= rowCount }, "rows of the batch")
    return RecordBatch(
      fields: fields, columns: columns.map { $0.picked(rowRuns, rowCount: count) }, rowCount: count)
  }
}

extension Column {
  /// Whether the column has a dictionary, and `other` has the very same: equal indices mean equal values.
  package func sharesDictionary(with other: Column) -> Bool {
    guard case .dictionary(_, let offsets, let bytes, let count) = storage,
      case .dictionary(_, let otherOffsets, let otherBytes, let otherCount) = other.storage
    else { return false }
    return count == otherCount && offsets.isSame(as: otherOffsets) && bytes.isSame(as: otherBytes)
  }

  /// Whether eight rows of it share a byte.
  var hasBits: Bool { validity != nil || type == .bool }

  /// See ``RecordBatch/slice(_:)``; without bits, rows may begin anywhere.
  func slice(_ range: Range<Int>) -> Column {
    invariant(range.lowerBound >= 0 && range.upperBound <= rowCount, "rows of the column")
    invariant(range.lowerBound & 7 == 0 || !hasBits, "from a byte of its bits on")
    let bits = range.lowerBound / 8..<(range.upperBound + 7) / 8
    let storage: Storage =
      switch storage {
      case .fixed(let values):
        if let width = type.fixedWidth {
          .fixed(values.slice(range.lowerBound * width..<range.upperBound * width))
        } else {
          .fixed(values.slice(bits))
        }
      case .text(let offsets, let bytes):
        .text(offsets: offsets.slice(range.lowerBound * 4..<(range.upperBound + 1) * 4), bytes: bytes)
      case .dictionary(let indices, let offsets, let bytes, let count):
        .dictionary(
          indices: indices.slice(range.lowerBound * 4..<range.upperBound * 4), offsets: offsets,
          bytes: bytes, valueCount: count)
      }
    return Column(type: type, rowCount: range.count, validity: validity?.slice(bits), storage: storage)
  }

  /// See ``RecordBatch/picked(_:)``; the runs lie within the column and add up to `rowCount`.
  fileprivate func picked(_ runs: [RowRun], rowCount: Int) -> Column {
    guard case .dictionary = storage else {
      return Column.gather([self], runs: runs, rowCount: rowCount)
    }
    return Column.gatherCodes([self], runs: runs)
  }
}
