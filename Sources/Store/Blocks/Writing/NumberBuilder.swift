import Records

/// Gathers section 14 (``NumberSection``) while a block is written. About 10 ns a number.
struct NumberBuilder {
  /// Cells of all columns beyond which slots are widened, so that memory is bounded.
  private static let cellsMax = 1 << 16
  /// Bytes of the section that every block may have, and rows that pay for one more.
  private static let bytesAlways = 2_048
  private static let rowsPerByte = 12

  private let isByTime: Bool
  private let rowsPerPage: Int
  private var width: Int
  private var places: [Int64: Int] = [:]
  private var slots: [Int64] = []
  private var rows: [Int] = []
  private var rowCount = 0
  private var columns: [NumberColumn]
  /// By column, its place in a batch.
  private let indices: [Int]

  /// - Parameter fields: Of the batches to come: those of numbers are looked at, but positions.
  init(fields: [Field], schema: DatasetSchema, rowsPerPage: Int) {
    isByTime = schema.isSortedByTime
    self.rowsPerPage = rowsPerPage
    width = isByTime ? NumberSection.widths[0] : 0
    indices = fields.indices.filter { index in
      let field = fields[index]
      // Times are integers of files: they have bounds of their own.
      let isTime = schema.fields.contains { own in
        own.type == .timestamp && StoredForm.fields(of: own).contains { $0.name.hasBytes(of: field.name) }
      }
      return (field.type == .int64 || field.type == .float64) && !isTime
        && !field.name.hasBytes(of: "position")
    }
    columns = indices.map { NumberColumn(name: fields[$0].name, type: fields[$0].type) }
  }

  /// Adds a row group of whole pages, but for the block's last: the times of its rows, and all columns of the
  /// file.
  mutating func add(timestamps: Column, _ batch: RecordBatch) {
    guard !columns.isEmpty else { return }
    for (place, index) in indices.enumerated() {
      columns[place].addPages(batch.columns[index], rowsPerPage: rowsPerPage)
    }
    var start = 0
    timestamps.withInt64 { times in
      while start < times.count {
        let slot = NumberSection.slot(of: times[start], width: width)
        // Two times may lie further apart than Int64 can say: they are compared, and never subtracted.
        let range = NumberSection.times(ofSlot: slot, width: width)
        var end = start + 1
        while end < times.count, range.contains(times[end]) { end += 1 }
        add(start..<end, of: slot, batch)
        start = end
        if columns.reduce(0, { $0 + $1.cells.count }) > NumberBuilder.cellsMax { widen() }
      }
    }
    rowCount += batch.rowCount
  }

  private mutating func add(_ rows: Range<Int>, of slot: Int64, _ batch: RecordBatch) {
    let place = place(of: slot)
    self.rows[place] += rows.count
    for (column, index) in indices.enumerated() {
      columns[column].add(batch.columns[index], rows, slot: place)
    }
  }

  private mutating func place(of slot: Int64) -> Int {
    if let known = places[slot] { return known }
    places[slot] = slots.count
    slots.append(slot)
    rows.append(0)
    return slots.count - 1
  }

  /// Makes slots of the next width of those there are.
  private mutating func widen() {
    guard let step = NumberSection.widths.firstIndex(of: width), step + 1 < NumberSection.widths.count else {
      return
    }
    let next = NumberSection.widths[step + 1]
    let (old, oldRows) = (slots, rows)
    let factor = next == 0 ? 0 : next / width
    (places, slots, rows, width) = ([:], [], [], next)
    let moved = old.map { place(of: NumberSection.coarser($0, by: factor)) }
    for (from, to) in moved.enumerated() { rows[to] += oldRows[from] }
    for column in columns.indices { columns[column].move(moved, slotCount: slots.count) }
  }

  /// The section, with slots as fine as there is room for; nil: there are no numbers.
  mutating func finish() -> [UInt8]? {
    columns.removeAll { $0.isGivenUp }
    guard !columns.isEmpty else { return nil }
    let room = NumberBuilder.bytesAlways + rowCount / NumberBuilder.rowsPerByte
    while true {
      let bytes = section().encoded()
      if bytes.count <= room { return bytes }
      guard width > 0 else { break }
      widen()
    }
    // One slot with many columns: what is left out tells least.
    let bytes = section().encoded(withPages: false)
    if bytes.count <= room { return bytes }
    for column in columns.indices { columns[column].dropCells() }
    return section().encoded(withPages: false)
  }

  private func section() -> NumberSection {
    var section = NumberSection(width: width)
    let order = slots.indices.sorted { slots[$0] < slots[$1] }
    section.slots = order.map { slots[$0] }
    section.rows = order.map { rows[$0] }
    section.columns = columns.map { $0.finish(order) }
    return section
  }
}
