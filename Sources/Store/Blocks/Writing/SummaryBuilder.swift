import Records

/// Counts rows by minute and column value while a block is written.
///
/// Memory: the cells so far, and a number a value for the minute at hand; a column that outgrows the layout's
/// bounds is given up.
struct SummaryBuilder {
  private let layout: BlockLayout
  private var minuteIndex: [Int64: Int] = [:]
  private var minutes: [Int64] = []
  private var totals: [Int] = []
  private var columns: [Counter]
  private var pairs: [Pair]
  private var hasTooManyMinutes = false

  fileprivate struct Counter {
    let name: String
    var isGivenUp = false
    var values: [String?] = []
    var index: [Name?: Int32] = [:]
    /// Rows by (minute << 32 | value).
    var cells: [UInt64: Int] = [:]
    /// Rows of the minute at hand, by value.
    var open: [Int] = []
  }

  private struct Pair {
    let left: Int
    let right: Int
    var isGivenUp = false
    /// Rows by (left value << 32 | right value).
    var cells: [UInt64: Int] = [:]
  }

  init(columns names: [String], layout: BlockLayout) {
    self.layout = layout
    columns = names.map { Counter(name: $0) }
    pairs = []
    for left in names.indices {
      for right in names.indices where left < right { pairs.append(Pair(left: left, right: right)) }
    }
  }

  /// Adds rows: their `timestamp`, and the columns in the order given before, in dictionary layout where they
  /// have few values; a plain column with values is given up.
  mutating func add(timestamps: Column, columns batch: [Column]) {
    let numbers = batch.enumerated().map { valueNumbers(of: $1, for: $0) }
    for index in columns.indices where numbers[index].isEmpty { columns[index].isGivenUp = true }
    countMinutes(timestamps, numbers)
    for index in pairs.indices { countPair(index, numbers) }
  }

  /// The number of each row's value in the block; empty if the column is given up.
  private mutating func valueNumbers(of column: Column, for index: Int) -> [Int32] {
    guard !columns[index].isGivenUp else { return [] }
    var null: Int32 = -1
    let isValid = column.withValidity { bits -> [Bool]? in
      guard let bits else { return nil }
      return (0..<column.rowCount).map { bits[$0 >> 3] & (1 << UInt8($0 & 7)) != 0 }
    }
    if isValid?.contains(false) ?? false { null = number(of: nil, in: index) }
    guard case .dictionary = column.storage else {
      // Only a column of nulls stays plain.
      guard isValid?.contains(true) != true, isValid != nil else { return [] }
      return columns[index].isGivenUp ? [] : [Int32](repeating: null, count: column.rowCount)
    }
    var result = [Int32](repeating: null, count: column.rowCount)
    column.withDictionary { keys, offsets, bytes in
      var ofKey: [Int32] = []
      for key in 0..<offsets.count - 1 {
        let range = Int(offsets[key])..<Int(offsets[key + 1])
        if range.count > BlockSummary.valueBytesMax { columns[index].isGivenUp = true }
        if columns[index].isGivenUp { return }
        let text = bytes.extracting(range)
        ofKey.append(number(of: String(decoding: text.indices.map { text[$0] }, as: UTF8.self), in: index))
      }
      if let isValid {
        for row in result.indices where isValid[row] { result[row] = ofKey[Int(keys[row])] }
      } else {
        for row in result.indices { result[row] = ofKey[Int(keys[row])] }
      }
    }
    return columns[index].isGivenUp ? [] : result
  }

  private mutating func number(of value: String?, in index: Int) -> Int32 {
    let name = value.map { Name($0) }
    if let known = columns[index].index[name] { return known }
    let number = Int32(columns[index].values.count)
    columns[index].values.append(value)
    columns[index].index[name] = number
    columns[index].open.append(0)
    if columns[index].values.count > layout.summaryValuesMax { columns[index].isGivenUp = true }
    return number
  }

  private mutating func countMinutes(_ timestamps: Column, _ numbers: [[Int32]]) {
    guard !hasTooManyMinutes else { return }
    timestamps.withInt64 { times in
      var start = 0
      while start < times.count {
        let minute = BlockSummary.minute(of: times[start])
        // Two times may lie further apart than Int64 can say: they are compared, and never subtracted.
        let (first, last) = BlockSummary.times(ofMinute: minute)
        var end = start + 1
        while end < times.count, times[end] >= first, times[end] <= last { end += 1 }
        add(minute, start..<end, numbers)
        start = end
      }
    }
  }

