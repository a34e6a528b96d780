import Records

/// Counts of a block's rows by minute and column value (sections 4 and 5 of Docs/formats/block.md).
struct BlockSummary: Sendable, Equatable {
  static let minuteNanoseconds: Int64 = 60_000_000_000
  static let minutesMax = 200_000
  static let valueBytesMax = 1_024

  /// Rows of one column by minute and value.
  struct ColumnCounts: Sendable, Equatable {
    var name: String
    var values: [String?]
    /// Where the cells of each minute start; one more at the end.
    var starts: [Int]
    var cells: [Cell]

    /// Rows of the whole block by value: the sum of the cells.
    func totals() -> [Int] { rows(ofMinutes: 0..<starts.count - 1) }

    /// Rows of some minutes, by place among the block's minutes, by value. About a nanosecond a cell.
    func rows(ofMinutes places: Range<Int>) -> [Int] {
      var rows = [Int](repeating: 0, count: values.count)
      for cell in cells[starts[places.lowerBound]..<starts[places.upperBound]] {
        rows[Int(cell.value)] &+= cell.rows
      }
      return rows
    }
  }

  /// Rows with one value.
  struct Cell: Sendable, Equatable {
    var value: Int32
    var rows: Int
  }

  /// Rows of the whole block by the values of two columns.
  struct PairCounts: Sendable, Equatable {
    /// Indices into ``columns``.
    var left: Int
    var right: Int
    var cells: [PairCell]
  }

  struct PairCell: Sendable, Equatable {
    var left: Int32
    var right: Int32
    var rows: Int
  }

  /// Floors of timestamp / 60 s, ascending.
  var minutes: [Int64] = []
  /// Rows of each minute.
  var totals: [Int] = []
  var columns: [ColumnCounts] = []
  var pairs: [PairCounts] = []
  /// By column of ``columns``, the rows of the whole block by value; of a block that was read.
  private(set) var columnTotals: [[Int]] = []

  /// The place of a column in ``columns``.
  func place(of name: String) -> Int? { columns.firstIndex { $0.name == name } }

  func column(_ name: String) -> ColumnCounts? { place(of: name).map { columns[$0] } }

  /// Rows of some minutes by the column's values; the whole block's without looking at a minute.
  func rows(of column: Int, minutes places: Range<Int>) -> [Int] {
    places == minutes.indices && column < columnTotals.count
      ? columnTotals[column] : columns[column].rows(ofMinutes: places)
  }

  /// The counts of a pair of columns, whichever way round.
  func pair(_ left: String, _ right: String) -> PairCounts? {
    pairs.first { pair in
      let names = (columns[pair.left].name, columns[pair.right].name)
      return names.0.hasBytes(of: left) && names.1.hasBytes(of: right)
        || names.0.hasBytes(of: right) && names.1.hasBytes(of: left)
    }
  }

  static func minute(of timestamp: Int64) -> Int64 {
    let quotient = timestamp / minuteNanoseconds
    return timestamp % minuteNanoseconds < 0 ? quotient - 1 : quotient
  }

  /// The first and the last nanosecond of a minute that some time lies in.
  static func times(ofMinute minute: Int64) -> (first: Int64, last: Int64) {
    let (first, isEarly) = minute.multipliedReportingOverflow(by: minuteNanoseconds)
    let (behind, isLate) = (minute + 1).multipliedReportingOverflow(by: minuteNanoseconds)
    return (isEarly ? .min : first, isLate ? .max : behind - 1)
  }

  /// Where a block with these bounds has its counts by minute.
  ///
  /// Where the difference of two times does not fit Int64, they were counted wrong in the section that others
  /// have: it is not looked at.
  static func section(of bounds: KeyBounds) -> BlockIndex.Section {
    let first = bounds.timestampMin.flooredTime(by: minuteNanoseconds)
    return bounds.timestampMax.nanoseconds(since: first) > UInt64(Int64.max) ? .wideMinutes : .minutes
  }

  func encodedMinutes() -> [UInt8] {
    var writer = IndexWriter()
    writer.append(count: minutes.count)
    var previous: Int64 = 0
    for (index, minute) in minutes.enumerated() {
      writer.append(signed: minute - previous)
      writer.append(count: totals[index])
      previous = minute
    }
    writer.append(count: columns.count)
    for column in columns {
      writer.append(text: column.name)
      writer.append(count: column.values.count)
      for value in column.values {
        writer.append(value == nil ? 0 : 1)
        if let value { writer.append(text: value) }
      }
      for index in minutes.indices {
        let cells = column.cells[column.starts[index]..<column.starts[index + 1]]
        writer.append(count: cells.count)
        for cell in cells {
          writer.append(count: Int(cell.value))
          writer.append(count: cell.rows)
        }
      }
    }
    return writer.bytes
  }

