import Matching
import Records

/// The matching rows of a unit in the block's order, decoded a step of pages at a time and given out in
/// parts that share the step's memory.
///
/// So a dictionary is decoded once a step, and its batches have the very same one.
final class StepCursor: BatchCursor {
  private let unit: BlockUnit
  private let batchRowsMax: Int
  private let stepPageCount: Int
  /// Pages not looked at yet.
  private var pages: ArraySlice<Int>
  private var step: RecordBatch?
  /// Rows of the step not given yet.
  private var rest = 0..<0

  /// - Parameter batchRowsMax: A multiple of 8, as slices begin at.
  init(_ unit: BlockUnit, batchRowsMax: Int = 8_192) {
    self.unit = unit
    self.batchRowsMax = batchRowsMax
    stepPageCount = unit.stepPageCount
    pages = unit.pages[...]
  }

  func next() throws(StoreError) -> RecordBatch? {
    try unit.scan.request.cancellation?.check()
    return try unit.scan.contents.mapping.answering(read)
  }

  private func read() throws(BlockError) -> RecordBatch? {
    while rest.isEmpty {
      step = nil
      guard !pages.isEmpty else { return nil }
      let part = pages.prefix(stepPageCount)
      pages = pages.dropFirst(part.count)
      let found = try unit.scan.select(group: unit.group, pages: Array(part))
      if found.selection.isEmpty { continue }
      let batch = try columns(of: found)
      step = batch
      rest = 0..<batch.rowCount
    }
    let part = rest.prefix(batchRowsMax)
    rest = rest.dropFirst(part.count)
    return step?.slice(part)
  }

  /// The answer's columns of the rows found.
  private func columns(of found: BlockScan.Found) throws(BlockError) -> RecordBatch {
    let scan = unit.scan
    let rows = found.rows
    // Copying from whole pages is cheaper than decoding many short runs.
    let isDense = found.selection.count * 2 >= rows.rowCount
    if isDense, let reader = found.reader {
      return try reader.batch(scan.request.columns).picked(found.selection.ranges())
    }
    let reader = RowReader(
      scan.contents, group: unit.group,
      rows: isDense ? rows.ranges : rows.rowsOfGroup(found.selection).runs,
      cancellation: scan.request.cancellation)
    let batch = try reader.batch(scan.request.columns)
    return isDense ? batch.picked(found.selection.ranges()) : batch
  }
}
