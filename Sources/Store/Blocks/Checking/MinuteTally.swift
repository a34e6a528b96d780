import Records

/// Rows by minute as a check counts them: row by row, in numbers that hold every difference of times, and
/// with nothing of what counts while a block is written. What is wrong there shall show here.
struct MinuteTally {
  /// By floor of timestamp / 60 s.
  private var rows: [Int64: Int] = [:]

  /// Adds rows by their `timestamp`.
  mutating func add(_ timestamps: Column) {
    let (width, lift): (Int128, Int128) = (60_000_000_000, 1 << 30)
    for time in timestamps.int64Values {
      // Lifted above 0, where division rounds down.
      rows[Int64((Int128(time) + lift * width) / width - lift), default: 0] += 1
    }
  }

  /// Whether the summary has the same minutes, in order, and as many rows in each.
  func isThat(of summary: BlockSummary) -> Bool {
    let minutes = rows.keys.sorted()
    return summary.minutes == minutes && summary.totals == minutes.map { rows[$0] ?? 0 }
  }
}
