import Records

/// The numbers of a block as a check counts them: row by row, and with nothing of what finds slots and
/// buckets while a block is written.
struct NumberTally {
  private let section: NumberSection
  private let pageRows: [Int]
  private var rows: [Int]
  private var parts: [Part]
  private var row = 0

  /// What is found of one column.
  private struct Part {
    let ranges: [ClosedRange<Double>]
    var totals: [NumberTotal]
    var cells: [[Int: Int]]
    var pages: [NumberSection.Page]

    /// By looking for the range that has it.
    func bucket(of value: Double) -> Int? {
      var (low, high) = (0, ranges.count)
      while low < high {
        let middle = (low + high) / 2
        if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
      }
      return low < ranges.count && ranges[low].contains(value) ? low : nil
    }
  }

  /// - Parameter pageRows: Of each page of the block.
  init(_ section: NumberSection, pageRows: [Int]) {
    self.section = section
    self.pageRows = pageRows
    rows = Array(repeating: 0, count: section.slots.count)
    parts = section.columns.map { column in
      Part(
        ranges: column.form == .decades ? (0..<NumberBuckets.count).map(NumberBuckets.doubles(of:)) : [],
        totals: Array(repeating: NumberTotal(), count: section.slots.count),
        cells: Array(repeating: [:], count: section.slots.count),
        pages: Array(repeating: NumberSection.Page(count: 0), count: column.pages.count))
    }
  }

  /// Adds the rows of a row group; columns are those of the section, in its order.
  ///
  /// - Returns: false: a row lies in no slot, or a number in no bucket.
  mutating func add(_ times: Column, _ columns: [Column]) -> Bool {
    let places = times.int64Values.map(slot)
    for place in places {
      guard let place else { return false }
      rows[place] += 1
    }
    var page = 0
    var pageEnd = pageRows.first ?? 0
    for place in places.indices {
      while row + place >= pageEnd, page + 1 < pageRows.count {
        page += 1
        pageEnd += pageRows[page]
      }
      for (index, column) in columns.enumerated() where column.isValid(place) {
        guard let slot = places[place], add(column, place, slot, page, index) else { return false }
      }
    }
    row += places.count
    return true
  }

  /// Lifted above 0, where division rounds down.
  private func slot(of time: Int64) -> Int? {
    guard section.width > 0 else { return section.slots.count == 1 ? 0 : nil }
    let width = Int128(section.width) * 60_000_000_000
    let number = Int64((Int128(time) + (1 << 30) * width) / width - (1 << 30))
    let places = section.places(of: number...number)
    return places.isEmpty ? nil : places.lowerBound
  }

  private mutating func add(_ column: Column, _ row: Int, _ slot: Int, _ page: Int, _ index: Int) -> Bool {
    let known = section.columns[index]
    var one = NumberTotal(count: 1)
    let bucket: Int?
    if known.type == .int64 {
      let value = column.withInt64 { $0[row] }
      one.extremes = .int64(least: value, greatest: value)
      one.integerSum = Int128(value)
      if case .integers(let values) = known.form {
        bucket = values.firstIndex(of: value)
      } else {
        bucket = Double(exactly: value).flatMap { parts[index].bucket(of: $0) }
      }
    } else {
      let value = column.withFloat64 { $0[row] }
      one.extremes = .float64(least: value, greatest: value)
      one.doubleSum = value == 0 ? [] : [value]
      if case .doubles(let values) = known.form {
        bucket = values.firstIndex(of: value)
      } else {
        bucket = parts[index].bucket(of: value)
      }
    }
    if known.form != .none {
      guard let bucket else { return false }
      parts[index].cells[slot][bucket, default: 0] += 1
    }
    parts[index].totals[slot].add(one)
    if !parts[index].pages.isEmpty {
      var before = NumberTotal(extremes: parts[index].pages[page].extremes)
      before.add(one)
      parts[index].pages[page].count += 1
      parts[index].pages[page].extremes = before.extremes
    }
    return true
  }

  /// Whether the section says of the rows added what they are.
  var isThatOfSection: Bool {
    guard rows == section.rows else { return false }
    return zip(parts, section.columns).allSatisfy { part, column in
      let isSame = zip(part.totals, column.totals).allSatisfy { $0.isThat(of: $1) }
      let cells =
        column.form == .none
        || section.slots.indices.allSatisfy { slot in
          let own = column.cells[column.starts[slot]..<column.starts[slot + 1]]
          return own.filter { $0.rows > 0 }.count == part.cells[slot].count
            && own.allSatisfy { $0.rows == part.cells[slot][$0.bucket] ?? 0 }
        }
      return isSame && cells && zip(part.pages, column.pages).allSatisfy { $0.isThat(of: $1) }
    }
  }
}

extension NumberTotal {
  /// Whether both say the same, sums by what is left when one is taken from the other: -0 is 0.
  fileprivate func isThat(of other: NumberTotal) -> Bool {
    guard count == other.count, extremes == other.extremes, integerSum == other.integerSum else {
      return false
    }
    // A sum that is not known is no lie.
    guard let own = doubleSum, let parts = other.doubleSum else { return other.doubleSum == nil }
    var left: [Double]? = own
    for part in parts { left = left.flatMap { ExactParts.adding(-part, to: $0) } }
    return left?.isEmpty ?? false
  }
}

extension NumberSection.Page {
  fileprivate func isThat(of other: NumberSection.Page) -> Bool {
    count == other.count && extremes == other.extremes
  }
}

extension Column {
  /// How many rows have each text of a dictionary or a plain column; nil is null.
  var rowsByValue: [Name?: Int] {
    let texts = plainText()
    var found: [Name?: Int] = [:]
    texts.withText { offsets, bytes in
      for row in 0..<rowCount {
        guard texts.isValid(row) else {
          found[nil, default: 0] += 1
          continue
        }
        let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
        found[Name(String(decoding: text.indices.map { text[$0] }, as: UTF8.self)), default: 0] += 1
      }
    }
    return found
  }
}
