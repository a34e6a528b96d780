import Records

/// The numbers of each group for its quantiles.
struct QuantileState: MeasureState {
  private var sketches: [QuantileSketch] = []
  private var heapBytes = 0

  var byteCount: Int { sketches.capacity * MemoryLayout<QuantileSketch>.stride + heapBytes }
  var groupCapacity: Int { sketches.capacity }

  mutating func keep(_ groups: [Int32]) {
    sketches = groups.map { sketches[Int($0)] }
    heapBytes = sketches.reduce(0) { $0 + $1.heapBytes }
  }

  mutating func grow(to groupCount: Int) {
    if sketches.count < groupCount {
      sketches += repeatElement(QuantileSketch(), count: groupCount - sketches.count)
    }
  }

  mutating func add(_ input: MeasureInput, groups: [Int32]) {
    guard let column = input.column?.nearestDoubles(input) else { bug("a quantile has a column") }
    let groups = groups.span
    var grown = 0
    column.withFloat64 { values in
      input.forEach { row in grown &+= sketches[Int(groups[row])].add(values[row]) }
    }
    heapBytes += grown
  }

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? QuantileState else { bug("parts of one measure") }
    for (group, sketch) in other.sketches.enumerated() {
      let number = Int(numbers[group])
      heapBytes -= sketches[number].heapBytes
      sketches[number].merge(sketch)
      heapBytes += sketches[number].heapBytes
    }
  }

  mutating func finish() {
    for index in sketches.indices { sketches[index].sort() }
  }

  func values(of function: Measure.Function) throws(StoreError) -> MeasureValues {
    guard case .quantile(_, let share) = function else { bug("a quantile") }
    guard sketches.allSatisfy(\.isFinite) else { throw .invalid("quantile: a number is beyond float64") }
    return .float64(sketches.map { $0.quantiles([share])[0] })
  }
}
