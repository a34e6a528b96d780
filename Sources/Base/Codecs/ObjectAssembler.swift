import Records

/// Puts objects together again from their typed columns and the JSON text of the rest.
package enum ObjectAssembler {
  /// A member's typed column: `int64`, `float64`, `bool` or `utf8`, null where the row has no such value in
  /// it.
  package struct Member: Sendable {
    /// The member's name.
    package let name: String
    /// A row an object; null where it lacks the member.
    package let column: Column
    /// A member whose values are a column.
    package init(name: String, column: Column) {
      self.name = name
      self.column = column
    }
  }

  /// The objects as one `json` column: members in the order given, then what `rest` has; null where `rest` is
  /// null.
  ///
  /// No row may have a name twice, in `members` or in `rest`. About 50 ns a member.
  package static func assemble(rest: Column, members: [Member]) -> Column {
    invariant(rest.type == .json, "an object column")
    for member in members { invariant(member.column.rowCount == rest.rowCount, "a value a row") }
    let members = members.filter { !$0.column.isAllNull }
    if members.isEmpty { return rest.plainText() }
    return AssemblyWork(rest: rest, members: members).run()
  }
}

extension Column {
  /// Whether no row has a value; O(rows / 8).
  fileprivate var isAllNull: Bool {
    withValidity { bits in
      guard let bits else { return rowCount == 0 }
      for byte in 0..<rowCount >> 3 where bits[byte] != 0 { return false }
      for row in rowCount & ~7..<rowCount where bits[row >> 3] & (1 << UInt8(row & 7)) != 0 { return false }
      return true
    }
  }
}

/// Writes one row after the other.
private struct AssemblyWork: ~Copyable {
  private let rest: Column
  private let parts: [Part]
  private var writer: JSONWriter

  /// A member's column where it lies.
  @safe private final class Part {
    /// `"name":`, with a comma before it.
    let key: [UInt8]
    let column: Column
    let type: ColumnType
    let validity: UnsafePointer<UInt8>?
    let values: UnsafeRawPointer
    let offsets: UnsafePointer<Int32>
    let keys: UnsafePointer<Int32>?
    let valueCount: Int
    let byteCount: Int

    init(_ member: ObjectAssembler.Member) {
      var writer = JSONWriter(capacity: 64)
      writer.append(0x2C)
      writer.appendString(member.name)
      writer.append(0x3A)
      key = writer.takeBytes()
      column = member.column
      type = column.type
      // The pointers stay valid: `column` holds the buffers.
      unsafe validity = column.validity.map { unsafe Part.start($0).assumingMemoryBound(to: UInt8.self) }
      switch column.storage {
      case .fixed(let fixed):
        unsafe values = Part.start(fixed)
        unsafe offsets = Part.start(fixed).assumingMemoryBound(to: Int32.self)
        unsafe keys = nil
        valueCount = column.rowCount
        byteCount = fixed.byteCount
      case .text(let starts, let bytes):
        unsafe values = Part.start(bytes)
        unsafe offsets = Part.start(starts).assumingMemoryBound(to: Int32.self)
        unsafe keys = nil
        valueCount = column.rowCount
        byteCount = bytes.byteCount
      case .dictionary(let indices, let starts, let bytes, let count):
        unsafe values = Part.start(bytes)
        unsafe offsets = Part.start(starts).assumingMemoryBound(to: Int32.self)
        unsafe keys = UnsafePointer(Part.start(indices).assumingMemoryBound(to: Int32.self))
        valueCount = count
        byteCount = bytes.byteCount
      }
    }

    private static func start(_ buffer: Buffer) -> UnsafeRawPointer {
      unsafe buffer.withUnsafeBytes { unsafe $0.baseAddress ?? UnsafeRawPointer(HeapMemory.nothing.base) }
    }

    /// Appends the row's member; nothing if it has no value.
    @inline(__always)
    func append(_ row: Int, to writer: inout JSONWriter) {
      // Within bounds: `row` is a row of the column (checked by `assemble`), and columns hold a value a row.
      if let validity = unsafe validity, unsafe validity[row >> 3] & (1 << UInt8(row & 7)) == 0 { return }
      writer.append(raw: key)
      switch type {
      case .int64: writer.appendInt64(unsafe values.loadUnaligned(fromByteOffset: row * 8, as: Int64.self))
      case .float64:
        writer.appendFloat64(unsafe values.loadUnaligned(fromByteOffset: row * 8, as: Double.self))
      case .bool:
        let byte = unsafe values.load(fromByteOffset: row >> 3, as: UInt8.self)
        writer.appendBool(byte & (1 << UInt8(row & 7)) != 0)
      case .utf8, .json, .uuid, .timestamp: appendText(row, to: &writer)
      }
    }

    @inline(__always)
    private func appendText(_ row: Int, to writer: inout JSONWriter) {
      let index = unsafe keys.map { unsafe Int($0[row]) } ?? row
      guard index >= 0, index < valueCount else { return writer.append(raw: "\"\"") }
      // Within bounds: an offset more than values; the bytes are checked.
      let start = unsafe Int(offsets[index])
      let end = unsafe Int(offsets[index + 1])
      invariant(start >= 0 && start <= end && end <= byteCount, "offsets lie within the text")
      let text = unsafe UnsafeBufferPointer(
        start: (values + start).assumingMemoryBound(to: UInt8.self), count: end - start)
      unsafe writer.appendString(text)
    }
  }

  init(rest: Column, members: [ObjectAssembler.Member]) {
    self.rest = rest.plainText()
    parts = members.map { Part($0) }
    writer = JSONWriter(capacity: rest.rowCount * 64 + 64)
  }

  consuming func run() -> Column {
    let rowCount = rest.rowCount
    let offsetMemory = HeapMemory(byteCount: (rowCount + 1) * 4)
    let offsets = unsafe offsetMemory.base.bindMemory(to: Int32.self, capacity: rowCount + 1)
    unsafe offsets[0] = 0
    let rest = rest
    rest.withValidity { bits in
      rest.withText { starts, bytes in
        for row in 0..<rowCount {
          var isNull = false
          if let bits { isNull = bits[row >> 3] & (1 << UInt8(row & 7)) == 0 }
          if !isNull {
            appendRow(row, bytes.extracting(Int(starts[row])..<Int(starts[row + 1])))
            invariant(writer.byteCount < Int(Int32.max), "a text column holds less than 2 GiB")
          }
          // Within bounds: an offset more than rows.
          unsafe offsets[row + 1] = Int32(truncatingIfNeeded: writer.byteCount)
        }
      }
    }
    return Column(
      type: .json, rowCount: rowCount, validity: rest.validity,
      storage: .text(
        offsets: Buffer(offsetMemory, byteCount: (rowCount + 1) * 4),
        bytes: Buffer(writer.memory, byteCount: writer.byteCount)))
  }

  @inline(__always)
  private mutating func appendRow(_ row: Int, _ rest: Span<UInt8>) {
    let start = writer.byteCount
    for part in parts { part.append(row, to: &writer) }
    if writer.byteCount == start {
      writer.append(raw: rest)
      return
    }
    // The first member's comma becomes the brace.
    unsafe writer.bytes[start] = 0x7B
    if rest.count > 2 {
      writer.append(0x2C)
      writer.append(raw: rest.extracting(1..<rest.count))
    } else {
      writer.append(0x7D)
    }
  }
}
