import Records

/// Counts, sums, extremes and buckets of a block's numbers by time and by page (section 14 of
/// Docs/formats/block.md).
struct NumberSection: Sendable, Equatable {
  /// Widths of slots in minutes, the finest first; 0: all rows are one slot.
  static let widths = [1, 60, 1_440, 0]
  /// Different values that are buckets of their own.
  static let valuesMax = 64

  /// How a column's numbers are counted.
  enum Form: Sendable, Equatable {
    /// Not at all.
    case none
    /// Each of these, ascending, is a bucket.
    case integers([Int64])
    case doubles([Double])
    /// See ``NumberBuckets``.
    case decades
  }

  /// Rows of one bucket.
  struct Cell: Sendable, Equatable {
    var bucket: Int
    var rows: Int
  }

  /// What is known of the numbers of a page.
  struct Page: Sendable, Equatable {
    var count: Int
    /// nil: there is none.
    var extremes: NumberTotal.Extremes?
  }

  /// One column of the file.
  struct Column: Sendable, Equatable {
    var name: String
    var type: ColumnType
    var form: Form
    /// A slot each.
    var totals: [NumberTotal]
    /// Where the cells of each slot start; one more at the end.
    var starts: [Int]
    /// By slot, then by bucket, ascending.
    var cells: [Cell]
    /// A page each; empty: nothing is known of pages.
    var pages: [Page]

    /// Of all rows.
    var total: NumberTotal {
      totals.reduce(into: NumberTotal()) { $0.add($1) }
    }
  }

  /// In minutes; one of ``widths``.
  var width: Int
  /// Numbers of slots: floors of timestamp / width, ascending; of one slot of all rows 0.
  var slots: [Int64] = []
  /// Rows of each slot.
  var rows: [Int] = []
  var columns: [Column] = []

  /// The slot that a time lies in.
  func slot(of timestamp: Int64) -> Int64 { NumberSection.slot(of: timestamp, width: width) }

  static func slot(of timestamp: Int64, width: Int) -> Int64 {
    width == 0 ? 0 : coarser(BlockSummary.minute(of: timestamp), by: width)
  }

  /// The first and the last time of a slot that has one.
  static func times(ofSlot slot: Int64, width: Int) -> ClosedRange<Int64> {
    if width == 0 { return .min ... .max }
    let first = slot * Int64(width)
    let start = BlockSummary.times(ofMinute: first).first
    return start...max(start, BlockSummary.times(ofMinute: first + Int64(width) - 1).last)
  }

  /// The slot of `factor` times the width that a slot lies in; 0: there is but one.
  static func coarser(_ slot: Int64, by factor: Int) -> Int64 {
    if factor == 0 { return 0 }
    let quotient = slot / Int64(factor)
    return slot % Int64(factor) < 0 ? quotient - 1 : quotient
  }

  /// The places of the slots in `range`.
  func places(of range: ClosedRange<Int64>) -> Range<Int> {
    func first(_ isReached: (Int64) -> Bool) -> Int {
      var (low, high) = (0, slots.count)
      while low < high {
        let middle = (low + high) / 2
        if isReached(slots[middle]) { high = middle } else { low = middle + 1 }
      }
      return low
    }
    return first { $0 >= range.lowerBound }..<first { $0 > range.upperBound }
  }

  func column(_ name: String) -> Column? { columns.first { $0.name.hasBytes(of: name) } }
}

// MARK: Bytes

extension NumberSection {
  func encoded(withPages: Bool = true) -> [UInt8] {
    var writer = IndexWriter()
    writer.append(count: width)
    writer.append(count: slots.count)
    var previous: Int64 = 0
    for (index, slot) in slots.enumerated() {
      writer.append(signed: slot - previous)
      writer.append(count: rows[index])
      previous = slot
    }
    let pageCount = withPages ? columns.first?.pages.count ?? 0 : 0
    writer.append(count: pageCount)
    writer.append(count: columns.count)
    for column in columns {
      writer.append(text: column.name)
      writer.append(column.type.rawValue)
      writer.append(column.form)
      for place in slots.indices {
        writer.append(column.totals[place], column.type)
        guard column.form != .none, column.totals[place].count > 0 else { continue }
        let cells = column.cells[column.starts[place]..<column.starts[place + 1]]
        writer.append(count: cells.count)
        var before = 0
        for cell in cells {
          writer.append(count: cell.bucket - before)
          writer.append(count: cell.rows)
          before = cell.bucket
        }
      }
      for page in column.pages.prefix(pageCount) {
        writer.append(count: page.count)
        if let extremes = page.extremes { writer.append(extremes) }
      }
    }
    return writer.bytes
  }

  /// - Parameters:
  ///   - rowCount: Of the block.
  ///   - pageRows: Of each page.
  init(_ bytes: Buffer, rowCount: Int, pageRows: [Int]) throws(IndexError) {
    var reader = IndexReader(bytes)
    width = try reader.count(max: 1_440)
    guard NumberSection.widths.contains(width) else { throw reader.error("a width of slots") }
    let slotCount = try reader.count(max: BlockSummary.minutesMax)
    var previous: Int64 = 0
    var left = rowCount
    for place in 0..<slotCount {
      let (slot, isOver) = previous.addingReportingOverflow(try reader.signed())
      guard !isOver, place == 0 || slot > previous else { throw reader.error("slots out of order") }
      previous = slot
      slots.append(slot)
      rows.append(try reader.count(max: left))
      left -= rows[place]
    }
    guard left == 0, width > 0 || slotCount == 1 else { throw reader.error("slots of other rows") }
    let pageCount = try reader.count(max: pageRows.count)
    guard pageCount == 0 || pageCount == pageRows.count else { throw reader.error("a page more or less") }
    for _ in 0..<(try reader.count(max: 1 << 20)) {
      columns.append(try NumberSection.column(&reader, rows: rows, pageRows: pageRows.prefix(pageCount)))
    }
    guard reader.isAtEnd else { throw reader.error("bytes behind the numbers") }
  }