  private mutating func add(_ minute: Int64, _ rows: Range<Int>, _ numbers: [[Int32]]) {
    let place = minuteIndex[minute] ?? minutes.count
    if place == minutes.count {
      guard minutes.count < BlockSummary.minutesMax else {
        hasTooManyMinutes = true
        return
      }
      minuteIndex[minute] = place
      minutes.append(minute)
      totals.append(0)
    }
    totals[place] += rows.count
    for index in columns.indices where !columns[index].isGivenUp {
      columns[index].count(rows, numbers[index], minute: place)
      if columns[index].cells.count > layout.summaryCellsMax { columns[index].isGivenUp = true }
    }
  }

  private mutating func countPair(_ index: Int, _ numbers: [[Int32]]) {
    let (left, right) = (pairs[index].left, pairs[index].right)
    guard !pairs[index].isGivenUp, !columns[left].isGivenUp, !columns[right].isGivenUp else {
      pairs[index].isGivenUp = true
      return
    }
    let width = columns[right].values.count
    var counts = [Int32](repeating: 0, count: columns[left].values.count * width)
    let (a, b) = (numbers[left], numbers[right])
    for row in a.indices { counts[Int(a[row]) * width + Int(b[row])] += 1 }
    for (cell, rows) in counts.enumerated() where rows > 0 {
      pairs[index].cells[UInt64(cell / width) << 32 | UInt64(cell % width), default: 0] += Int(rows)
    }
    if pairs[index].cells.count > layout.jointCellsMax { pairs[index].isGivenUp = true }
  }

  /// The summary; nil if the rows span too many minutes.
  func finish() -> BlockSummary? {
    guard !hasTooManyMinutes else { return nil }
    var summary = BlockSummary()
    let order = minutes.indices.sorted { minutes[$0] < minutes[$1] }
    var rank = [Int](repeating: 0, count: order.count)
    for (place, index) in order.enumerated() { rank[index] = place }
    summary.minutes = order.map { minutes[$0] }
    summary.totals = order.map { totals[$0] }
    var places: [Int: Int] = [:]
    for (index, counter) in columns.enumerated() where !counter.isGivenUp {
      places[index] = summary.columns.count
      summary.columns.append(counter.finish(rank: rank))
    }
    for pair in pairs where !pair.isGivenUp {
      guard let left = places[pair.left], let right = places[pair.right] else { continue }
      let cells = pair.cells.sorted { $0.key < $1.key }.map { key, rows in
        BlockSummary.PairCell(left: Int32(key >> 32), right: Int32(key & 0xFFFF_FFFF), rows: rows)
      }
      summary.pairs.append(BlockSummary.PairCounts(left: left, right: right, cells: cells))
    }
    return summary
  }
}

extension SummaryBuilder.Counter {
  /// Adds rows of one minute.
  fileprivate mutating func count(_ rows: Range<Int>, _ numbers: [Int32], minute: Int) {
    if rows.count < 16 {
      for row in rows { cells[UInt64(minute) << 32 | UInt64(numbers[row]), default: 0] += 1 }
      return
    }
    for row in rows { open[Int(numbers[row])] += 1 }
    for value in open.indices where open[value] > 0 {
      cells[UInt64(minute) << 32 | UInt64(value), default: 0] += open[value]
      open[value] = 0
    }
  }

  fileprivate func finish(rank: [Int]) -> BlockSummary.ColumnCounts {
    let sorted = cells.map { key, rows in
      (minute: rank[Int(key >> 32)], value: Int32(key & 0xFFFF_FFFF), rows: rows)
    }.sorted { ($0.minute, $0.value) < ($1.minute, $1.value) }
    var result = BlockSummary.ColumnCounts(name: name, values: values, starts: [0], cells: [])
    var at = 0
    for minute in rank.indices {
      while at < sorted.count, sorted[at].minute == minute {
        result.cells.append(BlockSummary.Cell(value: sorted[at].value, rows: sorted[at].rows))
        at += 1
      }
      result.starts.append(result.cells.count)
    }
    return result
  }
}
