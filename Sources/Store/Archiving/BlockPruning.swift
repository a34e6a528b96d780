import Codecs
import Columnar
import Matching
import Records

/// Which pages of a block a scan must look at: from bounds, statistics, Bloom filters and word filters.
struct BlockPruning {
  private let contents: BlockContents
  private let request: ScanRequest
  /// Pages that may hold matching rows.
  private(set) var pages: Selection

  init(_ contents: BlockContents, _ request: ScanRequest) {
    self.contents = contents
    self.request = request
    pages = Selection(rowCount: contents.pages.pages.count, all: true)
  }

  mutating func drop(_ isNone: (Int) -> Bool) {
    for page in pages.indices() where isNone(Int(page)) { pages.remove(Int(page)) }
  }

  /// By time and position, the predicate's conditions on them included.
  mutating func byBounds(_ predicate: CompiledPredicate) {
    let times = predicate.timeRange
    let positions = predicate.bounds(of: "position")
    guard !predicate.isNever, let times, let positions else {
      pages = Selection(rowCount: pages.rowCount, all: false)
      return
    }
    let start = max(times.lowerBound, request.start ?? .min)
    let first = max(positions.lowerBound, request.positions.lowerBound)
    let all = contents.pages.pages
    let request = request
    drop { page in
      let bounds = all[page]
      return bounds.timestampMax < start || bounds.timestampMin > times.upperBound
        || request.end.map { bounds.timestampMin >= $0 } ?? false
        || bounds.positionMax < first || bounds.positionMin > positions.upperBound
        || bounds.positionMin >= request.positions.upperBound
    }
  }

  /// By the sort keys of the pages' first rows, where the predicate fixes columns of the sort key.
  mutating func byKeys(_ predicate: CompiledPredicate) {
    guard let keys = contents.keys, !pages.isEmpty else { return }
    var fixed: [String: [UInt8]] = [:]
    for case .equalsAny(let path, let literals) in predicate.requiredConditions {
      if literals.count == 1, path.members.isEmpty, case .string(let text) = literals[0] {
        fixed[path.column] = Array(text.utf8)
      }
    }
    let sortKey = contents.schema.sortKey
    let texts = sortKey.prefix { fixed[$0] != nil }.compactMap { fixed[$0] }
    let range = keys.pages(startingWith: texts, columnCount: sortKey.count)
    drop { !range.contains($0) }
  }

  /// By the footer's statistics and Bloom filters of each row group.
  mutating func byStatistics(_ predicate: CompiledPredicate) throws(ArchiveError) {
    let equalities = predicate.requiredConditions.compactMap { condition -> (ColumnPath, [Literal])? in
      if case .equalsAny(let path, let literals) = condition { return (path, literals) }
      return nil
    }
    for group in 0..<contents.groupCount {
      let range = contents.pages(of: group)
      if pages.slice(range).isEmpty { continue }
      let info = contents.parquet.rowGroups[group]
      let verdict = predicate.verdict { name in
        contents.columns.schema[name].map { statistics(info.columns[$0], rowCount: info.rowCount) }
      }
      if verdict == .no || equalities.contains(where: { cannotEqual($0, $1, group) }) { pages.clear(range) }
    }
  }

  private func statistics(_ chunk: ColumnChunkInfo, rowCount: Int) -> ColumnStatistics {
    var bounds: ColumnStatistics.Bounds?
    if let range = chunk.int64Bounds { bounds = .int64(min: range.lowerBound, max: range.upperBound) }
    if let range = chunk.float64Bounds { bounds = .float64(min: range.lowerBound, max: range.upperBound) }
    if let range = chunk.textBounds { bounds = .bytes(min: range.min, max: range.max) }
    return ColumnStatistics(bounds: bounds, nullCount: chunk.nullCount, rowCount: rowCount)
  }

  /// Whether the column has none of the values in the row group.
  private func cannotEqual(_ path: ColumnPath, _ literals: [Literal], _ group: Int) -> Bool {
    guard path.members.isEmpty, let index = contents.columns.schema[path.column] else { return false }
    return literals.allSatisfy { literal in
      switch literal {
      case .string(let text):
        return !contents.parquet.bloomMayContain(rowGroup: group, column: index, text: Array(text.utf8))
      case .uuid(let id): return path.column == "id" && !mayHold(id: id, group)
      case .int64, .float64, .bool, .timestamp: return false
      }
    }
  }

  /// The milliseconds of an id are those of its row's `ingested_at`.
  private func mayHold(id: [UInt8], _ group: Int) -> Bool {
    let chunk = contents.parquet.rowGroups[group].columns[contents.columns.index(of: "ingested_at")]
    guard id.count == 16, let bounds = chunk.int64Bounds else { return id.count == 16 }
    let (time, isOverflow) = UUIDv7.milliseconds(of: id).multipliedReportingOverflow(by: 1_000_000)
    return !isOverflow && bounds.contains(time)
  }

  /// By the word filters that the text index keeps for object columns and columns with Bloom filters.
  mutating func byWords(_ predicate: CompiledPredicate) throws(ArchiveError) {
    for condition in predicate.requiredConditions {
      switch condition {
      case .text(let path, let automaton):
        guard hasWordFilter(path.column) else { continue }
        let text = try contents.text()
        do throws(TextIndexError) {
          pages.formIntersection(try text.pages(nestedIn: path.column, matching: automaton))
        } catch { throw contents.failure(error) }
      case .equalsAny(let path, let literals):
        guard hasWordFilter(path.column) else { continue }
        try keepPages(of: path.column, equalToAnyOf: literals)
      case .range, .exists: continue
      }
    }
  }

  private func hasWordFilter(_ column: String) -> Bool {
    contents.schema.field(column)?.type == .json || contents.schema.bloomColumns.contains(column)
  }

  private mutating func keepPages(
    of column: String, equalToAnyOf literals: [Literal]
  ) throws(ArchiveError) {
    var found = Selection(rowCount: pages.rowCount, all: false)
    let text = try contents.text()
    for literal in literals {
      // Other values are not kept as words.
      guard case .string(let value) = literal else { return }
      do throws(TextIndexError) {
        found.formUnion(try text.pages(nestedIn: column, equalTo: Array(value.utf8)))
      } catch { throw contents.failure(error) }
    }
    pages.formIntersection(found)
  }
}
