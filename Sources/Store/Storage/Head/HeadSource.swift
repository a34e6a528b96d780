import Blocks
import Journaling
import Records

/// What the engine needs to know of the journal; both the journal and its synchronous engine can tell.
package protocol HeadSource: Sendable {
  func head(of partition: Partition) -> HeadSnapshot
  func heads() -> [HeadStatistics]
  /// See ``JournalFile/takeChangedHeads()``.
  func takeChangedHeads() -> [HeadStatistics]
  func extent() -> JournalExtent
  func nextPosition(of tenant: Tenant) -> Int64
  /// What opening has raised and nobody else knows of; nil: nothing.
  var raisedPositions: RaisedPositions? { get }
  /// Says that what was raised is durable elsewhere.
  func settle() throws(StoreError)
}

extension Journal: HeadSource {}
extension JournalFile: HeadSource {}

/// Rows of the head that are looked at together: one frame, or several small ones one after the other.
struct HeadChunk: Sendable {
  /// Frames of fewer rows share a chunk: what a batch costs besides its rows is then paid seldom.
  static let frameRowsMin = 1024
  static let rowsMax = 8192
  /// Frames of so many bytes stand alone, …
  static let frameBytesMin = 1 << 20
  /// … others share a chunk up to here: it is copied into one batch.
  static let bytesMax = 16 << 20

  let frames: [HeadFrame]
  let rowCount: Int
  let bounds: KeyBounds

  private init(_ frames: [HeadFrame]) {
    self.frames = frames
    rowCount = frames.reduce(0) { $0 + $1.rowCount }
    bounds = KeyBounds.union(frames.map(\.bounds))
  }

  /// - Parameter rowsAlone: Frames of so many rows stand alone.
  static func chunks(_ frames: [HeadFrame], rowsAlone: Int = frameRowsMin) -> [HeadChunk] {
    var chunks: [HeadChunk] = []
    var small: [HeadFrame] = []
    var rows = 0
    var bytes = 0
    func close() {
      if !small.isEmpty { chunks.append(HeadChunk(small)) }
      small = []
      rows = 0
      bytes = 0
    }
    for frame in frames {
      if frame.rowCount >= rowsAlone || frame.byteCount >= frameBytesMin {
        close()
        chunks.append(HeadChunk([frame]))
        continue
      }
      if rows + frame.rowCount > rowsMax || bytes + frame.byteCount > bytesMax { close() }
      small.append(frame)
      rows += frame.rowCount
      bytes += frame.byteCount
    }
    close()
    return chunks
  }

  /// Frames of so many rows are read anew each time a block asks for them; it costs 5 µs a frame. Smaller
  /// ones are put together once, in memory.
  private static let partRowsMin = 128

  /// The rows of the frames for a block.
  ///
  /// - Throws: `.corrupt`: see ``HeadFrame/batch(columns:)``.
  static func parts(_ frames: [HeadFrame], columns: [String]) throws(StoreError) -> [HeadPart] {
    var parts: [HeadPart] = []
    for chunk in chunks(frames, rowsAlone: partRowsMin) { parts.append(try chunk.part(columns: columns)) }
    return parts
  }

  /// The rows for a block: of a single frame read each time they are asked for; of several put together now.
  ///
  /// - Throws: `.corrupt`: see ``HeadFrame/batch(columns:)``.
  private func part(columns: [String]) throws(StoreError) -> HeadPart {
    let frames = frames
    let letGo: @Sendable () -> Void = { frames.forEach { $0.letGo() } }
    guard frames.count == 1 else {
      defer { letGo() }
      return HeadPart(try batch(columns: columns))
    }
    return HeadPart(
      rowCount: rowCount, byteCount: frames[0].byteCount,
      read: { names throws(StoreError) in try self.batch(columns: names) }, letGo: letGo)
  }

  /// The named columns of all rows; those of a single frame share the journal's memory.
  ///
  /// - Throws: `.corrupt`: see ``HeadFrame/batch(columns:)``.
  func batch(columns: [String]) throws(StoreError) -> RecordBatch {
    var batches: [RecordBatch] = []
    do throws(JournalError) {
      for frame in frames { batches.append(try frame.batch(columns: columns)) }
    } catch {
      throw StoreError(error)
    }
    if batches.count == 1 { return batches[0] }
    let runs = batches.indices.map { RowRun(source: $0, start: 0, count: batches[$0].rowCount) }
    return RecordBatch.gather(batches, runs: runs)
  }
}
