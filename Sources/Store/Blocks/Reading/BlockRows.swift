import Columnar
import Matching
import Records

/// All rows of a block in sort order, all columns of the schema, in batches of a few pages, or of a part of a
/// page where that would be too large; rows that deletions hide are left out.
final class BlockRows {
  private static let pagesPerBatch = 2

  private let scan: BlockScan
  private let bytesMax: Int
  private var group = 0
  private var pages: ArraySlice<Int>
  /// Rows of the row group that were selected and not given yet.
  private var selected: ArraySlice<Int32> = []

  /// - Parameter bytesMax: What a batch may take as the file has it, going by the row group's average.
  init(_ reader: BlockReader, deletions: [PendingDeletion], bytesMax: Int = .max) throws(BlockError) {
    let contents = try reader.contents()
    scan = try BlockRows.scan(contents, deletions: deletions)
    self.bytesMax = bytesMax
    pages = Array(contents.pages(of: 0))[...]
  }

  /// A scan of all rows but those that deletions hide.
  static func scan(
    _ contents: BlockContents, deletions: [PendingDeletion]
  ) throws(BlockError) -> BlockScan {
    let predicate: CompiledPredicate
    do throws(StoreError) { predicate = try CompiledPredicate(.all, schema: contents.schema) } catch {
      bug("the predicate that all rows match is valid")
    }
    var request = ScanRequest(columns: [], positions: Int64.min..<Int64.max)
    request.readsDisk = true
    return try BlockScan(contents, request, predicate: predicate, deletions: deletions)
  }

  /// The next rows; nil at the end. Never empty.
  func next() throws(BlockError) -> RecordBatch? {
    try scan.contents.mapping.reading(read)
  }

  private func read() throws(BlockError) -> RecordBatch? {
    while group < scan.contents.groupCount {
      let rowsMax = rowsPerBatch
      while !selected.isEmpty || !pages.isEmpty {
        if selected.isEmpty {
          let pageCount =
            rowsMax < BlockRows.pagesPerBatch * scan.contents.rowsPerPage ? 1 : BlockRows.pagesPerBatch
          let part = Array(pages.prefix(pageCount))
          pages = pages.dropFirst(part.count)
          let found = try scan.select(group: group, pages: part)
          selected = found.rows.rowsOfGroup(found.selection)[...]
          continue
        }
        let part = Array(selected.prefix(rowsMax))
        selected = selected.dropFirst(part.count)
        return try RowReader(scan, group: group, rows: part.runs).batch(schema: scan.contents.schema)
      }
      group += 1
      if group < scan.contents.groupCount { pages = Array(scan.contents.pages(of: group))[...] }
    }
    return nil
  }

  private var rowsPerBatch: Int { max(1, bytesMax / scan.contents.bytesPerRow(of: group)) }
}

extension BlockContents {
  /// What a row of the row group takes as the file has it, on average; at least 1.
  func bytesPerRow(of group: Int) -> Int {
    let info = parquet.rowGroups[group]
    return info.columns.reduce(0) { $0 + $1.uncompressedBytes } / max(info.rowCount, 1) + 1
  }

  /// As ``bytesPerRow(of:)``, of the whole block.
  var bytesPerRow: Int {
    let bytes = parquet.rowGroups.reduce(0) { sum, group in
      sum + group.columns.reduce(0) { $0 + $1.uncompressedBytes }
    }
    return bytes / max(facts.rowCount, 1) + 1
  }

  /// Which members the object columns have in the rows that `deletions` leave: exactly for those that are
  /// columns, from a sample of the rest for others. A name that no such row has is not counted.
  ///
  /// Reads a few pages of the rests. With deletions that may hide rows of the block it also reads what they
  /// ask for, and the members' columns of row groups some rows of which they hide: one column at a time.
  func census(
    sampleRowCount: Int, deletions: [PendingDeletion]
  ) throws(BlockError) -> [String: MemberCensus] {
    try mapping.reading { () throws(BlockError) in
      try countMembers(sampleRowCount: sampleRowCount, deletions: deletions)
    }
  }

  private func countMembers(
    sampleRowCount: Int, deletions: [PendingDeletion]
  ) throws(BlockError) -> [String: MemberCensus] {
    let objects = schema.fields.filter { $0.type == .json }
    var result: [String: MemberCensus] = [:]
    guard !objects.isEmpty else { return result }
    let scan = try BlockRows.scan(self, deletions: deletions)
    let perGroup = max(1, sampleRowCount / groupCount)
    for group in 0..<groupCount {
      let kept = try KeptRows(scan, group: group)
      guard kept.count > 0 else { continue }
      for field in objects {
        result[field.name, default: MemberCensus()].addRows(kept.count)
        for member in columns.members[field.name] ?? [] {
          let rowCount = try valueCount(of: member.index, kept)
          guard rowCount > 0 else { continue }
          result[field.name, default: MemberCensus()]
            .add(member.name, type: member.type, rowCount: Double(rowCount))
        }
        try countRest(
          of: field.name, kept, sampleRowCount: perGroup, into: &result[field.name, default: MemberCensus()])
      }
    }
    return result
  }

  /// How many of the rows have a value in a column of the file.
  private func valueCount(of index: Int, _ kept: KeptRows) throws(BlockError) -> Int {
    let info = parquet.rowGroups[kept.group]
    let nullCount = info.columns[index].nullCount ?? 0
    if kept.count == info.rowCount || nullCount == info.rowCount { return info.rowCount - nullCount }
    let values = try read(index, group: kept.group, rows: kept.rows(0..<kept.count), asDictionary: true)
    return values.validRows.count { $0 }
  }

  private func countRest(
    of name: String, _ kept: KeptRows, sampleRowCount: Int, into census: inout MemberCensus
  ) throws(BlockError) {
    let index = columns.index(of: name)
    let info = parquet.rowGroups[kept.group]
    if info.columns[index].nullCount == info.rowCount { return }
    // Stretches of rows, so that few pages are read.
    let stretch = max(1, sampleRowCount / 4)
    var rows: [Range<Int>] = []
    for start in stride(from: 0, to: kept.count, by: max(stretch, kept.count / 4)) {
      rows += kept.rows(start..<min(start + stretch, kept.count))
    }
    let sampled = rows.reduce(0) { $0 + $1.count }
    let rest = try read(index, group: kept.group, rows: rows, asDictionary: false)
    census.count(rest, weight: Double(kept.count) / Double(sampled))
  }
}

/// The rows of a row group that deletions leave.
private struct KeptRows {
  let group: Int
  let count: Int
  /// Ascending; nil: all rows.
  private let numbers: [Int32]?

  init(_ scan: BlockScan, group: Int) throws(BlockError) {
    self.group = group
    let rowCount = scan.contents.parquet.rowGroups[group].rowCount
    var numbers: [Int32]?
    if !scan.deletions.isEmpty {
      var found: [Int32] = []
      for page in scan.contents.pages(of: group) {
        let selected = try scan.select(group: group, pages: [page])
        found += selected.rows.rowsOfGroup(selected.selection)
      }
      if found.count < rowCount { numbers = found }
    }
    self.numbers = numbers
    count = numbers?.count ?? rowCount
  }

  /// The rows at `places` among those that are left, as runs.
  func rows(_ places: Range<Int>) -> [Range<Int>] {
    guard let numbers else { return [places] }
    return Array(numbers[places]).runs
  }
}
