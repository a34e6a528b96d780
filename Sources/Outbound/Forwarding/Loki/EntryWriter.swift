import Codecs
import Records

/// Writes single entries: time, line, structured metadata.
struct EntryWriter: ~Copyable {
  private enum Cells {
    case text(TextCells)
    case fixed(Column)
  }

  private struct LineMember {
    /// `{"message":` or `,"metadata":`.
    var key: [UInt8]
    var cells: Cells
  }

  private struct MetadataColumn {
    var name: String
    var cells: TextCells
  }

  private let timestamps: Column
  private let members: [LineMember]
  private let metadataColumns: [MetadataColumn]
  private var line = JSONWriter(capacity: 4096)
  private var metadata = JSONWriter(capacity: 256)

  init(_ rows: RecordBatch, mapping: LokiMapping) {
    timestamps = rows.columns[2]
    members = mapping.lineColumns.enumerated().compactMap { index, name in
      guard let column = rows.column(name) else { return nil }
      var key = JSONWriter(capacity: 64)
      key.append(raw: index == 0 ? "{" : ",")
      key.appendString(name)
      key.append(raw: ":")
      return LineMember(
        key: key.takeBytes(), cells: column.type.isText ? .text(TextCells(column)) : .fixed(column))
    }
    metadataColumns = mapping.metadataColumns.compactMap { name in
      rows.column(name).map { MetadataColumn(name: name, cells: TextCells($0)) }
    }
  }

  private mutating func writeLine(_ row: Int) {
    line.removeAll()
    for member in members {
      line.append(raw: member.key)
      switch member.cells {
      case .text(let cells): cells.appendJSON(row, to: &line)
      case .fixed(let column): EntryWriter.appendFixed(column, row, to: &line)
      }
    }
    line.append(UInt8(ascii: "}"))
  }

  private static func appendFixed(_ column: Column, _ row: Int, to writer: inout JSONWriter) {
    guard column.isValid(row) else { return writer.appendNull() }
    switch column.type {
    case .int64: writer.appendInt64(column.withInt64 { $0[row] })
    case .timestamp: writer.appendTimestamp(column.withInt64 { $0[row] })
    case .float64: writer.appendFloat64(column.withFloat64 { $0[row] })
    case .bool: writer.appendBool(column.withBits { $0[row >> 3] & (1 << UInt8(row & 7)) != 0 })
    case .uuid: column.withUUIDs { writer.appendUUID($0.extracting(row * 16..<row * 16 + 16)) }
    case .utf8, .json: bug("text is written from cells")
    }
  }

  /// Appends field 2 of a `StreamAdapter`: `EntryAdapter{1 Timestamp{1 seconds, 2 nanos}, 2 line, 3
  /// metadata*}`.
  mutating func appendProtobuf(_ row: Int, metadata extra: [LabelSet.Pair], to entries: inout JSONWriter) {
    writeLine(row)
    writeProtobufMetadata(row, extra)
    let time = timestamps.withInt64 { $0[row] }
    // Floor, so that nanoseconds are never negative (google.protobuf.Timestamp).
    var seconds = time / 1_000_000_000
    var nanoseconds = time % 1_000_000_000
    if nanoseconds < 0 {
      seconds -= 1
      nanoseconds += 1_000_000_000
    }
    let secondsBits = UInt64(bitPattern: seconds)
    let nanosecondsBits = UInt64(nanoseconds)
    let timeBytes =
      1 + Varint.byteCount(secondsBits) + (nanoseconds == 0 ? 0 : 1 + Varint.byteCount(nanosecondsBits))
    let lineBytes = line.byteCount
    entries.append(0x12)
    entries.appendVarint(
      UInt64(2 + timeBytes + 1 + Varint.byteCount(UInt64(lineBytes)) + lineBytes + metadata.byteCount))
    entries.append(0x0A)
    entries.appendVarint(UInt64(timeBytes))
    entries.append(0x08)
    entries.appendVarint(secondsBits)
    if nanoseconds != 0 {
      entries.append(0x10)
      entries.appendVarint(nanosecondsBits)
    }
    entries.append(0x12)
    entries.appendVarint(UInt64(lineBytes))
    line.withBytes { entries.append(raw: $0) }
    metadata.withBytes { entries.append(raw: $0) }
  }

  private mutating func writeProtobufMetadata(_ row: Int, _ extra: [LabelSet.Pair]) {
    metadata.removeAll()
    for column in metadataColumns where column.cells.byteCount(row) > 0 {
      appendPair(column.name, column.cells.string(row))
    }
    for pair in extra { appendPair(pair.name, pair.value) }
  }

  /// Field 3: `LabelPairAdapter{1 name, 2 value}`.
  private mutating func appendPair(_ name: String, _ value: String) {
    let (nameBytes, valueBytes) = (name.utf8.count, value.utf8.count)
    let byteCount =
      2 + Varint.byteCount(UInt64(nameBytes)) + nameBytes + Varint.byteCount(UInt64(valueBytes)) + valueBytes
    metadata.append(0x1A)
    metadata.appendVarint(UInt64(byteCount))
    metadata.append(0x0A)
    metadata.appendVarint(UInt64(nameBytes))
    metadata.append(raw: name)
    metadata.append(0x12)
    metadata.appendVarint(UInt64(valueBytes))
    metadata.append(raw: value)
  }

  /// Appends `["ns","line"]` or `["ns","line",{"name":"value"}]`.
  mutating func appendJSON(_ row: Int, metadata extra: [LabelSet.Pair], to entries: inout JSONWriter) {
    writeLine(row)
    entries.append(raw: "[\"")
    entries.appendInt64(timestamps.withInt64 { $0[row] })
    entries.append(raw: "\",")
    line.withBytes { entries.appendString($0) }
    var separator = ",{"
    for column in metadataColumns where column.cells.byteCount(row) > 0 {
      entries.append(raw: separator)
      entries.appendString(column.name)
      entries.append(raw: ":")
      column.cells.appendJSON(row, to: &entries)
      separator = ","
    }
    for pair in extra {
      entries.append(raw: separator)
      entries.appendString(pair.name)
      entries.append(raw: ":")
      entries.appendString(pair.value)
      separator = ","
    }
    entries.append(raw: separator == "," ? "}]" : "]")
  }
}
