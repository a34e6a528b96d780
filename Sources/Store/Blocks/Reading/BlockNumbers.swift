import Columnar
import Matching
import Records

/// What a block's section 14 says of the numbers of one column or member.
struct BlockNumbers {
  /// The columns of numbers; their values are of different rows.
  let columns: [NumberSection.Column]
  /// Whether rows may have values that are no numbers, in columns.
  let hasOthers: Bool

  /// nil: some of the numbers may be elsewhere, or nothing is known of them.
  init?(_ path: ColumnPath, _ section: NumberSection, _ contents: BlockContents) {
    let fields = contents.parquet.fields
    var found: [NumberSection.Column] = []
    var hasOthers = false
    if path.members.isEmpty {
      guard let index = contents.columns.schema[path.column], let own = section.column(fields[index].name),
        own.type == contents.schema.field(path.column)?.type
      else { return nil }
      found = [own]
    } else {
      let member = contents.columns.member(path.members[0], of: path.column)
      guard path.members.count == 1, !member.mayBeInRest else { return nil }
      for part in member.columns {
        guard part.type == .int64 || part.type == .float64 else {
          hasOthers = true
          continue
        }
        guard let own = section.column(fields[part.index].name), own.type == part.type else { return nil }
        found.append(own)
      }
    }
    columns = found
    self.hasOthers = hasOthers
  }

  // MARK: Counts

  /// Rows of each slot whose number fulfils the condition; nil: of some slot that cannot be told.
  func counts(_ condition: NumberCondition, slots places: Range<Int>) -> [Int]? {
    var counts = [Int](repeating: 0, count: places.count)
    for column in columns {
      let verdicts = column.form.verdicts(condition, of: column.type)
      for (index, place) in places.enumerated() {
        let total = column.totals[place]
        guard let extremes = total.extremes else { continue }
        switch extremes.verdict(condition) {
        case .yes: counts[index] += total.count
        case .no: continue
        case .maybe:
          if column.form == .none { return nil }
          for cell in column.cells[column.starts[place]..<column.starts[place + 1]] {
            switch verdicts[cell.bucket] {
            case .yes: counts[index] += cell.rows
            case .no: continue
            case .maybe: if cell.rows > 0 { return nil }
            }
          }
        }
      }
    }
    return counts
  }

  // MARK: Totals

  /// The totals of some slots.
  ///
  /// - Parameter isNearest: Whether doubles next to integers are asked for, not these.
  /// - Returns: nil: they are not known, or not as doubles.
  func totals(slots places: Range<Int>, isNearest: Bool) -> [NumberTotals]? {
    var result: [NumberTotals] = []
    for column in columns {
      let total = column.totals[places].reduce(into: NumberTotal()) { $0.add($1) }
      switch total.extremes {
      case nil: continue
      case .int64(let least, let greatest):
        let size = max(least.magnitude, greatest.magnitude)
        if isNearest, size > 1 << 53 { return nil }
        result.append(
          .int64(count: total.count, sum: total.integerSum, least: least, greatest: greatest))
      case .float64(let least, let greatest):
        guard let parts = total.doubleSum else { return nil }
        result.append(.float64(count: total.count, parts: parts, least: least, greatest: greatest))
      }
    }
    return result
  }

  // MARK: Pages

  /// What is known of a condition over the rows of a page; nil: nothing.
  func verdict(_ condition: NumberCondition, page: Int, rowCount: Int) -> Verdict? {
    var result = Verdict.no
    for column in columns {
      guard page < column.pages.count else { return nil }
      guard let extremes = column.pages[page].extremes else { continue }
      switch extremes.verdict(condition) {
      case .no: continue
      case .maybe: result = .maybe
      case .yes: return column.pages[page].count == rowCount ? .yes : .maybe
      }
    }
    return result
  }
}

extension NumberTotal.Extremes {
  /// What a condition says of numbers between these.
  func verdict(_ condition: NumberCondition) -> Verdict {
    switch self {
    case .int64(let least, let greatest): Verdict(condition.integers, least...greatest)
    case .float64(let least, let greatest): Verdict(condition.doubles, least...greatest)
    }
  }
}

extension NumberSection.Form {
  /// What a condition says of the numbers of each bucket.
  func verdicts(_ condition: NumberCondition, of type: ColumnType) -> [Verdict] {
    switch self {
    case .none: []
    case .integers(let values): values.map { Verdict(condition.integers, $0...$0) }
    case .doubles(let values): values.map { Verdict(condition.doubles, $0...$0) }
    case .decades:
      (0..<NumberBuckets.count).map { bucket in
        let range = NumberBuckets.doubles(of: bucket)
        guard type == .int64 else { return Verdict(condition.doubles, range) }
        // Integers are counted by buckets up to 2^53 only.
        let low = max(range.lowerBound.rounded(.up), -0x1p53)
        let high = min(range.upperBound.rounded(.down), 0x1p53)
        return low <= high ? Verdict(condition.integers, Int64(low)...Int64(high)) : .no
      }
    }
  }
}

extension Verdict {
  /// What ranges, sorted and disjoint, say of all values of `values`.
  fileprivate init<T: Comparable>(_ ranges: [ClosedRange<T>], _ values: ClosedRange<T>) {
    // The first range that does not end before them.
    var (place, end) = (0, ranges.count)
    while place < end {
      let middle = (place + end) / 2
      if ranges[middle].upperBound < values.lowerBound { place = middle + 1 } else { end = middle }
    }
    if place == ranges.count || ranges[place].lowerBound > values.upperBound {
      self = .no
    } else {
      let isWithin =
        ranges[place].lowerBound <= values.lowerBound && values.upperBound <= ranges[place].upperBound
      self = isWithin ? .yes : .maybe
    }
  }
}
