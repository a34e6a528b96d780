extension Column {
  /// Bytes that its buffers hold.
  package var byteCount: Int {
    let values: Int
    switch storage {
    case .fixed(let fixed): values = fixed.byteCount
    case .text(let offsets, let bytes): values = offsets.byteCount + bytes.byteCount
    case .dictionary(let indices, let offsets, let bytes, _):
      values = indices.byteCount + offsets.byteCount + bytes.byteCount
    }
    return values + (validity?.byteCount ?? 0)
  }

  /// The rows that `runs` name, in their order, copied; dictionaries become plain text. Sources are of one
  /// type.
  package static func gather(_ sources: [Column], runs: [RowRun]) -> Column {
    Column.gather(sources, runs: runs, rowCount: Column.count(sources, runs))
  }

  /// As ``gather(_:runs:)``, of sources with one and the same dictionary, which is kept.
  package static func gatherCodes(_ sources: [Column], runs: [RowRun]) -> Column {
    let count = Column.count(sources, runs)
    guard case .dictionary(_, let offsets, let bytes, let valueCount) = sources[0].storage else {
      bug("dictionary columns")
    }
    let indices: [Buffer?] = sources.map { source in
      if case .dictionary(let indices, _, _, _) = source.storage {
        indices
      } else {
        bug("dictionary columns")
      }
    }
    return Column(
      type: sources[0].type, rowCount: count,
      validity: gatherBits(sources.map(\.validity), runs: runs, rowCount: count),
      storage: .dictionary(
        indices: gatherFixed(indices, runs: runs, byteCount: count * 4, width: 4), offsets: offsets,
        bytes: bytes, valueCount: valueCount))
  }

  /// The rows `rows` sharing this column's memory; nil where that cannot be: of plain text, and where bits do
  /// not begin and end with a byte.
  package func shared(_ rows: Range<Int>) -> Column? {
    invariant(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows of the column")
    if rows.count == rowCount { return self }
    if case .text = storage { return nil }
    let isWhole = rows.lowerBound % 8 == 0 && (rows.upperBound % 8 == 0 || rows.upperBound == rowCount)
    return hasBits && !isWhole ? nil : slice(rows)
  }

  private static func count(_ sources: [Column], _ runs: [RowRun]) -> Int {
    invariant(!sources.isEmpty, "something to gather from")
    return runs.reduce(0) { sum, run in
      invariant(
        run.count >= 0 && run.start >= 0 && run.start + run.count <= sources[run.source].rowCount,
        "a run lies within its source")
      return sum + run.count
    }
  }
}
