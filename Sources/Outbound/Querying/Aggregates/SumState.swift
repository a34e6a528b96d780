import Records

/// Sums and counts of float64 values.
///
/// A group's sum is kept as two doubles as long as they say it exactly, which they do for numbers of like
/// size (Knuth's TwoSum tells); what they cannot goes to an ``ExactSum``. So sums are rounded once, at the
/// end: neither the order of rows nor how they were dealt out to workers changes a bit, and nothing is
/// beyond float64 but a sum that is.
struct NumberSumState: MeasureState {
  private struct Cell {
    var sum = 0.0
    var lost = 0.0
    var count = 0

    /// Adds a number; false, and nothing is changed, if the two doubles cannot say the sum.
    @inline(__always)
    mutating func add(_ value: Double) -> Bool {
      let (total, error) = Cell.sum(sum, value)
      let (rest, left) = Cell.sum(lost, error)
      // Not so of NaN either: what overflows gives one.
      guard left == 0 else { return false }
      (sum, lost) = (total, rest)
      return true
    }

    /// The mean rounded once, where doubles alone can tell (Ziv's test): nil where they cannot.
    var plainMean: Double? {
      let (high, low) = Cell.sum(sum, lost)
      let number = Double(count)
      let mean = high / number
      // Below, what a division leaves may be less than the least double.
      guard abs(mean) > 0x1p-900 else { return high == 0 && low == 0 ? 0 : nil }
      // What the division leaves, exactly, and what the sum has beyond its double.
      let left = high.addingProduct(-mean, number)
      let more = (left + low) / number
      let doubt = (abs(left) + abs(low)) / number * 0x1p-48
      let (least, most) = (mean + (more - doubt), mean + (more + doubt))
      return least == most ? least : nil
    }

    @inline(__always)
    static func sum(_ a: Double, _ b: Double) -> (sum: Double, error: Double) {
      let sum = a + b
      let added = sum - a
      return (sum, (a - (sum - added)) + (b - added))
    }
  }

  private var cells: [Cell] = []
  /// What cells could not say, by group.
  private var spilled: [Int: ExactSum] = [:]
  /// Groups that have a number beyond float64.
  private var beyond: Set<Int> = []

  var byteCount: Int {
    cells.capacity * MemoryLayout<Cell>.stride + spilled.capacity * 16 + spilled.count * ExactSum.byteCount
      + beyond.capacity * 16
  }
  var groupCapacity: Int { cells.capacity }

  mutating func keep(_ groups: [Int32]) {
    var kept = NumberSumState()
    kept.cells = groups.map { cells[Int($0)] }
    if !spilled.isEmpty || !beyond.isEmpty {
      for (place, group) in groups.enumerated() {
        kept.spilled[place] = spilled[Int(group)]
        if beyond.contains(Int(group)) { kept.beyond.insert(place) }
      }
    }
    self = kept
  }

  mutating func grow(to groupCount: Int) {
    if cells.count < groupCount { cells += repeatElement(Cell(), count: groupCount - cells.count) }
  }

  mutating func add(_ input: MeasureInput, groups: [Int32]) {
    guard let column = input.column?.nearestDoubles(input) else { bug("a sum has a column") }
    let groups = groups.span
    column.withFloat64 { values in
      if cells.count == 1 {
        // Without groups the sum stays in registers.
        var cell = cells[0]
        input.forEach { row in
          if cell.add(values[row]) { return }
          cells[0] = cell
          spill(values[row], 0)
          cell = cells[0]
        }
        cell.count &+= input.rows?.count ?? input.rowCount
        cells[0] = cell
        return
      }
      input.forEach { row in
        let group = Int(groups[row])
        if !cells[group].add(values[row]) { spill(values[row], group) }
        cells[group].count &+= 1
      }
    }
  }

  /// Moves a group's cell, and `value`, to where every sum has room.
  private mutating func spill(_ value: Double, _ group: Int) {
    guard value.isFinite else {
      beyond.insert(group)
      return
    }
    var sum = spilled[group] ?? ExactSum()
    spilled[group] = nil
    for part in [cells[group].sum, cells[group].lost, value] { sum.add(part) }
    spilled[group] = sum
    (cells[group].sum, cells[group].lost) = (0, 0)
  }

