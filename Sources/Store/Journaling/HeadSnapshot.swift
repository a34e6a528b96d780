import Codecs
import Records

/// Where a frame of the head lies, and its bounds: 48 bytes a frame.
struct FrameEntry: Sendable {
  var segment: UInt32
  var byte: UInt32
  var byteCount: UInt32
  var rowCount: UInt32
  var firstPosition: Int64
  var timestampMin: Int64
  var timestampMax: Int64
  var ingestedAt: Int64

  init(_ header: FrameHeader) {
    segment = header.place.segment
    byte = UInt32(header.place.byte)
    byteCount = UInt32(header.frameBytes)
    rowCount = UInt32(header.rowCount)
    firstPosition = header.firstPosition
    timestampMin = header.timestampMin
    timestampMax = header.timestampMax
    ingestedAt = header.ingestedAt
  }

  var positionEnd: Int64 { firstPosition + Int64(rowCount) }
}

/// The head of one partition at one moment. Its segments stay mapped while it lives, also after they were
/// removed.
package final class HeadSnapshot: Sendable {
  /// Whose rows these are.
  package let partition: Partition
  /// Rising positions; every row acknowledged before the snapshot and not released before it.
  package let frames: HeadFrames
  /// The tenant's next position at that moment: every visible row of any dataset lies below.
  package let positionEnd: Int64

  init(partition: Partition, frames: HeadFrames, positionEnd: Int64) {
    self.partition = partition
    self.frames = frames
    self.positionEnd = positionEnd
  }

  /// Rows of all frames. O(frames).
  package var rowCount: Int { frames.reduce(0) { $0 + $1.rowCount } }
  /// Bytes of all frames. O(frames).
  package var byteCount: Int { frames.reduce(0) { $0 + $1.byteCount } }
}

/// Frames of one partition, in the order of their positions. Taking them shares the index's own list: it
/// costs nothing until the next commit, which then copies the list once.
package struct HeadFrames: RandomAccessCollection, Sendable {
  private let entries: ArraySlice<FrameEntry>
  private let segments: [UInt32: SegmentFile]
  private let dataset: Dataset

  init(_ entries: ArraySlice<FrameEntry>, segments: [UInt32: SegmentFile], dataset: Dataset) {
    self.entries = entries
    self.segments = segments
    self.dataset = dataset
  }

  /// Of a slice, not always 0.
  package var startIndex: Int { entries.startIndex }
  /// One behind the last frame.
  package var endIndex: Int { entries.endIndex }
  /// The frame, where it lies. O(1).
  package subscript(index: Int) -> HeadFrame { frame(entries[index]) }

  private func frame(_ entry: FrameEntry) -> HeadFrame {
    guard let segment = segments[entry.segment] else {
      preconditionFailure("the segment of a shown frame is open")
    }
    return HeadFrame(entry, segment: segment, dataset: dataset)
  }

  /// Those with rows from `position` on. O(log frames).
  package func reaching(_ position: Int64) -> HeadFrames {
    var low = entries.startIndex
    var high = entries.endIndex
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].positionEnd <= position { low = middle + 1 } else { high = middle }
    }
    return HeadFrames(entries[low...], segments: segments, dataset: dataset)
  }

  /// Those whose rows were taken in at one of `times` (ns since 1970). Nanoseconds a frame.
  package func ingested(at times: Set<Int64>) -> [HeadFrame] {
    // Mostly one: no hashing then.
    if times.count == 1, let time = times.first {
      return entries.filter { $0.ingestedAt == time }.map(frame)
    }
    return entries.filter { times.contains($0.ingestedAt) }.map(frame)
  }
}

