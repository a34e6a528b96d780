import Codecs
import Platform
import Records

/// Rows of one request that go into one frame.
struct RowPart {
  let batch: RecordBatch
  let rows: Range<Int>
  /// 16 bytes: the id of the first of these rows.
  let firstID: [UInt8]
  /// With the request's last part, if it has a key.
  let key: (key: ScopedKey, entry: KeyEntry)?
}

/// Turns rows into frames at the end of a write buffer. The header's place, `durable_to`, sequence and commit
/// mark are filled in by the caller, who stores it.
struct FrameEncoder {
  let buffer: WriteBuffer

  /// Encodes the parts as one frame; their rows get positions from `firstPosition` on. Each value is copied
  /// once.
  func encode(
    _ parts: [RowPart], partition: Partition, firstPosition: Int64, ingestedAt: Int64
  ) -> FrameHeader {
    let start = buffer.count
    var header = FrameHeader(kind: .rows)
    let name = Array(partition.tenant.name.utf8)
    header.realm = partition.tenant.realm.code
    header.dataset = partition.dataset.code
    header.firstPosition = firstPosition
    header.ingestedAt = ingestedAt
    header.nameBytes = name.count
    header.rowCount = parts.reduce(0) { $0 + $1.rows.count }
    header.requestCount = parts.count
    (header.timestampMin, header.timestampMax) = Self.timestampBounds(parts)
    FrameHeader.reserve(in: buffer)
    buffer.append(name)
    let requests = buffer.count
    for part in parts {
      buffer.append(UInt32(part.rows.count))
      buffer.append(UInt32(part.key.map { KeyEntry.byteCount($0.key, answer: $0.entry.answer) } ?? 0))
      buffer.append(part.firstID)
      if let (key, entry) = part.key { entry.append(key, to: buffer) }
    }
    header.requestBytes = buffer.count - requests
    buffer.pad8()
    for index in parts[0].batch.columns.indices {
      appendColumn(index, parts, rowCount: header.rowCount, header: &header)
    }
    seal(&header, from: start)
    return header
  }

  /// Encodes idempotency keys that would go with their segment.
  func encode(_ entries: ArraySlice<(key: ScopedKey, entry: KeyEntry)>) -> FrameHeader {
    let start = buffer.count
    var header = FrameHeader(kind: .keys)
    header.requestCount = entries.count
    FrameHeader.reserve(in: buffer)
    let requests = buffer.count
    for (key, entry) in entries {
      let name = Array(key.tenant.name.utf8)
      buffer.append(UInt16(key.tenant.realm.code))
      buffer.append(UInt16(name.count))
      buffer.append(UInt32(KeyEntry.byteCount(key, answer: entry.answer)))
      buffer.append(name)
      entry.append(key, to: buffer)
    }
    header.requestBytes = buffer.count - requests
    buffer.pad8()
    seal(&header, from: start)
    return header
  }

  private func seal(_ header: inout FrameHeader, from start: Int) {
    header.frameBytes = buffer.count - start
    header.bodyChecksum = buffer.withSpan(start + FrameHeader.byteCount..<buffer.count) {
      CRC32C.checksum($0)
    }
  }

  private func appendColumn(
    _ index: Int, _ parts: [RowPart], rowCount: Int, header: inout FrameHeader
  ) {
    let bit = UInt32(1) << UInt32(index)
    let columns = parts.map { Self.plain($0.batch.columns[index]) }
    var hasNulls = false
    var hasValues = false
    for (part, column) in zip(parts, columns) {
      guard column.validity != nil else {
        hasValues = true
        continue
      }
      hasNulls = true
      hasValues = hasValues || !Self.isAllNull(column, part.rows)
    }
    guard hasValues else { return }
    header.columnsWithValues |= bit
    if hasNulls {
      header.columnsWithValidity |= bit
      appendBits(rowCount, zip(parts, columns).map { ($0.rows, $1.validity) })
    }
    switch columns[0].type {
    case .int64, .float64, .timestamp, .uuid: appendFixed(parts, columns)
    case .bool:
      appendBits(rowCount, zip(parts, columns).map { ($0.rows, Self.fixedValues($1)) })
    case .utf8, .json: appendText(parts, columns)
    }
  }

