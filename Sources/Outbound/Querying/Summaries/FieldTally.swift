import Codecs
import Records

/// How many rows have which value of one field: one worker's part, or several merged.
///
/// Up to ``valuesMax`` values all is exact. Beyond, the rarer half is forgotten now and then; what each of
/// them had at most is added to ``errorBound`` (Misra and Gries, 1982: no value has more rows than its count
/// and the bound), and different values are counted by a sketch from then on.
struct FieldTally: Sendable {
  /// Values that are kept.
  static let valuesMax = 65_536

  private let valuesMax: Int
  private let memory: GroupMemory
  private var table = GroupTable(bucket: nil, columnCount: 1)
  private var counts = CountState()
  /// Of all values, once some were forgotten.
  private var sketch: DistinctState?
  private(set) var errorBound = 0
  /// Rows without a value.
  private var missingCount = 0
  private var bytesTaken = 0
  private var groups: [Int32] = []

  init(memory: GroupMemory, valuesMax: Int = FieldTally.valuesMax) {
    self.memory = memory
    self.valuesMax = valuesMax
  }

  private var byteCount: Int { table.byteCount + counts.byteCount + (sketch?.byteCount ?? 0) }

  /// Adds the rows of a column of texts.
  ///
  /// - Throws: `.memoryExhausted`.
  mutating func add(_ column: Column) throws(StoreError) {
    let batch = RecordBatch(
      fields: [Field("value", column.type, isNullable: true)], columns: [column], rowCount: column.rowCount)
    var room = table.growth(adding: batch)
    if room > 0 {
      room += counts.byteCount
      try memory.take(room)
    }
    table.number(batch, into: &groups)
    counts.grow(to: table.count)
    counts.add(MeasureInput(column: nil, rowCount: column.rowCount, passing: nil), groups: groups)
    addToSketch(column)
    missingCount += column.missingCount
    try account(room)
    try forget(beyond: valuesMax)
  }

  /// Adds what summaries counted; keys have one value each.
  mutating func add(_ known: [GroupKey: Int]) throws(StoreError) {
    for (key, count) in known where count > 0 {
      let group = table.number(key)
      counts.grow(to: table.count)
      counts.add(count, to: group)
      if key.values.first.flatMap({ $0 }) == nil { missingCount += count }
    }
    try account(0)
    try forget(beyond: valuesMax)
  }

  /// Adds another worker's part.
  mutating func merge(_ other: FieldTally) throws(StoreError) {
    let room = table.growth(merging: other.table) + counts.byteCount
    try memory.take(room)
    if other.sketch != nil || sketch != nil {
      beginSketch()
      var other = other
      other.beginSketch()
      if let more = other.sketch { sketch?.merge(more, numbers: [0]) }
    }
    let numbers = table.merge(other.table)
    counts.grow(to: table.count)
    counts.merge(other.counts, numbers: numbers)
    errorBound += other.errorBound
    missingCount += other.missingCount
    memory.give(back: other.bytesTaken)
    try account(room)
    try forget(beyond: valuesMax)
  }

  /// Lets go of the columns whose dictionaries were met last.
  mutating func forgetDictionaries() {
    table.forgetDictionaries()
    sketch?.forgetDictionary()
  }

  // MARK: Forgetting

  private mutating func addToSketch(_ column: Column) {
    guard sketch != nil else { return }
    let input = MeasureInput(column: column, rowCount: column.rowCount, passing: nil)
    if input.rows?.isEmpty ?? false { return }
    sketch?.add(input, groups: [Int32](repeating: 0, count: column.rowCount))
  }

  /// The sketch of what is known so far.
  private mutating func beginSketch() {
    guard sketch == nil else { return }
    var state = DistinctState()
    state.grow(to: 1)
    sketch = state
    let all = (0..<Int32(table.count))[...]
    addToSketch(table.texts(of: 0, keys: table.keys(isRanked: false), groups: ArraySlice(all)))
  }

  private var rows: [Int] {
    guard case .int64(let rows) = counts.values(of: .count) else { bug("counts are numbers") }
    return rows.map { Int($0 ?? 0) }
  }

  private mutating func forget(beyond most: Int) throws(StoreError) {
    guard table.count > most else { return }
    beginSketch()
    let rows = rows
    let order = rows.indices.sorted { rows[$0] > rows[$1] }
    let kept = order.prefix(most / 2)
    errorBound += rows[order[kept.count]]
    let groups = kept.map { Int32($0) }
    counts.keep(groups)
    table.keep(groups)
    let bytes = byteCount
    if bytes < bytesTaken {
      memory.give(back: bytesTaken - bytes)
      bytesTaken = bytes
    }
  }

  private mutating func account(_ room: Int) throws(StoreError) {
    let grown = byteCount - bytesTaken
    if grown <= room { memory.give(back: room - max(0, grown)) } else { try memory.take(grown - room) }
    bytesTaken += max(0, grown)
  }

  // MARK: Answering

  /// The most frequent values.
  func answer(_ path: ColumnPath, most: Int) -> SummaryAnswer.Field {
    let rows = rows
    let keys = table.keys(isRanked: false)
    let order = GroupOrder(table, keys)
    let first = TopGroups.first(min(most + 1, rows.count), of: rows.count) { left, right in
      let (a, b) = (rows[Int(left)], rows[Int(right)])
      return a == b ? order.precedes(left, right) : a > b
    }
    let texts = table.texts(of: 0, keys: keys, groups: ArraySlice(first))
    var values: [SummaryAnswer.Count] = []
    for (row, group) in first.enumerated() {
      guard let text = texts.text(at: row) else { continue }
      values.append(SummaryAnswer.Count(value: text, count: rows[Int(group)]))
    }
    var distinct = rows.count - (missingCount > 0 ? 1 : 0)
    if let sketch, case .int64(let counted) = sketch.values(of: .count) {
      distinct = counted.first.flatMap { $0 }.map { Int($0) } ?? distinct
    }
    return SummaryAnswer.Field(
      path: path, values: Array(values.prefix(most)), distinct: distinct, missing: missingCount,
      isExact: errorBound == 0, errorBound: errorBound)
  }
}
