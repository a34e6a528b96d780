import Codecs
import Columnar
import Records

/// A push ready to be sent.
package struct EncodedPush: Sendable {
  /// As it is sent, compressed.
  package let body: [UInt8]
  /// How many of the rows asked for are in it, at least 1.
  package let rowCount: Int
  /// Bytes before compression.
  package let plainByteCount: Int
}

/// Writes rows as pushes of Loki: entries grouped by label set in the order the sets are first seen, within a
/// set in the order of the rows.
package struct LokiEncoder: Sendable {
  /// Which columns become what.
  package let mapping: LokiMapping
  /// How pushes are written.
  package let format: PushFormat

  /// An encoder; it holds nothing.
  package init(mapping: LokiMapping, format: PushFormat) {
    self.mapping = mapping
    self.format = format
  }

  /// The header's value.
  package var contentType: String {
    switch format {
    case .protobuf: "application/x-protobuf"
    case .json: "application/json"
    }
  }

  /// The header's value; nil: none.
  package var contentEncoding: String? {
    switch format {
    case .protobuf: nil
    case .json: "gzip"
    }
  }

  /// The rows `rows` of `window`, or as many of the first of them as `bytesMax` bytes hold (before
  /// compression; one is always taken). Blocks for about a microsecond a row.
  package func encode(
    _ window: EntryWindow, rows: Range<Int>, bytesMax: Int
  ) throws(ColumnarError) -> EncodedPush {
    var streams = StreamGrouping(window.rows, mapping: mapping)
    var writer = EntryWriter(window.rows, mapping: mapping)
    var entries = JSONWriter(capacity: min(bytesMax, 1 << 20) + 4096)
    var ends: [Int] = []
    var streamOfEntry: [Int32] = []
    ends.reserveCapacity(rows.count)
    streamOfEntry.reserveCapacity(rows.count)
    var labelBytes = 0
    for row in rows {
      let known = streams.labelSets.count
      let place = streams.place(of: row)
      if streams.labelSets.count > known {
        labelBytes += max(streams.labelSets[known].text.count, streams.labelSets[known].json.count) + 32
      }
      switch format {
      case .protobuf: writer.appendProtobuf(row, metadata: streams.metadata[place.metadata], to: &entries)
      case .json: writer.appendJSON(row, metadata: streams.metadata[place.metadata], to: &entries)
      }
      if !ends.isEmpty, entries.byteCount + ends.count + labelBytes + 32 > bytesMax { break }
      ends.append(entries.byteCount)
      streamOfEntry.append(Int32(truncatingIfNeeded: place.stream))
    }
    let order = LokiEncoder.order(streamOfEntry, streamCount: streams.labelSets.count)
    let plain =
      switch format {
      case .protobuf: LokiEncoder.protobuf(entries, ends: ends, order: order, streams.labelSets)
      case .json: LokiEncoder.json(entries, ends: ends, order: order, streams.labelSets)
      }
    return try plain.withBytes { (bytes: Span<UInt8>) throws(ColumnarError) -> EncodedPush in
      let body =
        switch format {
        case .protobuf: try BlockCompression.snappy.compress(bytes)
        // Level 1: a fifth larger than level 6 and more than twice as fast.
        case .json: try BlockCompression.gzip(level: 1).compress(bytes)
        }
      return EncodedPush(body: body, rowCount: ends.count, plainByteCount: bytes.count)
    }
  }

  /// One row as a stream of a JSON push with this one value: what dead letters keep.
  package func streamObject(_ window: EntryWindow, row: Int) -> [UInt8] {
    var streams = StreamGrouping(window.rows, mapping: mapping)
    var writer = EntryWriter(window.rows, mapping: mapping)
    let place = streams.place(of: row)
    var text = JSONWriter(capacity: 1024)
    text.append(raw: "{\"stream\":")
    text.append(raw: streams.labelSets[place.stream].json)
    text.append(raw: ",\"values\":[")
    writer.appendJSON(row, metadata: streams.metadata[place.metadata], to: &text)
    text.append(raw: "]}")
    return text.takeBytes()
  }

  /// Entries by stream, within a stream in their order; the stream's number with each.
  private static func order(_ streams: [Int32], streamCount: Int) -> [[Int32]] {
    var order = [[Int32]](repeating: [], count: streamCount)
    for (entry, stream) in streams.enumerated() {
      order[Int(stream)].append(Int32(truncatingIfNeeded: entry))
    }
    return order
  }

  private static func protobuf(
    _ entries: borrowing JSONWriter, ends: [Int], order: [[Int32]], _ labelSets: [LabelSet]
  ) -> JSONWriter {
    var plain = JSONWriter(capacity: entries.byteCount + labelSets.count * 128 + 64)
    entries.withBytes { bytes in
      for (stream, members) in order.enumerated() where !members.isEmpty {
        let labels = labelSets[stream].text
        var byteCount = 1 + Varint.byteCount(UInt64(labels.count)) + labels.count
        for entry in members {
          let entry = Int(entry)
          byteCount += ends[entry] - (entry == 0 ? 0 : ends[entry - 1])
        }
        plain.append(0x0A)
        plain.appendVarint(UInt64(byteCount))
        plain.append(0x0A)
        plain.appendVarint(UInt64(labels.count))
        plain.append(raw: labels)
        for entry in members {
          let entry = Int(entry)
          plain.append(raw: bytes.extracting((entry == 0 ? 0 : ends[entry - 1])..<ends[entry]))
        }
      }
    }
    return plain
  }

  private static func json(
    _ entries: borrowing JSONWriter, ends: [Int], order: [[Int32]], _ labelSets: [LabelSet]
  ) -> JSONWriter {
    var plain = JSONWriter(capacity: entries.byteCount + ends.count + labelSets.count * 128 + 64)
    entries.withBytes { bytes in
      plain.append(raw: "{\"streams\":[")
      var isFirst = true
      for (stream, members) in order.enumerated() where !members.isEmpty {
        plain.append(raw: isFirst ? "{\"stream\":" : ",{\"stream\":")
        isFirst = false
        plain.append(raw: labelSets[stream].json)
        plain.append(raw: ",\"values\":[")
        for (index, entry) in members.enumerated() {
          let entry = Int(entry)
          if index > 0 { plain.append(UInt8(ascii: ",")) }
          plain.append(raw: bytes.extracting((entry == 0 ? 0 : ends[entry - 1])..<ends[entry]))
        }
        plain.append(raw: "]}")
      }
      plain.append(raw: "]}")
    }
    return plain
  }
}

extension JSONWriter {
  /// Appends `value` seven bits a byte, low bits first.
  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}
