/// Builds a column of fixed-width values row by row. Growth doubles; `finish()` hands the memory over
/// without a copy and leaves the builder empty.
@safe public struct FixedBuilder<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline var memory: HeapMemory
  @usableFromInline var values: UnsafeMutablePointer<Element>
  @usableFromInline var capacity: Int
  public private(set) var count = 0
  @usableFromInline var validity = BitBuilder()

  public init(capacity: Int = 1024) {
    self.capacity = max(capacity, 8)
    self.memory = HeapMemory(byteCount: self.capacity * MemoryLayout<Element>.stride)
    unsafe self.values = memory.base.bindMemory(to: Element.self, capacity: self.capacity)
  }

  @inlinable
  public mutating func append(_ value: Element) {
    if count == capacity { grow() }
    // Within bounds: grown above.
    unsafe values[count] = value
    advance()
    validity.appendSet()
  }

  @inlinable
  public mutating func appendNull(placeholder: Element) {
    append(placeholder)
    validity.clearLast()
  }

  @usableFromInline
  mutating func advance() { count += 1 }

  @usableFromInline
  mutating func grow() {
    let larger = HeapMemory(byteCount: capacity * 2 * MemoryLayout<Element>.stride)
    unsafe larger.base.copyMemory(
      from: memory.base, byteCount: count * MemoryLayout<Element>.stride)
    memory = larger
    capacity *= 2
    unsafe values = memory.base.bindMemory(to: Element.self, capacity: capacity)
  }

  /// The column built so far; the builder starts again with fresh memory of `capacity` rows.
  package mutating func finish(type: ColumnType) -> Column {
    invariant(type.fixedWidth == MemoryLayout<Element>.stride, "the element's width is the type's")
    let column = Column(
      type: type, rowCount: count, validity: validity.finishValidity(),
      storage: .fixed(Buffer(memory, byteCount: count * MemoryLayout<Element>.stride)))
    memory = HeapMemory(byteCount: 8 * MemoryLayout<Element>.stride)
    capacity = 8
    unsafe values = memory.base.bindMemory(to: Element.self, capacity: capacity)
    count = 0
    return column
  }
}

/// Builds a bitmap, least significant bit first; keeps no memory until the first cleared bit.
public struct BitBuilder: ~Copyable {
  @usableFromInline var bytes: [UInt8] = []
  public private(set) var count = 0
  /// How many bits are zero.
  public private(set) var clearCount = 0

  public init() {}

  @inlinable
  public mutating func appendSet() {
    if clearedAny { pushSlow(true) } else { bump() }
  }

  @inlinable
  public mutating func append(_ bit: Bool) {
    if bit { appendSet() } else { appendSet(); clearLast() }
  }

  /// Appends `count` set bits.
  public mutating func appendSet(count: Int) {
    if clearedAny { for _ in 0..<count { pushSlow(true) } } else { self.count += count }
  }

  @usableFromInline var clearedAny: Bool { clearCount > 0 }
  @usableFromInline mutating func bump() { count += 1 }

  @usableFromInline
  mutating func pushSlow(_ bit: Bool) {
    if count & 7 == 0 { bytes.append(0) }
    if bit { bytes[count >> 3] |= 1 << UInt8(count & 7) }
    count += 1
  }

  /// Clears the bit appended last.
  public mutating func clearLast() {
    invariant(count > 0, "a bit was appended")
    if clearCount == 0 {
      bytes = [UInt8](repeating: 0xFF, count: (count + 7) / 8)
      if count & 7 != 0 { bytes[bytes.count - 1] = UInt8(truncatingIfNeeded: (1 << (count & 7)) - 1) }
    }
    bytes[(count - 1) >> 3] &= ~(1 << UInt8((count - 1) & 7))
    clearCount += 1
  }

  /// The bitmap, or nil when every bit is set. The builder starts again.
  package mutating func finishValidity() -> Buffer? {
    defer { reset() }
    return clearCount == 0 ? nil : Buffer(copying: bytes)
  }

  /// The bitmap as values of a bool column.
  package mutating func finishBits() -> Buffer {
    defer { reset() }
    if clearCount == 0 { return Buffer(copying: [UInt8](repeating: 0xFF, count: (count + 7) / 8)) }
    return Buffer(copying: bytes)
  }

  private mutating func reset() {
    bytes = []
    count = 0
    clearCount = 0
  }
}

/// Builds a bool column.
public struct BoolBuilder: ~Copyable {
  @usableFromInline var bits = BitBuilder()
  @usableFromInline var validity = BitBuilder()
  public init() {}
  public var count: Int { bits.count }
  @inlinable public mutating func append(_ value: Bool) {
    bits.append(value)
    validity.appendSet()
  }
  @inlinable public mutating func appendNull() {
    bits.append(false)
    validity.append(false)
  }
  package mutating func finish() -> Column {
    let count = bits.count
    return Column(
      type: .bool, rowCount: count, validity: validity.finishValidity(), storage: .fixed(bits.finishBits()))
  }
}

