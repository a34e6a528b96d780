import Codecs
import Platform
import Records

/// A byte of the journal: which segment, and where in it.
package struct JournalOffset: Sendable, Hashable, Comparable {
  /// The segment's number.
  package var segment: UInt32
  /// From the segment's start.
  package var byte: Int

  /// A byte of a segment.
  package init(segment: UInt32, byte: Int) {
    self.segment = segment
    self.byte = byte
  }

  /// Whether it comes before the other in the journal.
  package static func < (one: JournalOffset, other: JournalOffset) -> Bool {
    (one.segment, one.byte) < (other.segment, other.byte)
  }
}

/// The fixed start of a frame (Docs/formats/journal.md).
package struct FrameHeader: Sendable, Hashable {
  /// What the body holds. Written to disk: never renumber.
  package enum Kind: UInt8, Sendable { case rows = 1, keys = 2 }

  static let byteCount = 104
  static let magic: UInt32 = 0x464C_5743
  static let version: UInt8 = 1

  /// What the body holds.
  package var kind: Kind
  /// Whether the frame ends a commit.
  package var isCommitMark = false
  /// Bytes of the whole frame.
  package var frameBytes = 0
  var bodyChecksum: UInt32 = 0
  /// Where the frame starts: a copy of it elsewhere is none.
  package var place = JournalOffset(segment: 0, byte: 0)
  /// Everything before it was synced when the frame was written.
  package var durableTo = JournalOffset(segment: 0, byte: 0)
  /// One more than that of the frame before; 1 for the first of all.
  package var sequence: UInt64 = 0
  /// Of its first row; the others follow without a gap.
  package var firstPosition: Int64 = 0
  /// Of its rows, ns since 1970.
  package var timestampMin: Int64 = 0
  /// Of its rows, ns since 1970.
  package var timestampMax: Int64 = 0
  /// Of all its rows, ns since 1970, whole milliseconds.
  package var ingestedAt: Int64 = 0
  /// 0 for a frame of keys.
  package var rowCount = 0
  /// Appends that its rows are of, or keys it holds.
  package var requestCount = 0
  var realm: UInt8 = 0
  var dataset: UInt8 = 0
  var nameBytes = 0
  var requestBytes = 0
  /// A bit a declared column: it has any value.
  package var columnsWithValues: UInt32 = 0
  /// A bit a declared column: it has values and nulls.
  package var columnsWithValidity: UInt32 = 0
  /// A random number of the writer's life, from its opening to its end.
  var life: UInt32 = 0
  /// Whether it is the first frame of that life.
  var isFirstOfLife = false

  init(kind: Kind) { self.kind = kind }

  /// Where the columns start, from the frame's start.
  var columnsStart: Int { (FrameHeader.byteCount + nameBytes + requestBytes + 7) & ~7 }

  /// Adds room for a header.
  static func reserve(in buffer: WriteBuffer) { buffer.appendZeros(byteCount) }

  /// Writes the header over the room at `start`, with its checksum.
  func store(in buffer: WriteBuffer, at start: Int) {
    buffer.store(FrameHeader.magic, at: start)
    buffer.store(FrameHeader.version, at: start + 4)
    buffer.store(kind.rawValue, at: start + 5)
    buffer.store(UInt16(isCommitMark ? 1 : 0) | (isFirstOfLife ? 2 : 0), at: start + 6)
    buffer.store(UInt32(frameBytes), at: start + 8)
    buffer.store(bodyChecksum, at: start + 12)
    buffer.store(place.segment, at: start + 16)
    buffer.store(UInt32(place.byte), at: start + 20)
    buffer.store(durableTo.segment, at: start + 24)
    buffer.store(UInt32(durableTo.byte), at: start + 28)
    buffer.store(sequence, at: start + 32)
    buffer.store(firstPosition, at: start + 40)
    buffer.store(timestampMin, at: start + 48)
    buffer.store(timestampMax, at: start + 56)
    buffer.store(ingestedAt, at: start + 64)
    buffer.store(UInt32(rowCount), at: start + 72)
    buffer.store(UInt32(requestCount), at: start + 76)
    buffer.store(realm, at: start + 80)
    buffer.store(dataset, at: start + 81)
    buffer.store(UInt16(nameBytes), at: start + 82)
    buffer.store(UInt32(requestBytes), at: start + 84)
    buffer.store(columnsWithValues, at: start + 88)
    buffer.store(columnsWithValidity, at: start + 92)
    buffer.store(life, at: start + 96)
    let checksum = buffer.withSpan(start..<start + 100) { CRC32C.checksum($0) }
    buffer.store(checksum, at: start + 100)
  }

  /// Reads the header at `byte` (a multiple of 8) of segment `number`; nil with the reason if it is none, or
  /// not of this place. The frame it describes lies within the segment, its own parts within the frame; the
  /// body is not looked at.
  static func read(_ segment: Buffer, at byte: Int, segment number: UInt32) -> Parsed {
    guard byte + byteCount <= segment.byteCount else { return .bad("no room for a header") }
    let slice = segment.slice(byte..<byte + byteCount)
    return slice.withSpan(of: UInt64.self) { words -> Parsed in
      guard UInt32(truncatingIfNeeded: words[0].littleEndian) == magic else { return .bad("no frame") }
      let checksum = slice.withSpan(of: UInt8.self) { CRC32C.checksum($0.extracting(0..<100)) }
      guard words.high(12) == checksum else { return .bad("the header's checksum is wrong") }
      let version = UInt8(truncatingIfNeeded: words.high(0))
      // Its checksum is right, so somebody meant it.
      guard version == Self.version,
        let kind = Kind(rawValue: UInt8(truncatingIfNeeded: words.high(0) >> 8))
      else { return .later(version: Int(version)) }
      let header = FrameHeader(kind: kind, words: words)
      guard header.place == JournalOffset(segment: number, byte: byte) else {
        return .bad("the frame belongs elsewhere")
      }
      guard header.frameBytes & 7 == 0, header.frameBytes <= segment.byteCount - byte,
        header.columnsStart <= header.frameBytes
      else { return .bad("the frame's sizes are wrong") }
      return .good(header)
    }
  }

  enum Parsed {
    case good(FrameHeader)
    case bad(String)
    /// Whole, and of a version or kind that is not known.
    case later(version: Int)
  }

  private init(kind: Kind, words: Span<UInt64>) {
    self.kind = kind
    isCommitMark = words.high(0) >> 16 & 1 == 1
    isFirstOfLife = words.high(0) >> 17 & 1 == 1
    frameBytes = Int(words.low(1))
    bodyChecksum = words.high(1)
    place = JournalOffset(segment: words.low(2), byte: Int(words.high(2)))
    durableTo = JournalOffset(segment: words.low(3), byte: Int(words.high(3)))
    sequence = words[4].littleEndian
    firstPosition = words.signed(5)
    timestampMin = words.signed(6)
    timestampMax = words.signed(7)
    ingestedAt = words.signed(8)
    rowCount = Int(words.low(9))
    requestCount = Int(words.high(9))
    realm = UInt8(truncatingIfNeeded: words.low(10))
    dataset = UInt8(truncatingIfNeeded: words.low(10) >> 8)
    nameBytes = Int(words.low(10) >> 16)
    requestBytes = Int(words.high(10))
    columnsWithValues = words.low(11)
    columnsWithValidity = words.high(11)
    life = words.low(12)
  }
}

extension Span<UInt64> {
  fileprivate func low(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: self[index].littleEndian) }
  fileprivate func high(_ index: Int) -> UInt32 { UInt32(self[index].littleEndian >> 32) }
  fileprivate func signed(_ index: Int) -> Int64 { Int64(bitPattern: self[index].littleEndian) }
}
