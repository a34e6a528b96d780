import Columnar
import Matching
import Records

/// The pages of one row group that may hold matching rows.
struct BlockUnit: ScanUnit {
  let scan: BlockScan
  let group: Int
  /// Pages of the block, ascending.
  let pages: [Int]
  let bounds: KeyBounds

  init(_ scan: BlockScan, group: Int, pages: [Int]) {
    self.scan = scan
    self.group = group
    self.pages = pages
    bounds = scan.contents.pages.union(pages)
  }

  var objects: Set<StoredObject> { [scan.contents.object] }

  var rowCountMax: Int {
    pages.reduce(0) { sum, page in
      let rows = scan.contents.rowCount(ofPage: page)
      let verdicts = scan.texts.map { $0.verdict.pages[page] }
      return sum + verdicts.reduce(rows) { min($0, $1.provedCount + $1.candidateCount) }
    }
  }

  /// Decoded at once, about, where all rows are wanted: so little that a query holds little and ends soon.
  static let stepBytesMax = 8 << 20

  /// As ``stepBytesMax``, where no column has a dictionary, which each step decodes anew: what is decoded is
  /// looked at before it falls out of the caches.
  private static let plainStepBytesMax = 1 << 20
  /// Of a part of a unit, without dictionaries: some milliseconds of work.
  private static let partBytes = 3 << 20

  /// Bytes of a page of every column the answer and the predicate need, decoded, and whether one of these has
  /// a dictionary.
  private var pageSize: (bytes: Int, hasDictionary: Bool) {
    let info = scan.contents.parquet.rowGroups[group]
    let paths =
      scan.request.columns.map(\.path) + (scan.filter(in: pages)?.paths ?? [])
      + scan.texts.flatMap(\.predicate.paths)
    let indices = Set(paths.flatMap(scan.contents.columns.indices))
    // Pages hold indices in few bits, columns in four bytes.
    let least = scan.request.order == .unordered ? info.rowCount * 8 : 0
    let bytes = indices.reduce(0) { $0 + max(least, info.columns[$1].uncompressedBytes) }
    return (
      bytes / max(1, scan.contents.pages(of: group).count),
      indices.contains { info.columns[$0].isDictionary }
    )
  }

  /// How many pages are decoded at once where all rows are wanted.
  var stepPageCount: Int { stepPageCount(pageSize) }

  private func stepPageCount(_ size: (bytes: Int, hasDictionary: Bool)) -> Int {
    let isLarge = size.hasDictionary || scan.request.order != .unordered
    let bytesMax = isLarge ? BlockUnit.stepBytesMax : BlockUnit.plainStepBytesMax
    return min(pages.count, max(1, bytesMax / max(size.bytes, 1)))
  }

  /// What a step decodes, and a batch that is given out of it.
  var memoryBytesEstimate: Int {
    let size = pageSize
    let pageCount = scan.request.order == .unordered ? stepPageCount(size) : 1
    return size.bytes * pageCount * 2 + (1 << 20)
  }

  func parts() -> [any ScanUnit] {
    let size = pageSize
    // A dictionary is decoded anew in each part: there a part is a step.
    let bytes = size.hasDictionary ? BlockUnit.stepBytesMax : BlockUnit.partBytes
    return parts(ofPages: max(1, bytes / max(size.bytes, 1)))
  }

  func parts(ofPages pageCount: Int) -> [BlockUnit] {
    if pages.count <= pageCount { return [self] }
    return stride(from: 0, to: pages.count, by: pageCount).map { start in
      BlockUnit(scan, group: group, pages: Array(pages[start..<min(start + pageCount, pages.count)]))
    }
  }

  /// What a row of the answer takes in the file, on average; at least 1.
  var bytesPerRow: Int {
    let info = scan.contents.parquet.rowGroups[group]
    let columns = scan.contents.columns
    var indices = Set(scan.request.columns.map { columns.index(of: $0.path.column) })
    for output in scan.request.columns {
      for member in columns.members[output.path.column] ?? [] { indices.insert(member.index) }
    }
    return indices.reduce(0) { $0 + info.columns[$1].uncompressedBytes } / max(info.rowCount, 1) + 1
  }

  /// Whether a step's rows of all columns are decoded at once, dictionaries included: the order does not
  /// matter, and what comes takes no more than what the file has, uncompressed.
  var readsStepsAtOnce: Bool { scan.request.order == .unordered && scan.request.columns.allSatisfy(isNarrow) }

  private func isNarrow(_ output: OutputColumn) -> Bool {
    guard scan.contents.schema.field(output.path.column)?.type == .json else { return true }
    guard output.path.members.count == 1, output.type != .json else { return false }
    let (parts, mayBeInRest) = scan.contents.columns.member(output.path.members[0], of: output.path.column)
    if mayBeInRest { return false }
    if parts.count == 1,
      parts[0].type == output.type || output.isExact && parts[0].type == .int64
        || output.isTallied && parts[0].type.isNumber
    {
      return true
    }
    return output.type == .float64 && !output.isExact && parts.allSatisfy { $0.type != .utf8 }
  }

