import Platform
import Records

/// Reads a journal's directory without changing it: for `check` and `inspect`, also while a server writes
/// (its unfinished commit then shows as a cut).
package struct JournalReader {
  /// A segment file.
  package struct Segment: Sendable, Hashable {
    /// Of the file.
    package var path: String
    /// As in its name.
    package var number: UInt32
    /// Of the file, most of which may be zeros.
    package var byteCount: Int
    /// Where its frames end.
    package var usedBytes: Int
    /// Frames in it.
    package var frameCount = 0
    /// Rows of these frames.
    package var rowCount = 0
  }

  /// A frame that counts.
  package struct Frame: Sendable {
    /// Of the segment's file.
    package let path: String
    /// What the frame says of itself.
    package let header: FrameHeader
    /// nil for keys carried over.
    package let partition: Partition?
    private let segment: SegmentFile

    init(_ found: ScannedFrame) {
      path = found.segment.path
      header = found.header
      partition = found.partition
      segment = found.segment
    }

    /// All columns of the dataset's schema; nil for keys carried over. Shares the mapping's memory.
    package func batch() throws(JournalError) -> RecordBatch? {
      guard let dataset = partition?.dataset else { return nil }
      return try HeadFrame(FrameEntry(header), segment: segment, dataset: dataset).batch()
    }
  }

  /// By number.
  package private(set) var segments: [Segment] = []
  /// In the order they were found.
  package private(set) var findings: [FileFinding] = []

  /// Whether a journal gives files of its directory such a name.
  package static func isOwn(_ name: String) -> Bool {
    SegmentFile.number(of: name) != nil || SegmentFile.isTemporary(name)
  }

  /// Reads and checks everything in `directory`, oldest first, calling `visit` with each frame that counts. A
  /// directory without segments is empty, not wrong.
  package init(
    directory: String, fileSystem: any FileSystem, registry: Registry = .standard,
    visit: (Frame) throws(JournalError) -> Void
  ) throws(JournalError) {
    let numbers: [UInt32]
    do throws(DiskError) {
      numbers = try fileSystem.list(directory).compactMap(SegmentFile.number(of:)).sorted()
    } catch { throw .disk(error) }
    let parent = PathName.directory(of: directory)
    do throws(JournalError) {
      let anchor = try AnchorReading(directory: parent, fileSystem: fileSystem)
      try AnchorCheck.requireFirst(numbers.first, anchor.state, directory: directory)
      if numbers.isEmpty { return }
      let files = try JournalFile.openSegments(
        numbers, directory: directory, fileSystem: fileSystem, writable: false)
      try read(JournalScan(segments: files, registry: registry), anchor.state, directory, visit)
    } catch .corrupt(let file, let offset, let reason) {
      findings.append(FileFinding(file: file, offsetBytes: offset, reason: reason, isDamage: true))
    } catch .laterVersion(let file, let version) {
      let reason = "a later version wrote it (format \(version)): nothing is wrong with it"
      findings.append(FileFinding(file: file, offsetBytes: 0, reason: reason, isDamage: true))
    } catch { throw error }
  }

  private mutating func read(
    _ scan: JournalScan, _ anchor: AnchorState, _ directory: String,
    _ visit: (Frame) throws(JournalError) -> Void
  ) throws(JournalError) {
    var counted = scan.segments.map {
      Segment(
        path: $0.path, number: $0.number, byteCount: $0.byteCount, usedBytes: SegmentFile.headerBytes)
    }
    // What was found is told also where the scan ends early.
    defer { segments = counted }
    guard let first = counted.first?.number else { return }
    var check = AnchorCheck(anchor)
    var outcome = try scan.run { (found) throws(JournalError) in
      let index = Int(found.segment.number - first)
      counted[index].usedBytes = found.header.place.byte + found.header.frameBytes
      counted[index].frameCount += 1
      counted[index].rowCount += found.header.rowCount
      check.note(found.header)
      try visit(Frame(found))
    }
    check.judge(&outcome, firstSegment: first)
    for file in scan.segments {
      guard let byte = file.failedByte else { continue }
      findings.append(
        FileFinding(
          file: file.path, offsetBytes: byte, reason: "the disk does not give this page", isDamage: true))
    }
    let path = directory + "/" + SegmentFile.name(outcome.stop.segment)
    if outcome.isDamaged {
      findings.append(
        FileFinding(
          file: path, offsetBytes: outcome.stop.byte,
          reason: outcome.reason ?? "frames that were synced are missing", isDamage: true))
    } else if !outcome.leftovers.isEmpty {
      findings.append(
        FileFinding(
          file: path, offsetBytes: outcome.end.byte, reason: outcome.reason ?? "an unfinished commit",
          isDamage: false))
    }
  }
}
