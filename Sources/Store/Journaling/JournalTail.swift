import Platform
import Records

/// Follows a journal that another process may be writing, without changing it: where it ends at a moment,
/// and the bytes up to there, which stay readable as long as this lives, whatever is removed meanwhile.
///
/// A frame that is seen whole was written whole, and stays: so all that was acknowledged before a call of
/// ``advance()`` lies before ``end``.
package struct JournalTail {
  /// One segment's part of the journal.
  package struct Part: Sendable {
    /// Of the segment's file.
    package let path: String
    /// The file's name in its directory.
    package let name: String
    /// Of the whole file, zeros behind the frames included.
    package let byteCount: Int
    /// How many there are up to the journal's end: of all segments but the last all.
    package let usedBytes: Int
    private let segment: SegmentFile

    fileprivate init(_ segment: SegmentFile, usedBytes: Int) {
      self.segment = segment
      path = segment.path
      name = SegmentFile.name(segment.number)
      byteCount = segment.byteCount
      self.usedBytes = usedBytes
    }

    /// Bytes of the file.
    package func read(_ range: Range<Int>) -> [UInt8] {
      segment.mapping.slice(range).withSpan(of: UInt8.self) { $0.array(0..<$0.count) }
    }

    /// Throws if bytes of the file could not be read: what ``read(_:)`` gave may have been zeros.
    package func requireReadable() throws(JournalError) { try segment.requireReadable() }
  }

  /// End of the last whole commit.
  package private(set) var end: JournalOffset
  /// Whether segments that were never seen are gone, so that the journal's end cannot be found from here: a
  /// new tail can find it.
  package private(set) var isBehind = false
  /// Of the frame that ends there; 0: none does.
  package var sequence: UInt64 { last?.sequence ?? 0 }
  /// Number of the first segment.
  package var firstSegment: UInt32 { segments[0].number }
  /// One behind the last position of each tenant that has a frame here.
  package private(set) var nextPositions: [Tenant: Int64] = [:]
  /// The last frame before ``end``.
  private var last: FrameHeader?
  private var segments: [SegmentFile]
  private let directory: String
  private let fileSystem: any FileSystem
  private let registry: Registry

  /// How often a file that was listed may be gone when it is opened.
  private static let triesMax = 100

  /// Opens all segments in `directory` and reads the journal to its end: half a second a GiB.
  ///
  /// - Throws: `.corrupt` if bytes that were synced have changed or gone.
  package init(
    directory: String, fileSystem: any FileSystem, registry: Registry
  ) throws(JournalError) {
    self.directory = directory
    self.fileSystem = fileSystem
    self.registry = registry
    let anchor: AnchorState
    (segments, anchor) = try JournalTail.open(directory, fileSystem)
    end = JournalOffset(segment: segments[0].number, byte: SegmentFile.headerBytes)
    // Asked before the frames are read: what was synced by now must be found then.
    var synced = anchor.synced
    for segment in segments where segment.number >= anchor.synced.segment {
      synced = max(synced, try JournalTail.claim(segment))
    }
    let stop = try walk()
    for segment in segments { try segment.requireReadable() }
    // What is gone since the names were read is not missed: the next tail finds what there is.
    if end < synced, !isBehind {
      let reason = stop.reason ?? "no frame starts here"
      throw .corrupt(
        file: directory + "/" + SegmentFile.name(stop.place.segment), offsetBytes: stop.place.byte,
        reason: "\(reason); the journal was synced up to segment \(synced.segment), byte \(synced.byte)")
    }
  }

  /// Goes on to where the journal ends now. Costs what was written since.
  package mutating func advance() throws(JournalError) { _ = try walk() }

  /// The segments up to ``end``, by number.
  package var parts: [Part] {
    segments.filter { $0.number <= end.segment }.map { segment in
      Part(segment, usedBytes: segment.number == end.segment ? end.byte : segment.byteCount)
    }
  }

  /// The segments are removed from the front while they are opened: then the names are read again.
  private static func open(
    _ directory: String, _ fileSystem: any FileSystem
  ) throws(JournalError) -> ([SegmentFile], AnchorState) {
    for attempt in 1... {
      do throws(JournalError) {
        let numbers: [UInt32]
        do throws(DiskError) {
          numbers = try fileSystem.list(directory).compactMap(SegmentFile.number(of:)).sorted()
        } catch { throw .disk(error) }
        // In this order: a segment goes after the anchor has said so.
        let anchor = try AnchorReading(
          directory: PathName.directory(of: directory), fileSystem: fileSystem
        ).state
        try AnchorCheck.requireFirst(numbers.first, anchor, directory: directory)
        guard !numbers.isEmpty else {
          throw .corrupt(file: directory, offsetBytes: 0, reason: "there is no segment")
        }
        let segments = try JournalFile.openSegments(
          numbers, directory: directory, fileSystem: fileSystem, writable: false)
        return (segments, anchor)
      } catch .disk(.notFound(let path)) {
        if attempt == triesMax { throw .disk(.notFound(path: path)) }
      }
    }
    bug("a loop without an end")
  }

  /// The largest `durable_to` of the headers in the segment, wherever they stand.
  private static func claim(_ segment: SegmentFile) throws(JournalError) -> JournalOffset {
    let places = segment.mapping.withSpan(of: UInt64.self) { words in
      words.indices.filter { UInt32(truncatingIfNeeded: words[$0].littleEndian) == FrameHeader.magic }
    }
    var claim = JournalOffset(segment: 0, byte: 0)
    for place in places {
      switch FrameHeader.read(segment.mapping, at: place * 8, segment: segment.number) {
      case .good(let header): claim = max(claim, header.durableTo)
      case .later(let version): throw .laterVersion(file: segment.path, version: version)
      case .bad: continue
      }
    }
    return claim
  }

  /// Reads on from the end; where that stopped, and why.
  private mutating func walk() throws(JournalError) -> (place: JournalOffset, reason: String?) {
    var place = end
    var previous = last
    var waiting: [ScannedFrame] = []
    while true {
      guard let index = segments.firstIndex(where: { $0.number == place.segment }) else {
        bug("the journal ends in a segment that is open")
      }
      let scan = JournalScan(segments: segments, registry: registry)
      switch try scan.next(segments[index], at: place.byte, after: previous) {
      case .none:
        if index + 1 == segments.count {
          guard try openNext() else { return (place, nil) }
        }
        place = JournalOffset(segment: place.segment + 1, byte: SegmentFile.headerBytes)
      case .bad(let reason): return (place, reason.text)
      case .frame(let found):
        waiting.append(found)
        place.byte += found.header.frameBytes
        previous = found.header
        guard found.header.isCommitMark else { continue }
        for frame in waiting { note(frame) }
        waiting.removeAll(keepingCapacity: true)
        (end, last) = (place, previous)
      }
    }
  }

  private mutating func note(_ frame: ScannedFrame) {
    guard let tenant = frame.partition?.tenant else { return }
    let next = frame.header.firstPosition + Int64(frame.header.rowCount)
    nextPositions[tenant] = max(nextPositions[tenant] ?? 0, next)
  }

  /// Opens the segment behind the last; false: there is none yet, or it is gone.
  private mutating func openNext() throws(JournalError) -> Bool {
    let number = segments[segments.count - 1].number + 1
    for _ in 1...JournalTail.triesMax {
      do throws(JournalError) {
        segments.append(
          try SegmentFile.open(
            number: number, path: directory + "/" + SegmentFile.name(number), fileSystem: fileSystem,
            writable: false))
        return true
      } catch .disk(.notFound) {
        let behind: [UInt32]
        do throws(DiskError) {
          behind = try fileSystem.list(directory).compactMap(SegmentFile.number(of:)).filter { $0 >= number }
        } catch { throw .disk(error) }
        // One that was made just now is opened.
        if behind.contains(number) { continue }
        isBehind = !behind.isEmpty
        return false
      }
    }
    isBehind = true
    return false
  }
}
