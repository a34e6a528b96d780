import Records

/// One column's part of a ``NumberBuilder``.
struct NumberColumn {
  let name: String
  let type: ColumnType
  /// It has a double that is no number.
  private(set) var isGivenUp = false
  private var totals: [NumberTotal] = []
  private var pages: [NumberSection.Page] = []
  /// Rows by slot << 16 | bucket. Of values their order of coming is the bucket.
  private(set) var cells: [UInt64: Int] = [:]
  private var values = FewValues()
  private var form = Form.values
  /// Rows of the run at hand by bucket, and the buckets that have some.
  private var open = [Int32](repeating: 0, count: NumberBuckets.count)
  private var touched: [Int32] = []
  private let finder = NumberBuckets.Finder()

  private enum Form { case none, values, decades }

  init(name: String, type: ColumnType) {
    self.name = name
    self.type = type
  }

  // MARK: Pages

  /// Adds the bounds of each page of a row group.
  mutating func addPages(_ column: Column, rowsPerPage: Int) {
    for start in stride(from: 0, to: column.rowCount, by: rowsPerPage) {
      let rows = start..<min(start + rowsPerPage, column.rowCount)
      var page = NumberSection.Page(count: 0, extremes: nil)
      if type == .int64 {
        var (low, high) = (Int64.max, Int64.min)
        column.withInt64 { numbers in
          page.count = column.forEachValid(rows) { row in
            low = min(low, numbers[row])
            high = max(high, numbers[row])
          }
        }
        if page.count > 0 { page.extremes = .int64(least: low, greatest: high) }
      } else {
        var (low, high) = (Double.infinity, -Double.infinity)
        column.withFloat64 { numbers in
          page.count = column.forEachValid(rows) { row in
            if numbers[row] < low { low = numbers[row] }
            if numbers[row] > high { high = numbers[row] }
          }
        }
        if page.count > 0 { page.extremes = .float64(least: low, greatest: high) }
      }
      pages.append(page)
    }
  }

  // MARK: Slots

  /// Adds rows of one slot.
  mutating func add(_ column: Column, _ rows: Range<Int>, slot: Int) {
    while totals.count <= slot { totals.append(NumberTotal()) }
    if isGivenUp { return }
    var total = NumberTotal()
    if type == .int64 {
      addIntegers(column, rows, &total)
    } else {
      addDoubles(column, rows, &total)
    }
    totals[slot].add(total)
    for bucket in touched {
      cells[UInt64(slot) << 16 | UInt64(bucket), default: 0] += Int(open[Int(bucket)])
      open[Int(bucket)] = 0
    }
    touched.removeAll(keepingCapacity: true)
  }

  private mutating func addIntegers(_ column: Column, _ rows: Range<Int>, _ total: inout NumberTotal) {
    var (low, high, sum) = (Int64.max, Int64.min, Int128(0))
    column.withInt64 { numbers in
      total.count = column.forEachValid(rows) { row in
        let value = numbers[row]
        low = min(low, value)
        high = max(high, value)
        sum &+= Int128(value)
        // Larger ones are not all doubles.
        note(UInt64(bitPattern: value), Double(value), isPlain: value.magnitude <= 1 << 53)
      }
    }
    total.integerSum = sum
    if total.count > 0 { total.extremes = .int64(least: low, greatest: high) }
  }

  private mutating func addDoubles(_ column: Column, _ rows: Range<Int>, _ total: inout NumberTotal) {
    var (low, high) = (Double.infinity, -Double.infinity)
    var (sum, lost) = (0.0, 0.0)
    var isFinite = true
    column.withFloat64 { numbers in
      total.count = column.forEachValid(rows) { row in
        let value = numbers[row]
        guard value.isFinite else {
          isFinite = false
          return
        }
        if value < low { low = value }
        if value > high { high = value }
        let (whole, error) = ExactParts.sum(sum, value)
        let (rest, left) = ExactParts.sum(lost, error)
        if left == 0 {
          (sum, lost) = (whole, rest)
        } else {
          // Two doubles cannot say it.
          for part in [sum, lost, value] { total.add(part: part) }
          (sum, lost) = (0, 0)
        }
        // 0 and -0 are one value.
        note((value == 0 ? 0 : value).bitPattern, value, isPlain: true)
      }
    }
    for part in [sum, lost] { total.add(part: part) }
    if !isFinite { isGivenUp = true }
    if total.count > 0, isFinite { total.extremes = .float64(least: low, greatest: high) }
  }

  @inline(__always)
  private mutating func note(_ bits: UInt64, _ value: Double, isPlain: Bool) {
    var bucket = -1
    if form == .values {
      bucket = values.number(of: bits)
      if bucket < 0 { giveUpValues() }
    }
    if form == .decades {
      if isPlain { bucket = finder.bucket(of: value) } else { dropCells() }
    }
    if form == .none { return }
    if open[bucket] == 0 { touched.append(Int32(truncatingIfNeeded: bucket)) }
    open[bucket] &+= 1
  }

