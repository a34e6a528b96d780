import Codecs
import Columnar
import Matching
import Records

/// What a scan wants of one block: compiled, taken apart and pruned once, then used by all its units.
final class BlockScan: Sendable {
  /// A condition on the block's text column that the text index knows about; one part of the predicate's
  /// conjunction.
  struct TextPart: Sendable {
    let predicate: CompiledPredicate
    let verdict: TextVerdict
  }

  let contents: BlockContents
  let request: ScanRequest
  /// What rows must fulfil besides ``texts``, and in which pages they may; nil: nothing.
  let filter: PrunedPredicate?
  let texts: [TextPart]
  /// Those that may hide rows of the block.
  let deletions: [PendingDeletion]
  /// Pages that may hold matching rows.
  let candidates: Selection
  /// Ids one of which every matching row has; nil: the predicate asks for none.
  private let ids: [IDBounds.Key]?

  /// - Parameter groups: The row groups that may hold matching rows; nil: all.
  init(
    _ contents: BlockContents, _ request: ScanRequest, predicate: CompiledPredicate,
    deletions: [PendingDeletion], groups: [Int]? = nil
  ) throws(BlockError) {
    self.contents = contents
    self.request = request
    self.deletions = deletions.filter { $0.positionEnd > contents.facts.bounds.positionMin }
    var pruning = BlockPruning(contents, request, groups: groups)
    pruning.byBounds(predicate)
    pruning.byKeys(predicate)
    let split = contents.schema.primaryText.map {
      predicate.split(on: $0, schema: contents.schema, cancellation: request.cancellation)
    }
    let (rest, parts) = split.map { ($0.rest, $0.texts) } ?? (predicate, [])
    try request.cancellation.check()
    var filter: PrunedPredicate?
    if let rest, !rest.isAlways, !pruning.pages.isEmpty { filter = try pruning.byConditions(rest) }
    var texts: [TextPart] = []
    for part in parts where !pruning.pages.isEmpty {
      try request.cancellation.check()
      let text = try contents.text()
      do throws(TextIndexError) {
        let verdict = try text.verdict(for: part.automaton, cancellation: request.cancellation)
        texts.append(TextPart(predicate: part.predicate, verdict: verdict))
      } catch { throw contents.failure(error) }
    }
    // What was found meanwhile means nothing if it is over.
    try request.cancellation.check()
    for text in texts { pruning.drop { text.verdict.pages[$0].isNone } }
    ids = rest?.requiredIDs.map { $0.compactMap { IDBounds.Key($0) } }
    self.filter = filter
    self.texts = texts
    candidates = pruning.pages
  }

  // MARK: Rows

  /// What rows of `pages` must fulfil besides ``texts``: conditions that cannot hold there are left out. nil:
  /// nothing.
  func filter(in pages: [Int]) -> CompiledPredicate? {
    let reduced = filter?.reduced(to: Selection(rowCount: candidates.rowCount, rows: pages))
    return reduced.flatMap { $0.isAlways ? nil : $0 }
  }

  /// Whether every row of the pages lies within the request's times and positions.
  func isInside(_ bounds: KeyBounds) -> Bool {
    request.start ?? .min <= bounds.timestampMin && request.end.map { bounds.timestampMax < $0 } ?? true
      && request.positions.lowerBound <= bounds.positionMin
      && bounds.positionMax < request.positions.upperBound
  }

  /// Matching rows of some pages of a row group.
  struct Found {
    /// The pages they lie in; pages without any are dropped.
    var rows: RowSet
    var selection: Selection
    /// What the filter read of all rows of these pages, if it read them.
    var reader: RowReader?
  }

  /// The rows of some pages of a row group that match.
  func select(group: Int, pages: [Int]) throws(BlockError) -> Found {
    try request.cancellation.check()
    var rows = RowSet(contents, group: group, pages: pages)
    var selection = Selection(rowCount: rows.rowCount, all: true)
    if let meter = request.cancellation?.meter {
      meter.note(rows: rows.rowCount)
      meter.note(pages: pages, of: contents.object)
    }
    var used: RowReader?
    // Per text part, the rows that are not proved and must be read.
    var open: [Selection] = []
    for text in texts { open.append(try narrow(&selection, rows, by: text)) }
    if !isInside(rows.bounds) {
      rows.dropEmptyPages(&selection, &open)
      try narrowByBounds(&selection, rows)
    }
    let isSparse = try narrowByIDs(&selection, rows)
    rows.dropEmptyPages(&selection, &open)
    if isSparse, !selection.isEmpty, let filter = filter(in: rows.pages) {
      let wanted = rows.rowsOfGroup(selection)
      let reader = RowReader(self, group: group, rows: wanted.runs)
      let found = filter.evaluate(try reader.evaluationBatch(filter.paths))
      for (place, row) in selection.indices().enumerated() where !found[place] { selection.remove(Int(row)) }
      rows.dropEmptyPages(&selection, &open)
    } else if !selection.isEmpty, let filter = filter(in: rows.pages) {
      let reader = RowReader(self, group: group, rows: rows.ranges)
      selection = filter.evaluate(try reader.evaluationBatch(filter.paths), among: selection)
      rows.dropEmptyPages(&selection, &open)
      used = reader
    }
    for (index, text) in texts.enumerated() where !selection.isEmpty {
      open[index].formIntersection(selection)
      if !open[index].isEmpty { try read(&selection, open[index], rows, text) }
    }
    try hideDeleted(&selection, rows)
    // What was evaluated meanwhile means nothing if it is over.
    try request.cancellation.check()
    rows.dropEmptyPages(&selection, &open)
    return Found(rows: rows, selection: selection, reader: used?.rowCount == rows.rowCount ? used : nil)
  }

