import Records

/// Counts rows, or rows with a value.
struct CountState: MeasureState {
  private var counts: [Int] = []

  var byteCount: Int { counts.capacity * 8 }
  var groupCapacity: Int { counts.capacity }

  mutating func keep(_ groups: [Int32]) { counts = groups.map { counts[Int($0)] } }

  mutating func grow(to groupCount: Int) {
    if counts.count < groupCount { counts += repeatElement(0, count: groupCount - counts.count) }
  }

  mutating func add(_ input: MeasureInput, groups: [Int32]) {
    let groups = groups.span
    if counts.count == 1 {
      counts[0] += input.rows?.count ?? input.rowCount
      return
    }
    input.forEach { row in counts[Int(groups[row])] &+= 1 }
  }

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? CountState else { bug("parts of one measure") }
    for (group, count) in other.counts.enumerated() { counts[Int(numbers[group])] += count }
  }

  /// Adds `count` rows to a group that summaries counted.
  mutating func add(_ count: Int, to group: Int32) { counts[Int(group)] += count }

  func values(of function: Measure.Function) -> MeasureValues { .int64(counts.map { Int64($0) }) }
}
