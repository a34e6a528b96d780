import Codecs
import Columnar
import Matching
import Records

/// What a block knows of one condition without reading the column: in which pages it may hold, and in which
/// it always does.
struct BlockConditions {
  let contents: BlockContents
  let cancellation: CancellationToken?

  /// What is known of `condition` in `pages`, not none of them.
  func known(_ condition: PruningCondition, _ pages: Selection) throws(BlockError) -> PageSets {
    var sets = PageSets(unknown: pages)
    if condition.path.members.isEmpty {
      applyBounds(condition, &sets)
      applyStatistics(condition, &sets)
    }
    if let numbers = condition.numbers { try applyNumbers(numbers, &sets) }
    guard !sets.may.isEmpty else { return sets }
    switch condition.required {
    case .text(let path, let automaton):
      try applyFilters(&sets.may, path, automaton)
      try applyTemplates(&sets, path, automaton)
    case .equalsAny(let path, let literals):
      applyRowGroups(&sets.may, path, literals)
      try applyIDs(&sets.may, path, literals)
      try applyFilters(&sets.may, path, literals)
    case .range, .exists: break
    }
    return sets
  }

  // MARK: Bounds and statistics

  /// By the smallest and largest time or position of each page.
  private func applyBounds(_ condition: PruningCondition, _ sets: inout PageSets) {
    let isTime = condition.path.column == "timestamp"
    guard isTime || condition.path.column == "position" else { return }
    for index in sets.may.indices() {
      let page = contents.pages.pages[Int(index)]
      let bounds: ColumnStatistics.Bounds =
        isTime
        ? .int64(min: page.timestampMin, max: page.timestampMax)
        : .int64(min: page.positionMin, max: page.positionMax)
      switch condition.verdict(ColumnStatistics(bounds: bounds, nullCount: 0, rowCount: 1)) {
      case .no: sets.may.remove(Int(index))
      case .yes: sets.sure.insert(Int(index))
      case .maybe: break
      }
    }
  }

  /// By the footer's statistics of each row group.
  private func applyStatistics(_ condition: PruningCondition, _ sets: inout PageSets) {
    guard let column = contents.columns.schema[condition.path.column] else { return }
    for group in 0..<contents.groupCount {
      let range = contents.pages(of: group)
      if sets.may.slice(range).isEmpty { continue }
      let info = contents.parquet.rowGroups[group]
      switch condition.verdict(statistics(column, group: group, rowCount: info.rowCount)) {
      case .no: sets.may.clear(range)
      case .yes: sets.sure.set(range)
      case .maybe: break
      }
    }
  }

  /// By the numbers of each page.
  private func applyNumbers(_ condition: NumberCondition, _ sets: inout PageSets) throws(BlockError) {
    guard let section = try contents.numbers(),
      let numbers = BlockNumbers(condition.path, section, contents)
    else { return }
    for page in sets.may.indices().map(Int.init) {
      switch numbers.verdict(condition, page: page, rowCount: contents.rowCount(ofPage: page)) {
      case .no: sets.may.remove(page)
      case .yes: sets.sure.insert(page)
      case .maybe, nil: break
      }
    }
  }

  private func statistics(_ column: Int, group: Int, rowCount: Int) -> ColumnStatistics {
    let chunk = contents.parquet.rowGroups[group].columns[column]
    var bounds: ColumnStatistics.Bounds?
    if let range = contents.int64Bounds(column, group: group) {
      bounds = .int64(min: range.lowerBound, max: range.upperBound)
    }
    if let range = chunk.float64Bounds { bounds = .float64(min: range.lowerBound, max: range.upperBound) }
    if let range = chunk.textBounds { bounds = .bytes(min: range.min, max: range.max) }
    return ColumnStatistics(bounds: bounds, nullCount: chunk.nullCount, rowCount: rowCount)
  }

  // MARK: Equality

  /// Drops the row groups that have none of the values, by Bloom filters and times.
  private func applyRowGroups(_ pages: inout Selection, _ path: ColumnPath, _ literals: [Literal]) {
    guard path.members.isEmpty, let column = contents.columns.schema[path.column] else { return }
    for group in 0..<contents.groupCount {
      let range = contents.pages(of: group)
      if pages.slice(range).isEmpty { continue }
      let isAbsent = literals.allSatisfy { literal in
        switch literal {
        case .string(let text):
          return !contents.parquet.bloomMayContain(rowGroup: group, column: column, text: Array(text.utf8))
        case .uuid(let id): return path.column == "id" && !mayHold(id: id, group)
        case .int64, .float64, .number, .rounded, .bool, .timestamp: return false
        }
      }
      if isAbsent { pages.clear(range) }
    }
  }

