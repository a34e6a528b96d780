import Codecs
import Records

/// How many rows have which value of one field: one worker's part, or several merged.
///
/// Up to ``valuesMax`` values all is exact. Beyond, the rarer half is forgotten now and then; what each of
/// them had at most is added to ``errorBound`` (Misra and Gries, 1982: no value has more rows than its count
/// and the bound), and different values are counted by a sketch from then on.
///
/// Numbers that come as such are counted by their bits, and become texts when there are many of them, or an
/// answer is wanted (``settle()``).
struct FieldTally: Sendable {
  /// Values that are kept.
  static let valuesMax = 65_536

  private let valuesMax: Int
  private let memory: GroupMemory
  private var table = GroupTable(bucket: nil, columnCount: 1)
  private var counts = CountState()
  private var integers = NumberCounts(isInteger: true)
  private var floats = NumberCounts(isInteger: false)
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

  private var byteCount: Int {
    table.byteCount + counts.byteCount + (sketch?.byteCount ?? 0) + integers.byteCount + floats.byteCount
  }

  /// Adds the rows of a column of texts or numbers.
  ///
  /// - Throws: `.memoryExhausted`.
  mutating func add(_ column: Column) throws(StoreError) {
    guard column.type.isNumber else { return try add(texts: column) }
    let isInteger = column.type == .int64
    let room = try makeRoom(
      integers: isInteger ? column.rowCount : 0, floats: isInteger ? 0 : column.rowCount)
    if isInteger { integers.add(column) } else { floats.add(column) }
    try account(room)
    if column.missingCount > 0 { try add([GroupKey(bucket: 0, values: [nil]): column.missingCount]) }
  }

  private mutating func add(texts column: Column) throws(StoreError) {
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
    let more = try makeRoom(integers: other.integers.count, floats: other.floats.count)
    integers.merge(other.integers)
    floats.merge(other.floats)
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
    try account(room + more)
    try forget(beyond: valuesMax)
  }

  // MARK: Numbers

  /// Numbers of which so many more than values are counted by their bits: making texts of them now and then
  /// must cost little a row.
  private static let numbersFactor = 8

  /// Takes what so many numbers that come need at most. Those that are there become texts first if with these
  /// there may be too many, or if memory is short.
  ///
  /// - Returns: What was taken.
  private mutating func makeRoom(integers: Int, floats: Int) throws(StoreError) -> Int {
    let most = valuesMax * FieldTally.numbersFactor
    if integers > 0, self.integers.count + integers > most { try fold(\.integers) }
    if floats > 0, self.floats.count + floats > most { try fold(\.floats) }
    func growth() -> Int { self.integers.growth(adding: integers) + self.floats.growth(adding: floats) }
    do throws(StoreError) {
      let room = growth()
      try memory.take(room)
      return room
    } catch {
      guard case .memoryExhausted = error, self.integers.count + self.floats.count > 0 else { throw error }
    }
    try fold(\.integers)
    try fold(\.floats)
    let room = growth()
    try memory.take(room)
    return room
  }

  /// The numbers, if there is nothing else.
  private var numbersAlone: NumberCounts? {
    guard sketch == nil, table.count == (missingCount > 0 ? 1 : 0) else { return nil }
    if integers.count == 0 { return floats }
    return floats.count == 0 ? integers : nil
  }

  /// Makes texts of numbers where there are other values too: then ``answer(_:most:)`` knows all.
  mutating func settle() throws(StoreError) {
    guard numbersAlone == nil else { return }
    try fold(\.integers)
    try fold(\.floats)
  }

  private mutating func fold(_ path: WritableKeyPath<FieldTally, NumberCounts>) throws(StoreError) {
    guard self[keyPath: path].count > 0 else { return }
    var numbers = NumberCounts(isInteger: path == \.integers)
    swap(&numbers, &self[keyPath: path])
    // What they take is charged until they are texts.
    let held = numbers.byteCount
    bytesTaken -= held
    defer { memory.give(back: held) }
    for part in numbers.parts(ofPlaces: valuesMax * 2) {
      let meanwhile = numbers.textBytesMax(in: part)
      try memory.take(meanwhile)
      defer { memory.give(back: meanwhile) }
      let (column, rows) = numbers.texts(in: part)
      let batch = RecordBatch(
        fields: [Field("value", .utf8, isNullable: true)], columns: [column], rowCount: column.rowCount)
      let room = table.growth(adding: batch) + counts.byteCount
      try memory.take(room)
      table.number(batch, into: &groups)
      counts.grow(to: table.count)
      for (row, count) in rows.enumerated() { counts.add(count, to: groups[row]) }
      addToSketch(column)
      try account(room)
      try forget(beyond: valuesMax)
    }
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

  /// Notes what is held, of which `room` was taken before.
  private mutating func account(_ room: Int) throws(StoreError) {
    let now = byteCount
    let grown = now - bytesTaken
    if grown <= room { memory.give(back: room - grown) } else { try memory.take(grown - room) }
    bytesTaken = now
  }

  // MARK: Answering

  /// The most frequent values; of numbers those that are settled.
  func answer(_ path: ColumnPath, most: Int) -> SummaryAnswer.Field {
    if let numbers = numbersAlone {
      return SummaryAnswer.Field(
        path: path,
        values: numbers.first(most).map {
          SummaryAnswer.Count(value: String(decoding: $0.text, as: UTF8.self), count: $0.count)
        }, distinct: numbers.count, missing: missingCount, isExact: true, errorBound: 0)
    }
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
