import Records

/// A member of an object column whose values become columns.
package struct ShredMember: Sendable, Hashable {
  /// The member's name.
  package let name: String
  /// One or more of `int64`, `float64`, `bool` and `utf8`, without repeats.
  package let types: [ColumnType]

  /// A member, and the types it gets columns of.
  package init(name: String, types: [ColumnType]) {
    invariant(!types.isEmpty && Set(types).count == types.count, "types without repeats")
    self.name = name
    self.types = types
  }
}

/// An object column taken apart by ``ObjectShredder``.
package struct ShreddedObject: Sendable {
  /// JSON text of what is left of each object; null where the object is null.
  package let rest: Column
  /// Per member, per type, a column with a row a row.
  package let columns: [[Column]]
  /// Per member, how many rows have it in the rest all the same: null, nested, or of a type without a column.
  package let restCounts: [Int]
}

/// A fixed-width column filled row by row, rows without a value left null. Rows are set in ascending order.
@safe struct SparseValues: ~Copyable {
  private let values: HeapMemory
  private let validity: HeapMemory
  private let rowCount: Int
  private let type: ColumnType
  private(set) var count = 0

  init(type: ColumnType, rowCount: Int) {
    self.type = type
    self.rowCount = rowCount
    values = HeapMemory(byteCount: type.fixedWidth.map { $0 * rowCount } ?? (rowCount + 7) / 8)
    validity = HeapMemory(byteCount: (rowCount + 7) / 8)
    unsafe values.base.initializeMemory(as: UInt8.self, repeating: 0, count: values.byteCount)
    unsafe validity.base.initializeMemory(as: UInt8.self, repeating: 0, count: validity.byteCount)
  }

  /// Sets an 8-byte value.
  @inline(__always)
  mutating func set<Value: BitwiseCopyable>(_ row: Int, _ value: Value) {
    invariant(row < rowCount && MemoryLayout<Value>.size == 8, "a row of the column")
    unsafe values.base.storeBytes(of: value, toByteOffset: row * 8, as: Value.self)
    mark(row)
  }

  @inline(__always)
  mutating func setBit(_ row: Int, _ bit: Bool) {
    invariant(row < rowCount, "a row of the column")
    // Within bounds: a bit for each row.
    let byte = unsafe values.base.assumingMemoryBound(to: UInt8.self) + (row >> 3)
    if bit { unsafe byte[0] |= 1 << UInt8(row & 7) } else { unsafe byte[0] &= ~(1 << UInt8(row & 7)) }
    mark(row)
  }

  @inline(__always)
  private mutating func mark(_ row: Int) {
    let byte = unsafe validity.base.assumingMemoryBound(to: UInt8.self) + (row >> 3)
    let bit: UInt8 = 1 << UInt8(row & 7)
    if unsafe byte[0] & bit == 0 { count &+= 1 }
    unsafe byte[0] |= bit
  }

  /// The column; nothing may be set afterwards.
  mutating func finish() -> Column {
    Column(
      type: type, rowCount: rowCount,
      validity: count == rowCount ? nil : Buffer(validity, byteCount: (rowCount + 7) / 8),
      storage: .fixed(Buffer(values, byteCount: values.byteCount)))
  }
}

/// A text column filled row by row, rows without a value left null. Rows are set in ascending order.
@safe struct SparseTexts: ~Copyable {
  private let offsetMemory: HeapMemory
  private let validity: HeapMemory
  private let offsets: UnsafeMutablePointer<Int32>
  private var memory: HeapMemory
  private let rowCount: Int
  private let type: ColumnType
  private var used = 0
  /// Rows before it have their offsets.
  private var closed = 0
  private(set) var count = 0

  init(type: ColumnType, rowCount: Int, byteCapacity: Int) {
    self.type = type
    self.rowCount = rowCount
    offsetMemory = HeapMemory(byteCount: (rowCount + 1) * 4)
    unsafe offsets = offsetMemory.base.bindMemory(to: Int32.self, capacity: rowCount + 1)
    unsafe offsets[0] = 0
    validity = HeapMemory(byteCount: (rowCount + 7) / 8)
    unsafe validity.base.initializeMemory(as: UInt8.self, repeating: 0, count: validity.byteCount)
    memory = HeapMemory(byteCount: max(byteCapacity, 64))
  }

  /// Room for `count` more bytes, to be closed with ``endRow(_:count:)``.
  @inline(__always)
  @unsafe
  mutating func open(_ row: Int, _ count: Int) -> UnsafeMutablePointer<UInt8> {
    invariant(row < rowCount && row >= closed, "rows ascend")
    if used &+ count > memory.byteCount { grow(count) }
    return unsafe (memory.base + used).assumingMemoryBound(to: UInt8.self)
  }

  /// Closes the row with the `count` bytes written to the room.
  @inline(__always)
  mutating func endRow(_ row: Int, count byteCount: Int) {
    // Within bounds: there is an offset more than rows, and `open` checked the row.
    while closed < row {
      closed &+= 1
      unsafe offsets[closed] = Int32(truncatingIfNeeded: used)
    }
    used &+= byteCount
    closed &+= 1
    unsafe offsets[closed] = Int32(truncatingIfNeeded: used)
    let byte = unsafe validity.base.assumingMemoryBound(to: UInt8.self) + (row >> 3)
    unsafe byte[0] |= 1 << UInt8(row & 7)
    count &+= 1
  }

  private mutating func grow(_ count: Int) {
    invariant(used + count < Int(Int32.max), "a text column holds less than 2 GiB")
    let larger = HeapMemory(byteCount: max(memory.byteCount * 2, used + count))
    unsafe larger.base.copyMemory(from: memory.base, byteCount: used)
    memory = larger
  }

  /// The column; nothing may be set afterwards.
  mutating func finish() -> Column {
    while closed < rowCount {
      closed += 1
      unsafe offsets[closed] = Int32(truncatingIfNeeded: used)
    }
    return Column(
      type: type, rowCount: rowCount,
      validity: count == rowCount ? nil : Buffer(validity, byteCount: (rowCount + 7) / 8),
      storage: .text(
        offsets: Buffer(offsetMemory, byteCount: (rowCount + 1) * 4), bytes: Buffer(memory, byteCount: used)))
  }
}
