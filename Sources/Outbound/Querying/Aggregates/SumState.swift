import Records

/// Sums and counts of float64 values.
///
/// Each sum carries what rounding took from it (Knuth's TwoSum), so that the answer is as good as one
/// rounding of the true sum unless values cancel almost wholly, and does not depend on how rows were dealt
/// out to workers but for the last bit.
struct NumberSumState: MeasureState {
  private struct Cell {
    var sum = 0.0
    var lost = 0.0
    var count = 0

    @inline(__always)
    mutating func add(_ value: Double) {
      let total = sum + value
      let added = total - sum
      lost += (sum - (total - added)) + (value - added)
      sum = total
    }
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
    column.withFloat64 { values in
      if cells.count == 1 {
        // Without groups the sum stays in registers.
        var cell = cells[0]
        input.forEach { cell.add(values[$0]) }
        cell.count &+= input.rows?.count ?? input.rowCount
        cells[0] = cell
        return
      }
      input.forEach { row in
        let group = Int(groups[row])
        cells[group].add(values[row])
        cells[group].count &+= 1
      }
    }
  }

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? NumberSumState else { bug("parts of one measure") }
    for (group, cell) in other.cells.enumerated() where cell.count > 0 {
      let number = Int(numbers[group])
      cells[number].add(cell.sum)
      cells[number].lost += cell.lost
      cells[number].count += cell.count
    }
  }

  func values(of function: Measure.Function) throws(StoreError) -> MeasureValues {
    var isMean = false
    if case .avg = function { isMean = true }
    var values: [Double?] = []
    values.reserveCapacity(cells.count)
    for cell in cells {
      guard cell.count > 0 else {
        values.append(nil)
        continue
      }
      let sum = cell.sum + cell.lost
      guard sum.isFinite else { throw .invalid("\(function.word): the sum is beyond float64") }
      values.append(isMean ? sum / Double(cell.count) : sum)
    }
    return .float64(values)
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

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? IntegerSumState else { bug("parts of one measure") }
    for (group, cell) in other.cells.enumerated() {
      cells[Int(numbers[group])].sum += cell.sum
      cells[Int(numbers[group])].count += cell.count
    }
  }

  func values(of function: Measure.Function) throws(StoreError) -> MeasureValues {
    if case .avg = function {
      return .float64(cells.map { $0.count == 0 ? nil : Double($0.sum) / Double($0.count) })
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
