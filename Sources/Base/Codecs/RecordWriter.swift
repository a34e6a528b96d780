import Records

/// How records look as text, where APIs differ.
package struct RecordStyle: Sendable, Hashable {
  /// Whether objects have members for null cells.
  package var writesNulls = false
  /// How times are written.
  package enum TimeStyle: Sendable, Hashable {
    /// `…Z` with 0, 3, 6 or 9 digits of a second, as few as are exact.
    case exact
    /// `2026-11-19T12:00:00.123456+00:00`: 6 digits of a second or none.
    case microsecondsWithOffset
    /// `2026-11-19T12:00:00.123456Z`: the same with `Z`.
    case microsecondsZulu
  }

  /// How the times of all columns are written.
  package var times = TimeStyle.exact
  /// Written behind an object's last member: `,"name":value` members that all rows share.
  package var tail: [UInt8] = []
  /// Whether texts in CSV that a spreadsheet would run as formulas get an apostrophe before them.
  package var guardsCells = false

  /// The usual style.
  package init() {}
}

/// Writes batches as text records, row by row: JSON objects or CSV lines. Null cells are left out of JSON
/// objects, unless the style wants them, and empty in CSV. No allocation per value.
package struct RecordWriter {
  /// A column's buffers as pointers, for one batch.
  @safe private struct Cells {
    let type: ColumnType
    let validity: UnsafePointer<UInt8>?
    let values: UnsafeRawPointer
    let offsets: UnsafePointer<Int32>
    let indices: UnsafePointer<Int32>?

    init(_ column: Column) {
      type = column.type
      unsafe validity = column.validity.map { unsafe Cells.start($0).assumingMemoryBound(to: UInt8.self) }
      switch column.storage {
      case .fixed(let buffer):
        unsafe values = Cells.start(buffer)
        unsafe offsets = values.assumingMemoryBound(to: Int32.self)
        unsafe indices = nil
      case .text(let starts, let bytes):
        unsafe values = Cells.start(bytes)
        unsafe offsets = Cells.start(starts).assumingMemoryBound(to: Int32.self)
        unsafe indices = nil
      case .dictionary(let keys, let starts, let bytes, _):
        unsafe values = Cells.start(bytes)
        unsafe offsets = Cells.start(starts).assumingMemoryBound(to: Int32.self)
        unsafe indices = Cells.start(keys).assumingMemoryBound(to: Int32.self)
      }
    }

    private static func start(_ buffer: Buffer) -> UnsafeRawPointer {
      // An empty buffer's address is never read from.
      unsafe buffer.withUnsafeBytes { unsafe $0.baseAddress ?? UnsafeRawPointer(HeapMemory.nothing.base) }
    }

    func isValid(_ row: Int) -> Bool {
      guard let validity = unsafe validity else { return true }
      return unsafe validity[row >> 3] & (1 << UInt8(row & 7)) != 0
    }

    func text(_ row: Int) -> UnsafeBufferPointer<UInt8> {
      let index = unsafe indices.map { unsafe Int($0[row]) } ?? row
      let start = unsafe Int(offsets[index])
      let end = unsafe Int(offsets[index + 1])
      return unsafe UnsafeBufferPointer(
        start: (values + start).assumingMemoryBound(to: UInt8.self), count: end - start)
    }

    func int64(_ row: Int) -> Int64 {
      unsafe values.loadUnaligned(fromByteOffset: row * 8, as: Int64.self)
    }
    func float64(_ row: Int) -> Double {
      unsafe values.loadUnaligned(fromByteOffset: row * 8, as: Double.self)
    }
    func bit(_ row: Int) -> Bool {
      unsafe values.loadUnaligned(fromByteOffset: row >> 3, as: UInt8.self) & (1 << UInt8(row & 7)) != 0
    }
    func uuid(_ row: Int) -> UnsafeBufferPointer<UInt8> {
      unsafe UnsafeBufferPointer(start: (values + row * 16).assumingMemoryBound(to: UInt8.self), count: 16)
    }
  }

  private let keys: [[UInt8]]
  private let style: RecordStyle

  /// - Parameter fields: Of the batches to come; names become the members of objects.
  package init(fields: [Field], style: RecordStyle = RecordStyle()) {
    self.style = style
    keys = fields.map { field in
      var writer = JSONWriter(capacity: 64)
      writer.appendString(field.name)
      writer.append(raw: ":")
      return writer.takeBytes()
    }
  }

  /// Appends each row as an object, with `separator` between rows (and before the first unless `isFirst`) and
  /// `terminator` behind each.
  package func appendObjects(
    _ batch: RecordBatch, separator: UInt8?, isFirst: Bool, terminator: UInt8?, to writer: inout JSONWriter
  ) {
    let cells = batch.columns.map(Cells.init)
    // The batch keeps every buffer in place while the rows are written; rows lie within each column.
    withExtendedLifetime(batch) {
      for row in 0..<batch.rowCount {
        if let separator, !(isFirst && row == 0) { writer.append(separator) }
        writer.append(UInt8(ascii: "{"))
        var isEmpty = true
        for index in cells.indices {
          let isValid = cells[index].isValid(row)
          guard isValid || style.writesNulls else { continue }
          if !isEmpty { writer.append(UInt8(ascii: ",")) }
          isEmpty = false
          writer.append(raw: keys[index])
          if isValid { appendJSON(cells[index], row, to: &writer) } else { writer.appendNull() }
        }
        writer.append(raw: style.tail)
        writer.append(UInt8(ascii: "}"))
        if let terminator { writer.append(terminator) }
      }
    }
  }

  private func appendJSON(_ cells: Cells, _ row: Int, to writer: inout JSONWriter) {
    switch cells.type {
    case .int64: writer.appendInt64(cells.int64(row))
    case .float64:
      let value = cells.float64(row)
      if value.isFinite { writer.appendFloat64(value) } else { writer.appendNull() }
    case .bool: writer.appendBool(cells.bit(row))
    case .utf8:
      let text = unsafe cells.text(row)
      unsafe writer.appendString(text.span)
    case .json: unsafe writer.append(raw: cells.text(row))
    case .uuid:
      let id = unsafe cells.uuid(row)
      unsafe writer.appendUUID(id.span)
    case .timestamp:
      switch style.times {
      case .exact: writer.appendTimestamp(cells.int64(row))
      case .microsecondsWithOffset: writer.appendMicrosecondTimestamp(cells.int64(row), zone: "+00:00")
      case .microsecondsZulu: writer.appendMicrosecondTimestamp(cells.int64(row), zone: "Z")
      }
    }
  }

  /// Appends each row as a CSV line (RFC 4180, ending in CR LF).
  package func appendLines(_ batch: RecordBatch, to writer: inout JSONWriter) {
    let cells = batch.columns.map(Cells.init)
    withExtendedLifetime(batch) {
      for row in 0..<batch.rowCount {
        for index in cells.indices {
          if index > 0 { writer.append(UInt8(ascii: ",")) }
          if cells[index].isValid(row) { appendCSV(cells[index], row, to: &writer) }
        }
        writer.append(13)
        writer.append(10)
      }
    }
  }

  private func appendCSV(_ cells: Cells, _ row: Int, to writer: inout JSONWriter) {
    switch cells.type {
    case .utf8, .json:
      let text = unsafe cells.text(row)
      unsafe RecordWriter.appendField(text.span, isGuarded: style.guardsCells, to: &writer)
    case .timestamp where style.times != .exact:
      // Quotes are allowed around any field (RFC 4180 §2.5).
      appendJSON(cells, row, to: &writer)
    case .timestamp:
      // The writer quotes; CSV does not.
      writer.append(raw: RFC3339.format(cells.int64(row)))
    case .uuid:
      var text: [UInt8] = []
      let id = unsafe cells.uuid(row)
      unsafe UUIDv7.appendText(id.span, to: &text)
      writer.append(raw: text)
    case .float64: writer.append(raw: JSONNumber.format(cells.float64(row)))
    case .int64, .bool: appendJSON(cells, row, to: &writer)
    }
  }

  /// A field, quoted if it holds a quote, a comma, a line end or nothing (so that empty and null differ).
  ///
  /// - Parameter isGuarded: Behind an apostrophe if a spreadsheet would run it: it begins with `=`, `+`, `-`,
  ///   `@`, a tab or a return.
  package static func appendField(
    _ text: Span<UInt8>, isGuarded: Bool = false, to writer: inout JSONWriter
  ) {
    if isGuarded, !text.isEmpty, isFormula(text[0]) { return appendGuarded(text, to: &writer) }
    var mustQuote = text.isEmpty
    for index in text.indices {
      let byte = text[index]
      if byte == 0x22 || byte == 0x2C || byte == 10 || byte == 13 {
        mustQuote = true
        break
      }
    }
    guard mustQuote else { return writer.append(raw: text) }
    writer.append(0x22)
    for index in text.indices {
      if text[index] == 0x22 { writer.append(0x22) }
      writer.append(text[index])
    }
    writer.append(0x22)
  }

  private static func isFormula(_ first: UInt8) -> Bool {
    switch first {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 9, 13: true
    default: false
    }
  }

  private static func appendGuarded(_ text: Span<UInt8>, to writer: inout JSONWriter) {
    var guarded = [UInt8(ascii: "'")]
    for index in text.indices { guarded.append(text[index]) }
    appendField(guarded.span, to: &writer)
  }
}
