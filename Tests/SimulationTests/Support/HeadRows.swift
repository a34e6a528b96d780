import Journaling
import Matching
import Records

/// Rows of head frames in the order of a block, without the deleted ones: what the archiver writes.
final class HeadRows: BlockRowSource {
  /// Chunks' batches kept beyond the batch under way: rows that are nearly in order meet each chunk once or twice.
  private static let cachedRowsMax = 524_288

  private let chunks: [HeadChunk]
  private let references: [RowReference]
  private let columns: [String]
  private let rowsPerBatch: Int
  private var given = 0
  private var batches: [Int: RecordBatch] = [:]
  private var cachedRows = 0

  init(_ frames: [HeadFrame], deletions: [LiveDeletion], schema: DatasetSchema, rowsPerBatch: Int) {
    chunks = HeadChunk.chunks(frames)
    let filter = RowFilter(deletions: deletions)
    references = RowOrder.sorted(chunks, chunks.map { filter.select($0) }, schema: schema)
    columns = schema.fields.map(\.name)
    self.rowsPerBatch = rowsPerBatch
  }

  /// Rows it gives in all.
  var rowCount: Int { references.count }

  func next() throws(StoreError) -> RecordBatch? {
    guard given < references.count else { return nil }
    let end = min(given + rowsPerBatch, references.count)
    defer { given = end }
    if cachedRows > HeadRows.cachedRowsMax {
      batches = [:]
      cachedRows = 0
    }
    var sources: [RecordBatch] = []
    var sourceOfChunk: [Int: Int] = [:]
    let runs = RowOrder.runs(references[given..<end]).map { run in
      let source = sourceOfChunk[run.source] ?? sources.count
      if source == sources.count {
        sourceOfChunk[run.source] = source
        sources.append(batch(of: run.source))
      }
      return RowRun(source: source, start: run.start, count: run.count)
    }
    return RecordBatch.gather(sources, runs: runs)
  }

  private func batch(of chunk: Int) -> RecordBatch {
    if let known = batches[chunk] { return known }
    let batch = chunks[chunk].batch(columns: columns)
    batches[chunk] = batch
    cachedRows += batch.rowCount
    return batch
  }
}