  func encodedPairs() -> [UInt8] {
    var writer = IndexWriter()
    writer.append(count: pairs.count)
    for pair in pairs {
      writer.append(text: columns[pair.left].name)
      writer.append(text: columns[pair.right].name)
      writer.append(count: pair.cells.count)
      for cell in pair.cells {
        writer.append(count: Int(cell.left))
        writer.append(count: Int(cell.right))
        writer.append(count: cell.rows)
      }
    }
    return writer.bytes
  }

  init() {}

  /// The content of the section that says that values were told apart by their bytes.
  static let byBytes: UInt8 = 1

  /// Leaves out the columns whose values may have been counted as one with others that look the same (UAX
  /// #15): those with a value beyond ASCII, or of the ASCII characters that another scalar stands for.
  mutating func dropMergedValues() {
    let twins: [UInt8] = [UInt8(ascii: "K"), UInt8(ascii: ";"), UInt8(ascii: "`")]
    let kept = columns.indices.filter { index in
      columns[index].values.allSatisfy { value in
        (value ?? "").utf8.allSatisfy { $0 < 0x80 && !twins.contains($0) }
      }
    }
    guard kept.count < columns.count else { return }
    pairs = pairs.compactMap { pair in
      guard let left = kept.firstIndex(of: pair.left), let right = kept.firstIndex(of: pair.right) else {
        return nil
      }
      return PairCounts(left: left, right: right, cells: pair.cells)
    }
    columns = kept.map { columns[$0] }
    columnTotals = columns.map { $0.totals() }
  }

  /// Reads both sections; `pairs` may be missing.
  init(minutes section: Buffer, pairs pairSection: Buffer?) throws(IndexError) {
    var reader = IndexReader(section)
    let minuteCount = try reader.count(max: BlockSummary.minutesMax)
    var previous: Int64 = 0
    for index in 0..<minuteCount {
      let (minute, isOverflow) = previous.addingReportingOverflow(try reader.signed())
      guard !isOverflow, index == 0 || minute > previous else { throw reader.error("minutes out of order") }
      previous = minute
      minutes.append(minute)
      totals.append(try reader.count())
    }
    for _ in 0..<(try reader.count(max: 1024)) {
      columns.append(try BlockSummary.column(&reader, minuteCount: minuteCount))
    }
    guard reader.isAtEnd else { throw reader.error("bytes behind the minutes") }
    columnTotals = columns.map { $0.totals() }
    if let pairSection { pairs = try decodePairs(pairSection) }
  }

  private static func column(
    _ reader: inout IndexReader, minuteCount: Int
  ) throws(IndexError) -> ColumnCounts {
    var column = ColumnCounts(name: try reader.text(), values: [], starts: [0], cells: [])
    let valueCount = try reader.count(max: 1 << 20)
    for _ in 0..<valueCount {
      column.values.append(try reader.byte() == 0 ? nil : try reader.text())
    }
    for _ in 0..<minuteCount {
      for _ in 0..<(try reader.count(max: valueCount)) {
        let value = try reader.count(max: valueCount - 1)
        column.cells.append(Cell(value: Int32(value), rows: try reader.count()))
      }
      column.starts.append(column.cells.count)
    }
    return column
  }

  private func decodePairs(_ section: Buffer) throws(IndexError) -> [PairCounts] {
    var reader = IndexReader(section)
    var pairs: [PairCounts] = []
    for _ in 0..<(try reader.count(max: 1024)) {
      let names = (try reader.text(), try reader.text())
      guard let left = columns.firstIndex(where: { $0.name == names.0 }),
        let right = columns.firstIndex(where: { $0.name == names.1 })
      else { throw reader.error("a pair of unknown columns") }
      var pair = PairCounts(left: left, right: right, cells: [])
      for _ in 0..<(try reader.count(max: 1 << 20)) {
        let a = try reader.count(max: columns[left].values.count - 1)
        let b = try reader.count(max: columns[right].values.count - 1)
        pair.cells.append(PairCell(left: Int32(a), right: Int32(b), rows: try reader.count()))
      }
      pairs.append(pair)
    }
    guard reader.isAtEnd else { throw reader.error("bytes behind the pairs") }
    return pairs
  }
}