  /// Goes on in buckets of many values: what was counted so far goes to these.
  private mutating func giveUpValues() {
    form = .decades
    let numbers = values.all.map { bits -> Double? in
      if type == .float64 { return Double(bitPattern: bits) }
      let value = Int64(bitPattern: bits)
      return value.magnitude <= 1 << 53 ? Double(value) : nil
    }
    let buckets = numbers.compactMap { $0.map { finder.bucket(of: $0) } }
    guard buckets.count == numbers.count else { return dropCells() }
    var moved: [UInt64: Int] = [:]
    for (key, rows) in cells {
      moved[key & ~0xFFFF | UInt64(buckets[Int(key & 0xFFFF)]), default: 0] += rows
    }
    cells = moved
    let counts = touched.map { (buckets[Int($0)], open[Int($0)]) }
    for bucket in touched { open[Int(bucket)] = 0 }
    touched.removeAll(keepingCapacity: true)
    for (bucket, rows) in counts {
      if open[bucket] == 0 { touched.append(Int32(truncatingIfNeeded: bucket)) }
      open[bucket] += rows
    }
  }

  /// Counts by bucket no more.
  mutating func dropCells() {
    form = .none
    cells = [:]
    for bucket in touched { open[Int(bucket)] = 0 }
    touched.removeAll(keepingCapacity: true)
  }

  /// Slots become wider: by old slot, the new one.
  mutating func move(_ places: [Int], slotCount: Int) {
    let old = totals
    totals = Array(repeating: NumberTotal(), count: slotCount)
    for (from, total) in old.enumerated() { totals[places[from]].add(total) }
    var moved: [UInt64: Int] = [:]
    for (key, rows) in cells {
      moved[UInt64(places[Int(key >> 16)]) << 16 | key & 0xFFFF, default: 0] += rows
    }
    cells = moved
  }

  // MARK: Results

  /// - Parameter order: The slots as they are to come.
  func finish(_ order: [Int]) -> NumberSection.Column {
    var (form, ranks) = (NumberSection.Form.none, [Int]())
    switch self.form {
    case .none: break
    case .decades: form = .decades
    case .values:
      let all = values.all
      let sorted = all.indices.sorted { left, right in
        type == .int64
          ? Int64(bitPattern: all[left]) < Int64(bitPattern: all[right])
          : Double(bitPattern: all[left]) < Double(bitPattern: all[right])
      }
      ranks = [Int](repeating: 0, count: all.count)
      for (rank, value) in sorted.enumerated() { ranks[value] = rank }
      form =
        type == .int64
        ? .integers(sorted.map { Int64(bitPattern: all[$0]) })
        : .doubles(sorted.map { Double(bitPattern: all[$0]) })
    }
    var bySlot = [[NumberSection.Cell]](repeating: [], count: order.count)
    for (key, rows) in cells {
      let bucket = Int(key & 0xFFFF)
      bySlot[Int(key >> 16)].append(
        NumberSection.Cell(bucket: ranks.isEmpty ? bucket : ranks[bucket], rows: rows))
    }
    var column = NumberSection.Column(
      name: name, type: type, form: form, totals: [], starts: [0], cells: [], pages: pages)
    for slot in order {
      column.totals.append(slot < totals.count ? totals[slot] : NumberTotal())
      column.cells += bySlot[slot].sorted { $0.bucket < $1.bucket }
      column.starts.append(column.cells.count)
    }
    return column
  }
}

/// Numbers of up to ``NumberSection/valuesMax`` different values, by their bits, in the order they come.
private struct FewValues {
  private(set) var all: [UInt64] = []
  /// Open addressing, four places a value.
  private var table = [Int16](repeating: -1, count: 256)

  /// The number of a value; -1: there are too many.
  @inline(__always)
  mutating func number(of bits: UInt64) -> Int {
    var place = Int(truncatingIfNeeded: (bits &* 0x9E37_79B9_7F4A_7C15) >> 56)
    while true {
      let known = Int(table[place])
      if known < 0 { break }
      if all[known] == bits { return known }
      place = (place + 1) & 255
    }
    guard all.count < NumberSection.valuesMax else { return -1 }
    table[place] = Int16(all.count)
    all.append(bits)
    return all.count - 1
  }
}

extension NumberTotal {
  fileprivate mutating func add(part: Double) {
    guard part != 0 else { return }
    doubleSum = doubleSum.flatMap { ExactParts.adding(part, to: $0) }
  }
}

extension Column {
  /// Calls `body` with each row that has a value; how many there are.
  @inline(__always)
  fileprivate func forEachValid(_ rows: Range<Int>, _ body: (Int) -> Void) -> Int {
    withValidity { bits in
      guard let bits else {
        for row in rows { body(row) }
        return rows.count
      }
      var count = 0
      for row in rows where bits[row >> 3] & (1 << UInt8(row & 7)) != 0 {
        body(row)
        count += 1
      }
      return count
    }
  }
}
