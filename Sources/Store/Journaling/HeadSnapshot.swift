import Codecs
import Records

/// Where a frame of the head lies, and its bounds: 48 bytes a frame.
struct FrameEntry: Sendable, Hashable {
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

  /// The segments of frames, pages of which the disk has not given so far. A load a segment while all is
  /// well.
  package func failedSegments() -> Set<UInt32> {
    guard segments.values.contains(where: { $0.failedByte != nil }) else { return [] }
    return Set(entries.map(\.segment)).filter { segments[$0]?.failedByte != nil }
  }

  /// Throws if a segment has failed since ``failedSegments()`` gave `before`: batches that share its memory
  /// may have shown zeros.
  package func requireReadable(since before: Set<UInt32>) throws(JournalError) {
    for number in failedSegments().subtracting(before).sorted() { try segments[number]?.requireReadable() }
  }

  private func frame(_ entry: FrameEntry) -> HeadFrame {
    guard let segment = segments[entry.segment] else {
      bug("the segment of a shown frame is open")
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
  /// Where it lies.
  package var place: JournalOffset { JournalOffset(segment: entry.segment, byte: Int(entry.byte)) }
  /// The segment's file.
  package var path: String { segment.path }

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
  package func batch() throws(JournalError) -> RecordBatch {
    try batch(columns: dataset.schema.fields.map(\.name))
  }

  /// The named columns, in that order; unknown names trap. Declared columns share the mapping's memory;
  /// `position`, `id` and
  /// `ingested_at` are made for the call (8, 16 and 8 bytes a row); a column without values is a new column
  /// of nulls. No disk but page faults; only the pages of the named columns are touched.
  ///
  /// The file may have changed since the frame was checked: what later reads rely on, header, sizes and the
  /// offsets of texts, is checked again and copied, so that damage is an error and never a text outside its
  /// column. Values are not: that is what ``verify()`` is for. Once the disk has failed to give a page of the
  /// segment, all of the frame is copied and compared with its checksum.
  ///
  /// - Throws: `.corrupt`, with segment and byte.
  package func batch(columns names: [String]) throws(JournalError) -> RecordBatch {
    if segment.failedByte == nil {
      do throws(JournalError) {
        let batch = try read(bytes, columns: names)
        if segment.failedByte == nil { return batch }
      } catch { if segment.failedByte == nil { throw error } }
    }
    return try read(try soundBytes(), columns: names)
  }

  /// Checks all bytes against the frame's checksums: before they are copied into another file, whose
  /// checksums would vouch for them. About 7 GB/s.
  ///
  /// - Throws: `.corrupt`, with segment and byte.
  package func verify() throws(JournalError) {
    if segment.failedByte == nil {
      try check(bytes, try header())
      if segment.failedByte == nil { return }
    }
    _ = try soundBytes()
  }

  /// Takes the pages of the frame, and of what lies around it, out of this process's memory until they are
  /// read again; batches stay valid.
  package func letGo() {
    let start = Int(entry.byte) & ~(HeadFrame.mappedBytesMax - 1)
    let end = (Int(entry.byte) + byteCount + HeadFrame.mappedBytesMax - 1) & ~(HeadFrame.mappedBytesMax - 1)
    segment.letGo(start..<end)
  }

  /// What reading one byte may map at most: the kernel keeps a file in pieces of up to so many bytes, and
  /// maps a piece as a whole. So the frame read next brings the end of the one before back.
  private static let mappedBytesMax = 2 << 20

  private var bytes: Buffer { segment.mapping.slice(Int(entry.byte)..<Int(entry.byte) + byteCount) }

  private func read(_ bytes: Buffer, columns names: [String]) throws(JournalError) -> RecordBatch {
    let reader = FrameReader(header: try header(), frame: bytes, schema: dataset.schema)
    guard let batch = reader?.batch(columns: names) else { throw damage("the body's parts do not fit") }
    return batch
  }

  /// A copy of the bytes, as they were written.
  private func soundBytes() throws(JournalError) -> Buffer {
    let copy = bytes.copied()
    try check(copy, try header())
    return copy
  }

  private func check(_ bytes: Buffer, _ header: FrameHeader) throws(JournalError) {
    let body = bytes.slice(FrameHeader.byteCount..<byteCount)
    guard body.withSpan(of: UInt8.self, { CRC32C.checksum($0) }) == header.bodyChecksum else {
      throw damage("the body's checksum is wrong")
    }
  }

  private func header() throws(JournalError) -> FrameHeader {
    switch FrameHeader.read(segment.mapping, at: Int(entry.byte), segment: segment.number) {
    case .good(let header):
      guard FrameEntry(header) == entry else { throw damage("another frame lies where this one was") }
      return header
    case .bad(let reason): throw damage(reason)
    case .later: throw damage("another frame lies where this one was")
    }
  }

  private func damage(_ reason: String) -> JournalError {
    .corrupt(file: path, offsetBytes: Int(entry.byte), reason: reason)
  }
}

/// Reads columns out of a frame whose header was checked. Total: broken bytes give nil.
struct FrameReader {
  private let header: FrameHeader
  private let frame: Buffer
  private let schema: DatasetSchema
  private let declared: [Field]
  private let layout: FrameLayout

  /// nil: the parts do not fit.
  init?(header: FrameHeader, frame: Buffer, schema: DatasetSchema) {
    self.header = header
    self.frame = frame
    self.schema = schema
    declared = schema.declaredFields
    guard let layout = FrameLayout(header: header, frame: frame, fields: declared) else { return nil }
    self.layout = layout
  }

  func batch(columns names: [String]) -> RecordBatch? {
    var fields: [Field] = []
    var columns: [Column] = []
    for name in names {
      guard let field = schema.field(name) else { bug("a column of the schema") }
      guard let column = column(field) else { return nil }
      fields.append(field)
      columns.append(column)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: header.rowCount)
  }

  private func column(_ field: Field) -> Column? {
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
    let validity = ranges.validity.map { frame.slice($0) }
    guard let text = ranges.text else {
      return Column(type: field.type, rowCount: rows, validity: validity, storage: .fixed(values))
    }
    guard let offsets = values.checkedOffsets(count: rows + 1, byteCount: text.count) else { return nil }
    return Column(
      type: field.type, rowCount: rows, validity: validity,
      storage: .text(offsets: offsets, bytes: frame.slice(text)))
  }

  private func ids() -> Column? {
    guard let parts = header.requestParts(in: frame) else { return nil }
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