/// Rows of one partition that were committed together, where they lie in the journal. Positions are
/// consecutive.
package struct HeadFrame: Sendable {
  private let entry: FrameEntry
  private let segment: SegmentFile
  private let dataset: Dataset

  init(_ entry: FrameEntry, segment: SegmentFile, dataset: Dataset) {
    self.entry = entry
    self.segment = segment
    self.dataset = dataset
  }

  /// The segment it lies in.
  package var segmentNumber: UInt32 { entry.segment }

  /// Smallest and largest timestamp and position of its rows.
  package var bounds: KeyBounds {
    KeyBounds(
      timestampMin: entry.timestampMin, timestampMax: entry.timestampMax,
      positionMin: entry.firstPosition, positionMax: entry.positionEnd - 1)
  }

  /// At least one.
  package var rowCount: Int { Int(entry.rowCount) }
  /// Bytes in the journal.
  package var byteCount: Int { Int(entry.byteCount) }
  /// One behind the last row's position.
  package var positionEnd: Int64 { entry.positionEnd }
  /// `ingested_at` of every row, ns since 1970.
  package var ingestedAt: Int64 { entry.ingestedAt }

  /// All columns of the dataset's schema.
  package func batch() -> RecordBatch {
    batch(columns: dataset.schema.fields.map(\.name))
  }

  /// The named columns, in that order; unknown names trap. Declared columns share the mapping's memory;
  /// `position`, `id` and
  /// `ingested_at` are made for the call (8, 16 and 8 bytes a row); a column without values is a new column
  /// of nulls. No disk but page faults; only the pages of the named columns are touched.
  package func batch(columns names: [String]) -> RecordBatch {
    let start = Int(entry.byte)
    let frame = segment.mapping.slice(start..<start + byteCount)
    guard case .good(let header) = FrameHeader.read(segment.mapping, at: start, segment: segment.number)
    else { preconditionFailure("an indexed frame has the header that was checked") }
    return FrameReader(header: header, frame: frame, schema: dataset.schema).batch(columns: names)
  }
}

/// Reads columns out of a frame that was checked before.
struct FrameReader {
  private let header: FrameHeader
  private let frame: Buffer
  private let schema: DatasetSchema
  private let declared: [Field]
  private let layout: FrameLayout

  /// Traps on a frame that was not checked (``JournalScan``).
  init(header: FrameHeader, frame: Buffer, schema: DatasetSchema) {
    self.header = header
    self.frame = frame
    self.schema = schema
    declared = schema.declaredFields
    guard let layout = FrameLayout(header: header, frame: frame, fields: declared) else {
      preconditionFailure("a checked frame has a layout")
    }
    self.layout = layout
  }

  func batch(columns names: [String]) -> RecordBatch {
    var fields: [Field] = []
    var columns: [Column] = []
    for name in names {
      guard let field = schema.field(name) else { preconditionFailure("a column of the schema") }
      fields.append(field)
      columns.append(column(field))
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: header.rowCount)
  }

  private func column(_ field: Field) -> Column {
    let rows = header.rowCount
    switch field.name {
    case "position": return Column(int64: (0..<Int64(rows)).map { header.firstPosition + $0 })
    case "ingested_at": return Column(timestamps: [Int64](repeating: header.ingestedAt, count: rows))
    case "id": return ids()
    default: break
    }
    guard let index = declared.firstIndex(of: field), let ranges = layout.columns[index] else {
      return .nulls(type: field.type, rowCount: rows)
    }
    let values = frame.slice(ranges.values)
    return Column(
      type: field.type, rowCount: rows, validity: ranges.validity.map { frame.slice($0) },
      storage: ranges.text.map { .text(offsets: values, bytes: frame.slice($0)) } ?? .fixed(values))
  }

  private func ids() -> Column {
    guard let parts = header.requestParts(in: frame) else {
      preconditionFailure("a checked frame has a request list")
    }
    if parts.count == 1 { return UUIDv7.column(first: parts[0].firstID, count: header.rowCount) }
    var words: [UInt64] = []
    words.reserveCapacity(header.rowCount * 2)
    for part in parts {
      let column = UUIDv7.column(first: part.firstID, count: part.rowCount)
      guard case .fixed(let values) = column.storage else { continue }
      values.withSpan(of: UInt64.self) { span in
        for index in 0..<part.rowCount * 2 { words.append(span[index]) }
      }
    }
    return Column(
      type: .uuid, rowCount: header.rowCount, validity: nil, storage: .fixed(Buffer(copying: words)))
  }
}
