import Records

/// A column being filled: raw pointers only, so that a row costs no reference counting. The memory belongs to
/// ``ScanColumns``.
@unsafe struct ScanColumn {
  /// Text: row offsets, one more than rows.
  var offsets: UnsafeMutablePointer<Int32>
  /// Fixed: a value (8 bytes) or two words (uuid) a row.
  var values: UnsafeMutablePointer<Int64>
  var bytes: UnsafeMutablePointer<UInt8>
  var used = 0
  var capacity = 0
  /// A bit a row, set unless the row is null; starts as all ones.
  var validity: UnsafeMutablePointer<UInt8>
  var hasNull = false
  let type: ColumnType
  let isNullable: Bool
}

/// The columns of one scan with equal row capacity, grown together.
@safe struct ScanColumns: ~Copyable {
  let count: Int
  var rowCount = 0
  private(set) var rowCapacity: Int
  let columns: UnsafeMutablePointer<ScanColumn>
  private var rowMemory: [HeapMemory] = []
  private var validityMemory: [HeapMemory] = []
  private var byteMemory: [HeapMemory] = []

  init(slots: [ColumnSlot], rowCapacity: Int, byteCapacity: Int) {
    count = slots.count
    self.rowCapacity = max(rowCapacity, 16)
    unsafe columns = .allocate(capacity: slots.count)
    for (index, slot) in slots.enumerated() {
      let rows = HeapMemory(byteCount: ScanColumns.rowBytes(slot.type, self.rowCapacity))
      let validity = HeapMemory(byteCount: self.rowCapacity / 8 + 1)
      unsafe validity.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: validity.byteCount)
      let text = HeapMemory(byteCount: slot.type.isText ? max(byteCapacity, 256) : 8)
      // Within bounds: `columns` has a place for each slot.
      unsafe (columns + index).initialize(
        to: ScanColumn(
          offsets: rows.base.assumingMemoryBound(to: Int32.self),
          values: rows.base.assumingMemoryBound(to: Int64.self),
          bytes: text.base.assumingMemoryBound(to: UInt8.self), capacity: text.byteCount,
          validity: validity.base.assumingMemoryBound(to: UInt8.self), type: slot.type,
          isNullable: slot.isNullable))
      if slot.type.isText { unsafe columns[index].offsets[0] = 0 }
      rowMemory.append(rows)
      validityMemory.append(validity)
      byteMemory.append(text)
    }
  }

  deinit { unsafe columns.deallocate() }

  private static func rowBytes(_ type: ColumnType, _ rows: Int) -> Int {
    switch type {
    case .utf8, .json: (rows + 1) * 4
    case .bool: rows / 8 + 1
    case .uuid: rows * 16
    case .int64, .float64, .timestamp: rows * 8
    }
  }

  /// Makes room for one more row in every column.
  @inline(__always)
  mutating func reserveRow() {
    if rowCount == rowCapacity { growRows() }
  }

  private mutating func growRows() {
    let capacity = rowCapacity * 2
    for index in 0..<count {
      let type = unsafe columns[index].type
      let rows = HeapMemory(byteCount: ScanColumns.rowBytes(type, capacity))
      unsafe rows.base.copyMemory(
        from: rowMemory[index].base, byteCount: ScanColumns.rowBytes(type, rowCapacity))
      let validity = HeapMemory(byteCount: capacity / 8 + 1)
      unsafe validity.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: validity.byteCount)
      unsafe validity.base.copyMemory(from: validityMemory[index].base, byteCount: rowCapacity / 8 + 1)
      rowMemory[index] = rows
      validityMemory[index] = validity
      unsafe columns[index].offsets = rows.base.assumingMemoryBound(to: Int32.self)
      unsafe columns[index].values = rows.base.assumingMemoryBound(to: Int64.self)
      unsafe columns[index].validity = validity.base.assumingMemoryBound(to: UInt8.self)
    }
    rowCapacity = capacity
  }

  /// Where the next `additional` bytes (and 32 more, for copies in whole blocks) of text column `index` may
  /// go.
  @inline(__always)
  @unsafe
  mutating func room(_ index: Int, _ additional: Int) -> UnsafeMutablePointer<UInt8> {
    if unsafe columns[index].used &+ additional &+ 32 > columns[index].capacity {
      growBytes(index, additional)
    }
    return unsafe columns[index].bytes + columns[index].used
  }

  private mutating func growBytes(_ index: Int, _ additional: Int) {
    let used = unsafe columns[index].used
    let capacity = unsafe max(columns[index].capacity * 2, used + additional + 64)
    let larger = HeapMemory(byteCount: capacity)
    unsafe larger.base.copyMemory(from: columns[index].bytes, byteCount: used)
    byteMemory[index] = larger
    unsafe columns[index].bytes = larger.base.assumingMemoryBound(to: UInt8.self)
    unsafe columns[index].capacity = capacity
  }

  /// Makes the open row of column `index` null.
  @inline(__always)
  mutating func setNull(_ index: Int) {
    // Within bounds: a row was reserved.
    unsafe columns[index].validity[rowCount >> 3] &= ~(1 << UInt8(rowCount & 7))
    unsafe columns[index].hasNull = true
  }

  /// Forgets what was appended to the open row.
  mutating func discardRow() {
    for index in 0..<count {
      unsafe columns[index].validity[rowCount >> 3] |= 1 << UInt8(rowCount & 7)
      if unsafe columns[index].type.isText {
        unsafe columns[index].used = Int(columns[index].offsets[rowCount])
      }
    }
  }

  /// The columns, in slot order. Nothing may be appended afterwards.
  mutating func finish() -> [Column] {
    (0..<count).map { index in
      let type = unsafe columns[index].type
      let rows = Buffer(rowMemory[index], byteCount: ScanColumns.rowBytes(type, rowCount))
      let storage: Column.Storage =
        type.isText
        ? .text(offsets: rows, bytes: unsafe Buffer(byteMemory[index], byteCount: columns[index].used))
        : .fixed(rows)
      return Column(type: type, rowCount: rowCount, validity: validity(index), storage: storage)
    }
  }

  private func validity(_ index: Int) -> Buffer? {
    guard unsafe columns[index].hasNull else { return nil }
    let byteCount = (rowCount + 7) / 8
    if rowCount & 7 != 0 {
      unsafe columns[index].validity[byteCount - 1] &= UInt8(1) << UInt8(rowCount & 7) - 1
    }
    return Buffer(validityMemory[index], byteCount: byteCount)
  }
}