  func open() throws(StoreError) -> any BatchCursor {
    readsStepsAtOnce ? StepCursor(self) : BlockCursor(self)
  }

  func countMatches() throws(StoreError) -> Int {
    var total = 0
    var open: [Int] = []
    for page in pages {
      if let count = provedCount(page) { total += count } else { open.append(page) }
    }
    scan.request.cancellation?.meter.note(rowsKnown: total)
    guard !open.isEmpty else { return total }
    let stepPageCount = stepPageCount
    return try scan.contents.mapping.answering { () throws(BlockError) in
      for start in stride(from: 0, to: open.count, by: stepPageCount) {
        let some = Array(open[start..<min(start + stepPageCount, open.count)])
        total += try scan.select(group: group, pages: some).selection.count
      }
      return total
    }
  }

  /// The matching rows of a page if nothing needs to be read for it.
  private func provedCount(_ page: Int) -> Int? {
    guard scan.filter.map({ $0.pages.sure[page] }) ?? true, scan.deletions.isEmpty, scan.texts.count <= 1,
      scan.isInside(scan.contents.pages.pages[page])
    else { return nil }
    guard let verdict = scan.texts.first?.verdict.pages[page] else {
      return scan.contents.rowCount(ofPage: page)
    }
    return verdict.candidateCount == 0 ? verdict.provedCount : nil
  }
}

/// The matching rows of a unit.
///
/// An ordered scan often ends after a few rows, so it begins with one page and few rows and takes more each
/// time; each step decodes only pages that hold what it gives.
final class BlockCursor: BatchCursor {
  private static let batchRowsMax = 8_192
  /// A batch of columns that take more than this has fewer rows.
  private static let batchBytesMax = 32 << 20

  private let unit: BlockUnit
  private let rowsMax: Int
  private let isDescending: Bool
  /// Pages not looked at yet.
  private var pages: ArraySlice<Int>
  private var pageCount: Int
  private let stepMax: Int
  private var batchRowCount: Int
  /// Rows found and not given yet, as the row group numbers them, ascending; if ``whole`` is there, as it
  /// does.
  private var found: ArraySlice<Int32> = []
  /// The answer's columns of all rows of the pages at hand, where most rows are found and the filter has read
  /// them.
  private var whole: RecordBatch?

  init(_ unit: BlockUnit) {
    self.unit = unit
    pages = unit.pages[...]
    stepMax = unit.stepPageCount
    rowsMax = min(BlockCursor.batchRowsMax, max(1, BlockCursor.batchBytesMax / unit.bytesPerRow))
    switch unit.scan.request.order {
    case .unordered:
      isDescending = false
      pageCount = unit.stepPageCount
      batchRowCount = rowsMax
    case .ascending, .descending:
      isDescending = unit.scan.request.order == .descending
      pageCount = 1
      batchRowCount = min(rowsMax, 256)
    }
  }

  func next() throws(StoreError) -> RecordBatch? {
    try unit.scan.request.cancellation?.check()
    return try unit.scan.contents.mapping.answering(read)
  }

  private func read() throws(BlockError) -> RecordBatch? {
    while found.isEmpty {
      guard !pages.isEmpty else { return nil }
      let part = isDescending ? pages.suffix(pageCount) : pages.prefix(pageCount)
      pages = isDescending ? pages.dropLast(part.count) : pages.dropFirst(part.count)
      pageCount = min(pageCount * 2, stepMax)
      let selected = try unit.scan.select(group: unit.group, pages: Array(part))
      whole = try wholeColumns(selected)
      found =
        (whole == nil ? selected.rows.rowsOfGroup(selected.selection) : selected.selection.indices())[...]
    }
    let part = Array(isDescending ? found.suffix(batchRowCount) : found.prefix(batchRowCount))
    found = isDescending ? found.dropLast(part.count) : found.dropFirst(part.count)
    batchRowCount = min(batchRowCount * 4, rowsMax)
    let batch: RecordBatch
    if let whole {
      batch = RecordBatch.gather(
        [whole], runs: part.runs.map { RowRun(source: 0, start: $0.lowerBound, count: $0.count) })
    } else {
      let reader = RowReader(unit.scan, group: unit.group, rows: part.runs)
      batch = try reader.batch(unit.scan.request.columns)
    }
    return isDescending ? batch.reversed() : batch
  }

  /// The answer's columns of all rows of the pages, if copying from them is cheaper than decoding the pages
  /// once more: half of the rows are wanted, and the columns are at hand or narrow.
  private func wholeColumns(_ selected: BlockScan.Found) throws(BlockError) -> RecordBatch? {
    let outputs = unit.scan.request.columns
    guard let reader = selected.reader, selected.selection.count * 2 >= reader.rowCount,
      outputs.allSatisfy(reader.hasAtHand)
    else { return nil }
    return try reader.batch(outputs)
  }
}

extension RecordBatch {
  /// The rows the other way round.
  func reversed() -> RecordBatch {
    RecordBatch.gather(
      [self], runs: (0..<rowCount).reversed().map { RowRun(source: 0, start: $0, count: 1) })
  }
}