/// Builds a text column row by row: bytes may be appended in pieces and closed with ``endRow()``.
///
/// Offsets are Int32, so a column holds less than 2 GiB of text (checked).
@safe public struct TextBuilder: ~Copyable {
  @usableFromInline var offsetMemory: HeapMemory
  @usableFromInline var offsets: UnsafeMutablePointer<Int32>
  @usableFromInline var offsetCapacity: Int
  @usableFromInline var byteMemory: HeapMemory
  @usableFromInline var bytes: UnsafeMutableRawPointer
  @usableFromInline var byteCapacity: Int
  @usableFromInline var rows = 0
  @usableFromInline var used = 0
  @usableFromInline var validity = BitBuilder()

  public init(capacity: Int = 1024, byteCapacity: Int = 16 * 1024) {
    offsetCapacity = max(capacity, 8) + 1
    offsetMemory = HeapMemory(byteCount: offsetCapacity * 4)
    unsafe offsets = offsetMemory.base.bindMemory(to: Int32.self, capacity: offsetCapacity)
    self.byteCapacity = max(byteCapacity, 64)
    byteMemory = HeapMemory(byteCount: self.byteCapacity)
    unsafe bytes = byteMemory.base
    unsafe offsets[0] = 0
  }

  /// Rows closed so far.
  @inlinable public var count: Int { rows }
  /// Bytes appended so far, the open row's included.
  @inlinable public var byteCount: Int { used }

  /// Makes room for `additional` more bytes.
  @inlinable
  public mutating func reserve(_ additional: Int) {
    if used + additional > byteCapacity { growBytes(additional) }
  }

  @usableFromInline
  mutating func growBytes(_ additional: Int) {
    invariant(used + additional < Int(Int32.max), "a text column holds less than 2 GiB")
    let capacity = max(byteCapacity * 2, used + additional)
    let larger = HeapMemory(byteCount: capacity)
    unsafe larger.base.copyMemory(from: byteMemory.base, byteCount: used)
    byteMemory = larger
    unsafe bytes = larger.base
    byteCapacity = capacity
  }

  @usableFromInline
  mutating func growOffsets() {
    let larger = HeapMemory(byteCount: offsetCapacity * 8)
    unsafe larger.base.copyMemory(from: offsetMemory.base, byteCount: (rows + 1) * 4)
    offsetMemory = larger
    offsetCapacity *= 2
    unsafe offsets = offsetMemory.base.bindMemory(to: Int32.self, capacity: offsetCapacity)
  }

  /// Adds bytes to the open row.
  @inlinable
  @unsafe
  public mutating func append(contentsOf source: UnsafeRawBufferPointer) {
    let count = source.count
    guard count > 0, let from = source.baseAddress else { return }
    reserve(count)
    unsafe (bytes + used).copyMemory(from: from, byteCount: count)
    used += count
  }

  /// Adds bytes to the open row.
  @inlinable
  public mutating func append(contentsOf source: Span<UInt8>) {
    unsafe source.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }

  /// Adds the UTF-8 of `text` to the open row.
  public mutating func append(contentsOf text: String) {
    var text = text
    text.withUTF8 { unsafe append(contentsOf: UnsafeRawBufferPointer($0)) }
  }

  /// Adds one byte to the open row.
  @inlinable
  public mutating func append(_ byte: UInt8) {
    reserve(1)
    unsafe bytes.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
    used += 1
  }

  /// Forgets the bytes of the open row.
  @inlinable
  public mutating func discardRow() {
    unsafe used = Int(offsets[rows])
  }

  /// Closes the open row as a value.
  @inlinable
  public mutating func endRow() {
    if rows + 1 == offsetCapacity { growOffsets() }
    rows += 1
    unsafe offsets[rows] = Int32(truncatingIfNeeded: used)
    validity.appendSet()
  }

  /// Appends a null row; the open row must be empty.
  @inlinable
  public mutating func appendNull() {
    discardRow()
    endRow()
    validity.clearLast()
  }

  /// Appends whole rows at once: `source` is their bytes, `rowOffsets` (a row each, and one) where they begin
  /// and end, counted from any origin. The open row must be empty.
  public mutating func appendRows(_ source: Span<UInt8>, offsets rowOffsets: Span<Int32>) {
    let count = rowOffsets.count - 1
    guard count > 0 else { return }
    let shift = Int32(truncatingIfNeeded: used) &- rowOffsets[0]
    append(contentsOf: source)
    while rows + count >= offsetCapacity { growOffsets() }
    // Within bounds: grown above.
    for row in 1...count { unsafe offsets[rows + row] = rowOffsets[row] &+ shift }
    rows += count
    validity.appendSet(count: count)
  }

  /// Appends `text` as a row.
  public mutating func appendRow(_ text: String) {
    append(contentsOf: text)
    endRow()
  }

  /// The column built so far; the builder starts again with little memory.
  package mutating func finish(type: ColumnType = .utf8) -> Column {
    let column = Column(
      type: type, rowCount: rows, validity: validity.finishValidity(),
      storage: .text(
        offsets: Buffer(offsetMemory, byteCount: (rows + 1) * 4),
        bytes: Buffer(byteMemory, byteCount: used)))
    self = TextBuilder(capacity: 8, byteCapacity: 64)
    return column
  }
}