  /// The milliseconds of an id are those of its row's `ingested_at`.
  private func mayHold(id: [UInt8], _ group: Int) -> Bool {
    let bounds = contents.int64Bounds(contents.columns.index(of: "ingested_at"), group: group)
    guard id.count == 16, let bounds else { return id.count == 16 }
    let (time, isOverflow) = UUIDv7.milliseconds(of: id).multipliedReportingOverflow(by: 1_000_000)
    return !isOverflow && bounds.contains(time)
  }

  /// Drops the pages none of whose data pages can hold one of the ids.
  private func applyIDs(
    _ pages: inout Selection, _ path: ColumnPath, _ literals: [Literal]
  ) throws(BlockError) {
    guard path == ColumnPath("id"), !pages.isEmpty, let bounds = try contents.ids() else { return }
    let keys = IDBounds.Key.all(literals)
    for page in pages.indices().map(Int.init)
    where bounds.rows(contents.rows(ofPage: page), thatMayHold: keys).isEmpty {
      pages.remove(page)
    }
  }

  // MARK: Filters of words and grams

  private func applyFilters(
    _ pages: inout Selection, _ path: ColumnPath, _ automaton: TextAutomaton
  ) throws(BlockError) {
    try applyGrams(&pages, path.column, automaton.grams)
    if pages.isEmpty || automaton.requiredWords.isEmpty || !hasWordFilter(path.column) { return }
    let text = try contents.text()
    do throws(TextIndexError) {
      pages.formIntersection(try text.pages(nestedIn: path.column, matching: automaton))
    } catch { throw contents.failure(error) }
  }

  private func applyFilters(
    _ pages: inout Selection, _ path: ColumnPath, _ literals: [Literal]
  ) throws(BlockError) {
    var found = Selection(rowCount: pages.rowCount, all: false)
    for literal in literals {
      // Other values are no text.
      guard case .string(let value) = literal else { return }
      let bytes = Array(value.utf8)
      var open = pages
      try applyGrams(&open, path.column, GramQuery(text: bytes))
      if !open.isEmpty, hasWordFilter(path.column) {
        let text = try contents.text()
        do throws(TextIndexError) {
          open.formIntersection(try text.pages(nestedIn: path.column, equalTo: bytes))
        } catch { throw contents.failure(error) }
      }
      found.formUnion(open)
    }
    pages.formIntersection(found)
  }

  private func applyGrams(
    _ pages: inout Selection, _ column: String, _ query: GramQuery
  ) throws(BlockError) {
    if pages.isEmpty || query.isEmpty { return }
    guard let grams = try contents.grams() else { return }
    do throws(TextIndexError) { try grams.narrow(&pages, column: column, by: query) } catch {
      throw contents.failure(error, in: .grams)
    }
  }

  /// Object columns and those with Bloom filters have filters of their words.
  private func hasWordFilter(_ column: String) -> Bool {
    contents.schema.field(column)?.type == .json || contents.schema.bloomColumns.contains(column)
  }

  /// By the templates of the primary text.
  private func applyTemplates(
    _ sets: inout PageSets, _ path: ColumnPath, _ automaton: TextAutomaton
  ) throws(BlockError) {
    guard path.column == contents.schema.primaryText, !sets.may.isEmpty else { return }
    let text = try contents.text()
    do throws(TextIndexError) {
      let verdict = try text.verdict(for: automaton, cancellation: cancellation)
      for page in sets.may.indices().map(Int.init) {
        if verdict.pages[page].isNone { sets.may.remove(page) }
        if verdict.pages[page].isAll { sets.sure.insert(page) }
      }
    } catch { throw contents.failure(error) }
  }
}

extension BlockContents {
  /// The row groups that Bloom filters let hold a row that fulfils the predicate. Asked before anything else,
  /// and nothing is planned of the others: of a hundred blocks one has the trace that is looked for, and of
  /// the others some filters let it pass wrongly.
  func groups(thatMayHold predicate: CompiledPredicate) -> [Int] {
    var groups = Array(0..<groupCount)
    for case .equalsAny(let path, let literals) in predicate.requiredConditions {
      guard path.members.isEmpty, schema.bloomColumns.contains(path.column),
        let column = columns.schema[path.column]
      else { continue }
      var texts: [[UInt8]] = []
      for case .string(let text) in literals { texts.append(Array(text.utf8)) }
      guard texts.count == literals.count else { continue }
      groups.removeAll { group in
        !texts.contains { parquet.bloomMayContain(rowGroup: group, column: column, text: $0) }
      }
    }
    return groups
  }
}