  /// Adds numbers whose sum is exactly that of `parts`.
  mutating func add(parts: [Double], count: Int, to group: Int) {
    for part in parts where !cells[group].add(part) { spill(part, group) }
    cells[group].count &+= count
  }

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? NumberSumState else { bug("parts of one measure") }
    for (group, cell) in other.cells.enumerated() where cell.count > 0 {
      let number = Int(numbers[group])
      for part in [cell.sum, cell.lost] where !cells[number].add(part) { spill(part, number) }
      cells[number].count += cell.count
    }
    for (group, sum) in other.spilled {
      let number = Int(numbers[group])
      if spilled[number] == nil { spilled[number] = sum } else { spilled[number]?.add(sum) }
    }
    for group in other.beyond { beyond.insert(Int(numbers[group])) }
  }

  func values(of function: Measure.Function) throws(StoreError) -> MeasureValues {
    var isMean = false
    if case .avg = function { isMean = true }
    guard beyond.isEmpty else { throw .invalid("\(function.word): a number is beyond float64") }
    var values: [Double?] = []
    values.reserveCapacity(cells.count)
    for group in cells.indices {
      guard cells[group].count > 0 else {
        values.append(nil)
        continue
      }
      let value = value(of: group, isMean: isMean)
      guard value.isFinite else { throw .invalid("\(function.word): the sum is beyond float64") }
      values.append(value)
    }
    return .float64(values)
  }

  /// A group's sum, or mean, rounded once: a mean is never beyond the numbers.
  private func value(of group: Int, isMean: Bool) -> Double {
    let cell = cells[group]
    let sum = cell.sum + cell.lost
    if spilled[group] == nil, sum.isFinite {
      if !isMean { return sum }
      if let mean = cell.plainMean { return mean }
    }
    var exact = spilled[group] ?? ExactSum()
    exact.add(cell.sum)
    exact.add(cell.lost)
    let (value, scale) = isMean ? exact.mean(count: cell.count) : exact.rounded
    return scale == 0 ? value : Double(sign: .plus, exponent: scale, significand: value)
  }
}

/// Sums and counts of int64 values, in 128 bits: 2^64 rows cannot overflow them.
struct IntegerSumState: MeasureState {
  private struct Cell {
    var sum: Int128 = 0
    var count = 0
  }

  private var cells: [Cell] = []

  var byteCount: Int { cells.capacity * MemoryLayout<Cell>.stride }
  var groupCapacity: Int { cells.capacity }

  mutating func keep(_ groups: [Int32]) { cells = groups.map { cells[Int($0)] } }

  mutating func grow(to groupCount: Int) {
    if cells.count < groupCount { cells += repeatElement(Cell(), count: groupCount - cells.count) }
  }

  mutating func add(_ input: MeasureInput, groups: [Int32]) {
    guard let column = input.column else { bug("a sum has a column") }
    let groups = groups.span
    column.withInt64 { values in
      input.forEach { row in
        let group = Int(groups[row])
        cells[group].sum &+= Int128(values[row])
        cells[group].count &+= 1
      }
    }
  }

  /// Adds as many numbers of that sum.
  mutating func add(_ sum: Int128, count: Int, to group: Int) {
    cells[group].sum &+= sum
    cells[group].count &+= count
  }

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? IntegerSumState else { bug("parts of one measure") }
    for (group, cell) in other.cells.enumerated() {
      cells[Int(numbers[group])].sum += cell.sum
      cells[Int(numbers[group])].count += cell.count
    }
  }

  /// The sum by the count, at least 1, rounded once.
  private static func mean(of sum: Int128, count: Int) -> Double {
    guard sum != 0 else { return 0 }
    let magnitude = sum.magnitude
    let shift = magnitude.leadingZeroBitCount - 1
    let (quotient, rest) = (magnitude << UInt128(shift)).quotientAndRemainder(dividingBy: UInt128(count))
    // Sixty-four bits at least, and one that says whether more follow.
    let value = Double(quotient << 1 | (rest == 0 ? 0 : 1))
    return Double(sign: sum < 0 ? .minus : .plus, exponent: -shift - 1, significand: value)
  }

  func values(of function: Measure.Function) throws(StoreError) -> MeasureValues {
    if case .avg = function {
      return .float64(
        cells.map { cell in
          cell.count == 0 ? nil : IntegerSumState.mean(of: cell.sum, count: cell.count)
        })
    }
    var values: [Int64?] = []
    values.reserveCapacity(cells.count)
    for cell in cells {
      guard cell.count > 0 else {
        values.append(nil)
        continue
      }
      guard let sum = Int64(exactly: cell.sum) else { throw .invalid("sum: a sum is beyond int64") }
      values.append(sum)
    }
    return .int64(values)
  }
}
