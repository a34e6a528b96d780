import Columnar
import Matching
import Records

/// All rows of a block in sort order, all columns of the schema, in batches of a few pages; rows that deletions hide are
/// left out.
final class BlockRows {
  private static let pagesPerBatch = 2

  private let scan: BlockScan
  private var group = 0
  private var pages: ArraySlice<Int>

  init(_ reader: BlockReader, deletions: [PendingDeletion]) throws(ArchiveError) {
    let contents = try reader.contents()
    let predicate: CompiledPredicate
    do throws(StoreError) { predicate = try CompiledPredicate(.all, schema: contents.schema) } catch {
      preconditionFailure("the predicate that all rows match is valid")
    }
    scan = try BlockScan(
      contents, ScanRequest(columns: [], positions: Int64.min..<Int64.max), predicate: predicate,
      deletions: deletions)
    pages = Array(contents.pages(of: 0))[...]
  }

  /// The next rows; nil at the end. Never empty.
  func next() throws(ArchiveError) -> RecordBatch? {
    while group < scan.contents.groupCount {
      while !pages.isEmpty {
        let part = Array(pages.prefix(BlockRows.pagesPerBatch))
        pages = pages.dropFirst(part.count)
        let selected = try scan.select(group: group, pages: part)
        let found = selected.rows.rowsOfGroup(selected.selection)
        if found.isEmpty { continue }
        return try RowReader(scan.contents, group: group, rows: found.runs).batch(
          schema: scan.contents.schema)
      }
      group += 1
      if group < scan.contents.groupCount { pages = Array(scan.contents.pages(of: group))[...] }
    }
    return nil
  }
}

extension BlockContents {
  /// Which members the object columns have: exactly for those that are columns, from a sample of the rest for others.
  func census(sampleRowCount: Int) throws(ArchiveError) -> [String: MemberCensus] {
    var result: [String: MemberCensus] = [:]
    for field in schema.fields where field.type == .json {
      var census = MemberCensus()
      census.addRows(facts.info.rowCount)
      for member in columns.members[field.name] ?? [] {
        let nulls = parquet.rowGroups.reduce(0) { $0 + ($1.columns[member.index].nullCount ?? 0) }
        census.add(member.name, type: member.type, rowCount: Double(facts.info.rowCount - nulls))
      }
      try countRest(of: field.name, sampleRowCount: sampleRowCount, into: &census)
      result[field.name] = census
    }
    return result
  }

  private func countRest(
    of name: String, sampleRowCount: Int, into census: inout MemberCensus
  ) throws(ArchiveError) {
    let index = columns.index(of: name)
    let perGroup = max(1, sampleRowCount / groupCount)
    for group in 0..<groupCount {
      let info = parquet.rowGroups[group]
      if info.columns[index].nullCount == info.rowCount { continue }
      // Stretches of rows, so that few pages are read.
      let stretch = max(1, perGroup / 4)
      var rows: [Range<Int>] = []
      for start in stride(from: 0, to: info.rowCount, by: max(stretch, info.rowCount / 4)) {
        rows.append(start..<min(start + stretch, info.rowCount))
      }
      let sampled = rows.reduce(0) { $0 + $1.count }
      let rest = try read(index, group: group, rows: rows, asDictionary: false)
      census.count(rest, weight: Double(info.rowCount) / Double(sampled))
    }
  }
}