  private static func column(
    _ reader: inout IndexReader, rows: [Int], pageRows: ArraySlice<Int>
  ) throws(IndexError) -> Column {
    let name = try reader.text()
    guard let type = ColumnType(rawValue: try reader.byte()), type == .int64 || type == .float64 else {
      throw reader.error("an impossible type of numbers")
    }
    let form = try reader.form(type)
    var column = Column(name: name, type: type, form: form, totals: [], starts: [0], cells: [], pages: [])
    for slotRows in rows {
      let total = try reader.total(type, max: slotRows)
      column.totals.append(total)
      if form != .none, total.count > 0 { try reader.cells(of: total, form.bucketCount, into: &column.cells) }
      column.starts.append(column.cells.count)
    }
    for rowCount in pageRows {
      let count = try reader.count(max: rowCount)
      column.pages.append(Page(count: count, extremes: count > 0 ? try reader.extremes(type) : nil))
    }
    return column
  }
}

extension NumberSection.Form {
  /// Buckets are numbered below it.
  var bucketCount: Int {
    switch self {
    case .none: 0
    case .integers(let values): values.count
    case .doubles(let values): values.count
    case .decades: NumberBuckets.count
    }
  }
}

extension IndexWriter {
  fileprivate mutating func append(_ form: NumberSection.Form) {
    switch form {
    case .none: append(0)
    case .integers(let values):
      append(1)
      append(count: values.count)
      for value in values { append(signed: value) }
    case .doubles(let values):
      append(1)
      append(count: values.count)
      for value in values { append(littleEndian: value.bitPattern) }
    case .decades: append(2)
    }
  }

  fileprivate mutating func append(_ extremes: NumberTotal.Extremes) {
    switch extremes {
    case .int64(let least, let greatest):
      append(signed: least)
      append(signed: greatest)
    case .float64(let least, let greatest):
      append(littleEndian: least.bitPattern)
      append(littleEndian: greatest.bitPattern)
    }
  }

  fileprivate mutating func append(_ total: NumberTotal, _ type: ColumnType) {
    append(count: total.count)
    guard let extremes = total.extremes else { return }
    append(extremes)
    if type == .int64 {
      append(signed: Int64(truncatingIfNeeded: total.integerSum >> 64))
      append(unsigned: UInt64(truncatingIfNeeded: total.integerSum))
    } else if let parts = total.doubleSum {
      append(count: parts.count + 1)
      for part in parts { append(littleEndian: part.bitPattern) }
    } else {
      append(0)
    }
  }
}

extension IndexReader {
  /// No sum of doubles has more parts: they do not overlap.
  private static let partsMax = 64

  private mutating func double() throws(IndexError) -> Double {
    let value = Double(bitPattern: try integer(UInt64.self))
    guard value.isFinite else { throw error("a number that is none") }
    return value
  }

  fileprivate mutating func form(_ type: ColumnType) throws(IndexError) -> NumberSection.Form {
    switch try byte() {
    case 0: return .none
    case 2: return .decades
    case 1:
      let count = try count(max: NumberSection.valuesMax)
      if type == .int64 {
        var values: [Int64] = []
        for _ in 0..<count {
          let value = try signed()
          guard values.last.map({ $0 < value }) ?? true else { throw error("values out of order") }
          values.append(value)
        }
        return .integers(values)
      }
      var values: [Double] = []
      for _ in 0..<count {
        let value = try double()
        guard values.last.map({ $0 < value }) ?? true else { throw error("values out of order") }
        values.append(value)
      }
      return .doubles(values)
    default: throw error("an unknown form of counts")
    }
  }

  fileprivate mutating func extremes(_ type: ColumnType) throws(IndexError) -> NumberTotal.Extremes {
    if type == .int64 {
      let (least, greatest) = (try signed(), try signed())
      guard least <= greatest else { throw error("bounds the wrong way round") }
      return .int64(least: least, greatest: greatest)
    }
    let (least, greatest) = (try double(), try double())
    guard least <= greatest else { throw error("bounds the wrong way round") }
    return .float64(least: least, greatest: greatest)
  }

  fileprivate mutating func total(_ type: ColumnType, max: Int) throws(IndexError) -> NumberTotal {
    var total = NumberTotal(count: try count(max: max))
    guard total.count > 0 else { return total }
    total.extremes = try extremes(type)
    if type == .int64 {
      let high = try signed()
      total.integerSum = Int128(high) << 64 | Int128(try unsigned())
      return total
    }
    let partCount = try count(max: IndexReader.partsMax)
    guard partCount > 0 else {
      total.doubleSum = nil
      return total
    }
    var parts: [Double] = []
    for _ in 1..<partCount { parts.append(try double()) }
    total.doubleSum = parts
    return total
  }

  fileprivate mutating func cells(
    of total: NumberTotal, _ bucketCount: Int, into cells: inout [NumberSection.Cell]
  ) throws(IndexError) {
    var bucket = -1
    var left = total.count
    for place in 0..<(try count(max: bucketCount)) {
      let step = try count(max: bucketCount)
      guard place == 0 || step > 0, Swift.max(bucket, 0) + step < bucketCount else {
        throw error("buckets out of order")
      }
      bucket = Swift.max(bucket, 0) + step
      let rows = try count(max: left)
      left -= rows
      cells.append(NumberSection.Cell(bucket: bucket, rows: rows))
    }
    guard left == 0 else { throw error("buckets of other rows") }
  }
}