  private func appendBits(_ rowCount: Int, _ sources: [(rows: Range<Int>, bits: Buffer?)]) {
    let start = buffer.count
    buffer.appendZeros((rowCount + 7) / 8)
    var at = 0
    for (rows, bits) in sources {
      buffer.setBits(
        inBitmapAt: start, bit: at, from: bits, sourceBit: rows.lowerBound, count: rows.count)
      at += rows.count
    }
    buffer.pad8()
  }

  private func appendFixed(_ parts: [RowPart], _ columns: [Column]) {
    for (part, column) in zip(parts, columns) {
      let width = column.type.fixedWidth ?? 0
      buffer.append(
        Self.fixedValues(column), part.rows.lowerBound * width..<part.rows.upperBound * width)
    }
    buffer.pad8()
  }

  private func appendText(_ parts: [RowPart], _ columns: [Column]) {
    var total = 0
    buffer.append(Int32(0))
    var ranges: [(bytes: Buffer, range: Range<Int>)] = []
    ranges.reserveCapacity(parts.count)
    for (part, column) in zip(parts, columns) {
      guard case .text(let offsets, let bytes) = column.storage else {
        bug("a plain text column")
      }
      let range = Self.textRange(offsets, part.rows)
      buffer.appendOffsets(
        offsets, part.rows.lowerBound + 1..<part.rows.upperBound + 1, adding: total - range.lowerBound)
      total += range.count
      ranges.append((bytes, range))
    }
    buffer.pad8()
    for (bytes, range) in ranges { buffer.append(bytes, range) }
    buffer.pad8()
  }

  /// The bytes of text that the rows hold.
  static func textRange(_ offsets: Buffer, _ rows: Range<Int>) -> Range<Int> {
    offsets.withSpan(of: Int32.self) { Int($0[rows.lowerBound])..<Int($0[rows.upperBound]) }
  }

  private static func fixedValues(_ column: Column) -> Buffer {
    guard case .fixed(let values) = column.storage else { bug("a fixed column") }
    return values
  }

  private static func isAllNull(_ column: Column, _ rows: Range<Int>) -> Bool {
    column.withValidity { bits in
      guard let bits else { return false }
      var row = rows.lowerBound
      while row < rows.upperBound {
        if row & 7 == 0 && row + 8 <= rows.upperBound {
          if bits[row >> 3] != 0 { return false }
          row += 8
        } else {
          if bits[row >> 3] >> UInt8(row & 7) & 1 == 1 { return false }
          row += 1
        }
      }
      return true
    }
  }

  private static func timestampBounds(_ parts: [RowPart]) -> (Int64, Int64) {
    var low = Int64.max
    var high = Int64.min
    for part in parts {
      part.batch.columns[0].withInt64 { values in
        for row in part.rows {
          low = min(low, values[row])
          high = max(high, values[row])
        }
      }
    }
    return (low, high)
  }

  /// The column without a dictionary. Decoders give plain columns; this is for batches from elsewhere.
  private static func plain(_ column: Column) -> Column {
    guard case .dictionary = column.storage else { return column }
    var builder = TextBuilder(capacity: column.rowCount)
    column.withDictionary { keys, offsets, bytes in
      for row in 0..<column.rowCount {
        if !column.isValid(row) {
          builder.appendNull()
          continue
        }
        let value = Int(keys[row])
        builder.append(contentsOf: bytes.extracting(Int(offsets[value])..<Int(offsets[value + 1])))
        builder.endRow()
      }
    }
    return builder.finish(type: column.type)
  }
}

extension RecordBatch {
  /// About the bytes the rows take in a frame. O(columns).
  package func journalBytes(_ rows: Range<Int>) -> Int {
    var bytes = 40
    for column in columns {
      if column.validity != nil { bytes += rows.count / 8 + 8 }
      switch column.storage {
      case .fixed: bytes += (column.type.fixedWidth.map { $0 * rows.count } ?? rows.count / 8) + 8
      case .text(let offsets, _):
        bytes += rows.count * 4 + 12 + FrameEncoder.textRange(offsets, rows).count
      case .dictionary(_, _, let text, _): bytes += rows.count * 4 + text.byteCount
      }
    }
    return bytes
  }
}