  /// Keeps the rows the index proves or cannot rule out; returns the latter.
  private func narrow(
    _ selection: inout Selection, _ rows: RowSet, by text: TextPart
  ) throws(BlockError) -> Selection {
    var open = Selection(rowCount: rows.rowCount, all: false)
    var either = open
    for (place, page) in rows.pages.enumerated() {
      do throws(TextIndexError) {
        let found = try text.verdict.selection(page: page)
        let start = rows.rows(ofPlace: place).lowerBound
        open.formUnion(found.candidates, at: start)
        either.formUnion(found.candidates, at: start)
        either.formUnion(found.proved, at: start)
      } catch { throw contents.failure(error) }
    }
    selection.formIntersection(either)
    return open
  }

  /// Keeps the rows of the data pages that may hold the ids; false: nothing is known of them.
  private func narrowByIDs(_ selection: inout Selection, _ rows: RowSet) throws(BlockError) -> Bool {
    guard let ids, !selection.isEmpty, let bounds = try contents.ids() else { return false }
    var kept = Selection(rowCount: selection.rowCount, all: false)
    for (place, page) in rows.pages.enumerated() {
      let first = rows.rows(ofPlace: place).lowerBound - page * contents.rowsPerPage
      for found in bounds.rows(contents.rows(ofPage: page), thatMayHold: ids) {
        kept.set(found.lowerBound + first..<found.upperBound + first)
      }
    }
    selection.formIntersection(kept)
    return true
  }

  /// A whole column of the rows.
  private func read(
    _ name: String, of rows: RowSet, isRounded: Bool = false
  ) throws(BlockError) -> Column {
    let index = contents.columns.index(of: name)
    request.cancellation?.meter.note(
      bytes: contents.bytes(ofColumn: index, group: rows.group, rowCount: rows.rowCount))
    return try rows.read(index, isRounded: isRounded, readsDisk: request.readsDisk)
  }

  private func narrowByBounds(_ selection: inout Selection, _ rows: RowSet) throws(BlockError) {
    guard !selection.isEmpty else { return }
    let bounds = rows.bounds
    let start = request.start ?? .min
    if start > bounds.timestampMin || request.end.map({ $0 <= bounds.timestampMax }) ?? false {
      // Of whole microseconds as bounds, rounded times are on the same side.
      let isRounded = (request.start ?? 0) % 1_000 == 0 && (request.end ?? 0) % 1_000 == 0
      let times = try read("timestamp", of: rows, isRounded: isRounded)
      times.withInt64 { times in
        for row in times.indices where times[row] < start || request.end.map({ times[row] >= $0 }) ?? false {
          selection.remove(row)
        }
      }
    }
    let wanted = request.positions
    if bounds.positionMin < wanted.lowerBound || bounds.positionMax >= wanted.upperBound {
      let positions = try read("position", of: rows)
      positions.withInt64 { positions in
        for row in positions.indices where !wanted.contains(positions[row]) { selection.remove(row) }
      }
    }
  }

  /// Reads the text of open rows and drops those that do not match.
  private func read(
    _ selection: inout Selection, _ open: Selection, _ rows: RowSet, _ text: TextPart
  ) throws(BlockError) {
    let wanted = rows.rowsOfGroup(open)
    var runs = wanted.runs
    // Many short runs cost more to skip between than to read whole pages.
    let isWhole = runs.count > 64 && runs.count * 8 > wanted.count
    if isWhole { runs = rows.ranges }
    let reader = RowReader(self, group: rows.group, rows: runs)
    let batch = try reader.evaluationBatch(text.predicate.paths)
    var refused = open
    if isWhole {
      refused.subtract(text.predicate.evaluate(batch, among: open))
    } else {
      let found = text.predicate.evaluate(batch)
      for (place, row) in open.indices().enumerated() where found[place] { refused.remove(Int(row)) }
    }
    selection.subtract(refused)
  }

  private func hideDeleted(_ selection: inout Selection, _ rows: RowSet) throws(BlockError) {
    guard !deletions.isEmpty, !selection.isEmpty else { return }
    let reader = RowReader(self, group: rows.group, rows: rows.ranges)
    let bounds = rows.bounds
    for deletion in deletions where deletion.positionEnd > bounds.positionMin && !selection.isEmpty {
      var hidden = deletion.predicate.evaluate(
        try reader.evaluationBatch(deletion.predicate.paths), among: selection)
      if deletion.positionEnd <= bounds.positionMax, !hidden.isEmpty {
        hidden.dropPositions(of: try read("position", of: rows), from: deletion.positionEnd)
      }
      selection.subtract(hidden)
    }
  }
}
