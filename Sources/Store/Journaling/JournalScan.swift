import Codecs
import Platform
import Records

/// A frame that was found good.
struct ScannedFrame {
  let header: FrameHeader
  let segment: SegmentFile
  /// Of row frames only.
  let partition: Partition?

  var frame: Buffer {
    segment.mapping.slice(header.place.byte..<header.place.byte + header.frameBytes)
  }
}

/// Walks through the frames of the segments and decides where the journal ends (Docs/formats/journal.md,
/// Reading). Reads only; used at start and by the tools.
struct JournalScan {
  /// What the walk came to.
  struct Outcome {
    /// End of the last whole commit: what counts lies before.
    var end: JournalOffset
    /// Sequence of the last frame that counts; 0 if none does.
    var sequence: UInt64 = 0
    /// Where good frames end.
    var stop: JournalOffset
    /// Everything before was synced, as the frames say; what lies between here and `end` may not have been.
    var durable: JournalOffset
    /// Why the bytes at `stop` are no good frame; nil if there is just none.
    var reason: String?
    /// Bytes that were synced have changed or gone, at `stop`.
    var isDamaged = false
    /// For each segment the bytes behind `end` that are not zero.
    var leftovers: [(segment: SegmentFile, range: Range<Int>)] = []
  }

  /// In order of their numbers, which rise by one.
  let segments: [SegmentFile]
  /// What codes in frames mean.
  let registry: Registry

  /// Calls `visit` for each frame that counts, in order, commit by commit.
  func run(_ visit: (ScannedFrame) throws(JournalError) -> Void) throws(JournalError) -> Outcome {
    guard let first = segments.first else { bug("a segment to scan") }
    let start = JournalOffset(segment: first.number, byte: SegmentFile.headerBytes)
    var outcome = Outcome(end: start, stop: start, durable: start)
    var waiting: [ScannedFrame] = []
    var previous: FrameHeader?
    scanning: for segment in segments {
      var byte = SegmentFile.headerBytes
      while true {
        switch try next(segment, at: byte, after: previous) {
        case .none: continue scanning
        case .bad(let reason):
          // Frames that are missing at the end of an earlier segment show in the sequence of the next one's.
          if byte > SegmentFile.headerBytes || reason.isOfBytes {
            outcome.stop = JournalOffset(segment: segment.number, byte: byte)
          }
          outcome.reason = reason.text
          break scanning
        case .frame(let found):
          waiting.append(found)
          byte += found.header.frameBytes
          previous = found.header
          if found.header.durableTo > outcome.durable { outcome.durable = found.header.durableTo }
          outcome.stop = JournalOffset(segment: segment.number, byte: byte)
          guard found.header.isCommitMark else { continue }
          for frame in waiting { try visit(frame) }
          waiting.removeAll(keepingCapacity: true)
          outcome.end = outcome.stop
          outcome.sequence = found.header.sequence
        }
      }
    }
    try searchBehindEnd(&outcome)
    return outcome
  }

  struct Reason {
    var text: String
    /// Whether the bytes at the place are at fault, not what is missing before them.
    var isOfBytes = true
  }

  enum Next {
    case none
    case frame(ScannedFrame)
    case bad(Reason)
  }

  /// What stands at `byte` of the segment, if `previous` is the frame before it.
  func next(
    _ segment: SegmentFile, at byte: Int, after previous: FrameHeader?
  ) throws(JournalError) -> Next {
    let bytes = segment.mapping
    guard byte + FrameHeader.byteCount <= bytes.byteCount else { return .none }
    if bytes.slice(byte..<byte + 4).withSpan(of: UInt32.self, { $0[0] }) == 0 { return .none }
    switch FrameHeader.read(bytes, at: byte, segment: segment.number) {
    case .bad(let reason): return .bad(Reason(text: reason))
    case .later(let version): throw .laterVersion(file: segment.path, version: version)
    case .good(let header):
      if let previous, header.sequence != previous.sequence + 1 {
        return .bad(Reason(text: "frames are missing before this one", isOfBytes: false))
      }
      if let previous, header.life != previous.life, !header.isFirstOfLife {
        return .bad(Reason(text: "the frame is a leftover of an earlier life"))
      }
      return try check(header, segment)
    }
  }

  /// What a whole body holds and we do not know, a later version wrote: it must not be cut as a torn tail.
  private func check(_ header: FrameHeader, _ segment: SegmentFile) throws(JournalError) -> Next {
    let start = header.place.byte
    let frame = segment.mapping.slice(start..<start + header.frameBytes)
    let checksum = frame.slice(FrameHeader.byteCount..<header.frameBytes)
      .withSpan(of: UInt8.self) { CRC32C.checksum($0) }
    guard checksum == header.bodyChecksum else { return .bad(Reason(text: "the body's checksum is wrong")) }
    guard header.kind == .rows else {
      guard header.columnsStart == header.frameBytes,
        header.keyEntries(in: frame, tenant: nil, registry: registry) != nil
      else {
        throw .laterVersion(file: segment.path, version: Int(FrameHeader.version))
      }
      return .frame(ScannedFrame(header: header, segment: segment, partition: nil))
    }
    guard let tenant = header.tenant(in: frame, registry: registry),
      let dataset = registry.dataset(code: header.dataset)
    else {
      throw .laterVersion(file: segment.path, version: Int(FrameHeader.version))
    }
    let fields = dataset.schema.declaredFields
    guard let layout = FrameLayout(header: header, frame: frame, fields: fields),
      layout.hasRisingOffsets(in: frame),
      header.keyEntries(in: frame, tenant: tenant, registry: registry) != nil,
      header.firstPosition >= 0, header.firstPosition < Int64.max - Int64(header.rowCount)
    else { throw .laterVersion(file: segment.path, version: Int(FrameHeader.version)) }
    let partition = Partition(tenant: tenant, dataset: dataset)
    return .frame(ScannedFrame(header: header, segment: segment, partition: partition))
  }

  /// Looks at every 8th byte behind the end for leftovers, and for a frame that proves that more was synced.
  private func searchBehindEnd(_ outcome: inout Outcome) throws(JournalError) {
    for segment in segments where segment.number >= outcome.end.segment {
      let start =
        segment.number == outcome.end.segment ? outcome.end.byte : SegmentFile.headerBytes
      let rest = segment.mapping.slice(start..<segment.byteCount)
      var candidates: [Int] = []
      let found = rest.withSpan(of: UInt64.self) { words -> Range<Int>? in
        var first = words.count
        var last = -1
        for index in words.indices where words[index] != 0 {
          if last < 0 { first = index }
          last = index
          if UInt32(truncatingIfNeeded: words[index].littleEndian) == FrameHeader.magic {
            candidates.append(start + index * 8)
          }
        }
        return last < 0 ? nil : start + first * 8..<start + (last + 1) * 8
      }
      if let found { outcome.leftovers.append((segment, found)) }
      for byte in candidates {
        switch FrameHeader.read(segment.mapping, at: byte, segment: segment.number) {
        case .good(let header): if header.durableTo > outcome.end { outcome.isDamaged = true }
        case .later(let version): throw .laterVersion(file: segment.path, version: version)
        case .bad: continue
        }
      }
    }
  }
}
