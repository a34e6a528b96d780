import Matching
import Records

/// Whole pages of one row group, their rows numbered through from 0.
struct RowSet: Sendable {
  let contents: BlockContents
  let group: Int
  /// Pages of the block, ascending.
  private(set) var pages: [Int]

  var rowCount: Int { pages.reduce(0) { $0 + contents.rowCount(ofPage: $1) } }
  var bounds: KeyBounds { contents.pages.union(pages) }
  private var rowsPerPage: Int { contents.rowsPerPage }

  init(_ contents: BlockContents, group: Int, pages: [Int]) {
    self.contents = contents
    self.group = group
    self.pages = pages
  }

  /// The rows as the row group numbers them, neighbours joined.
  var ranges: [Range<Int>] {
    var result: [Range<Int>] = []
    let first = contents.pages(of: group).lowerBound
    for page in pages {
      let start = (page - first) * rowsPerPage
      let end = start + contents.rowCount(ofPage: page)
      if let last = result.last, last.upperBound == start {
        result[result.count - 1] = last.lowerBound..<end
      } else {
        result.append(start..<end)
      }
    }
    return result
  }

  /// The row group's numbers of the selected rows, ascending. Only the last page of a block is short, and it
  /// comes last.
  func rowsOfGroup(_ selection: Selection) -> [Int32] {
    let first = contents.pages(of: group).lowerBound
    var rows = selection.indices()
    if pages.indices.allSatisfy({ pages[$0] == first + $0 }) { return rows }
    for index in rows.indices {
      let row = Int(rows[index])
      let page = pages[row / rowsPerPage]
      rows[index] = Int32((page - first) * rowsPerPage + row % rowsPerPage)
    }
    return rows
  }

  /// The rows of the set's page number `place`.
  func rows(ofPlace place: Int) -> Range<Int> {
    let start = place * rowsPerPage
    return start..<start + contents.rowCount(ofPage: pages[place])
  }

  /// Drops the pages no row of which is selected, from the set and from the selections.
  mutating func dropEmptyPages(_ selection: inout Selection, _ others: inout [Selection]) {
    let kept = pages.indices.filter { place in !selection.slice(rows(ofPlace: place)).isEmpty }
    if kept.count == pages.count { return }
    let places = kept.map { rows(ofPlace: $0) }
    selection = RowSet.compact(selection, places)
    others = others.map { RowSet.compact($0, places) }
    pages = kept.map { pages[$0] }
  }

  private static func compact(_ selection: Selection, _ ranges: [Range<Int>]) -> Selection {
    var result = Selection(rowCount: ranges.reduce(0) { $0 + $1.count }, all: false)
    var at = 0
    for range in ranges {
      result.formUnion(selection.slice(range), at: at)
      at += range.count
    }
    return result
  }

  /// All rows of a column of the file.
  ///
  /// - Parameters:
  ///   - isRounded: See ``OutputColumn/isRounded``.
  ///   - readsDisk: See ``ScanRequest/readsDisk``.
  func read(_ column: Int, isRounded: Bool = false, readsDisk: Bool) throws(BlockError) -> Column {
    readsDisk
      ? try contents.read(column, group: group, rows: ranges, asDictionary: true, isRounded: isRounded)
      : try contents.cached(column, group: group, rows: ranges, asDictionary: true, isRounded: isRounded)
  }
}

extension Array where Element == Int32 {
  /// Ascending numbers as runs; O(1) if they are one.
  var runs: [Range<Int>] {
    if let first, let last, Int(last) - Int(first) + 1 == count { return [Int(first)..<Int(last) + 1] }
    var result: [Range<Int>] = []
    for row in self {
      if let last = result.last, last.upperBound == Int(row) {
        result[result.count - 1] = last.lowerBound..<Int(row) + 1
      } else {
        result.append(Int(row)..<Int(row) + 1)
      }
    }
    return result
  }
}
