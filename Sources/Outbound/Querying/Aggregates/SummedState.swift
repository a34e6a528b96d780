import Records

/// A state that can take what summaries know instead of rows.
protocol SummedState: MeasureState {
  /// Adds the numbers of a part to a group there is room for.
  mutating func add(_ totals: NumberTotals, to group: Int)
}

extension CountState: SummedState {
  mutating func add(_ totals: NumberTotals, to group: Int) { add(totals.count, to: Int32(group)) }
}

extension NumberSumState: SummedState {
  mutating func add(_ totals: NumberTotals, to group: Int) {
    switch totals {
    case .int64(let count, let sum, _, _):
      // Of less than 2^53 each, these two say it exactly.
      let high = Double(sum)
      add(parts: [high, Double(sum - Int128(high))], count: count, to: group)
    case .float64(let count, let parts, _, _): add(parts: parts, count: count, to: group)
    }
  }
}

extension IntegerSumState: SummedState {
  mutating func add(_ totals: NumberTotals, to group: Int) {
    guard case .int64(let count, let sum, _, _) = totals else { bug("totals of the column's type") }
    add(sum, count: count, to: group)
  }
}

extension NumberExtremeState: SummedState {
  mutating func add(_ totals: NumberTotals, to group: Int) {
    switch totals {
    case .int64(_, _, let least, let greatest): add(isMax ? greatest : least, to: group)
    case .float64(_, _, let least, let greatest): add(isMax ? greatest : least, to: group)
    }
  }
}

extension ExtremeState: SummedState {
  mutating func add(_ totals: NumberTotals, to group: Int) {
    switch totals {
    case .int64(_, _, let least, let greatest): add((isMax ? greatest : least) as? Value, group)
    case .float64(_, _, let least, let greatest): add((isMax ? greatest : least) as? Value, group)
    }
  }

  private mutating func add(_ value: Value?, _ group: Int) {
    guard let value else { bug("totals of the column's type") }
    add(value, to: group)
  }
}

extension NumberTotals {
  /// How many numbers they are of.
  var count: Int {
    switch self {
    case .int64(let count, _, _, _), .float64(let count, _, _, _): count
    }
  }
}
