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
    let hasBits = validity != nil || type == .bool
    let isWhole = rows.lowerBound % 8 == 0 && (rows.upperBound % 8 == 0 || rows.upperBound == rowCount)
    guard !hasBits || isWhole else { return nil }
    let bits = rows.lowerBound / 8..<(rows.upperBound + 7) / 8
    let part: Storage
    switch storage {
    case .fixed(let values):
      guard let width = type.fixedWidth else {
        part = .fixed(values.slice(bits))
        break
      }
      part = .fixed(values.slice(rows.lowerBound * width..<rows.upperBound * width))
    case .text: return nil
    case .dictionary(let indices, let offsets, let bytes, let valueCount):
      part = .dictionary(
        indices: indices.slice(rows.lowerBound * 4..<rows.upperBound * 4), offsets: offsets, bytes: bytes,
        valueCount: valueCount)
    }
    return Column(type: type, rowCount: rows.count, validity: validity?.slice(bits), storage: part)
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
