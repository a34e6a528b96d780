import Records

/// Evaluates the nodes of a predicate over one batch. Rows only ever leave `rows`.
struct PredicateEvaluation {
  let batch: EvaluationBatch

  /// Drops the rows that do not match.
  func narrow(_ rows: inout Selection, by node: PredicateNode) {
    switch node {
    case .all: break
    case .none: rows = Selection(rowCount: rows.rowCount, all: false)
    case .and(let parts):
      for part in parts {
        if rows.isEmpty { return }
        narrow(&rows, by: part)
      }
    case .or(let parts):
      // What one part took the next need not look at.
      var open = rows
      for part in parts {
        if open.isEmpty { break }
        var taken = open
        narrow(&taken, by: part)
        open.subtract(taken)
      }
      rows.subtract(open)
    case .not(let part):
      var taken = rows
      narrow(&taken, by: part)
      rows.subtract(taken)
    case .leaf(let leaf): narrow(&rows, by: leaf)
    }
  }

  private func narrow(_ rows: inout Selection, by leaf: PredicateLeaf) {
    if rows.isEmpty || batch.cancellation?.isOver ?? false { return }
    guard let column = batch.columns[leaf.path.column] else {
      bug("a batch holds every column its predicate reads")
    }
    let token = batch.cancellation
    switch column {
    case .plain(let column) where column.type == .json:
      ObjectEvaluation(ObjectColumns(rest: column, members: []), leaf.path.members).narrow(
        &rows, by: leaf.test, token)
    case .plain(let column): column.narrow(&rows, by: leaf.test, token)
    case .object(let object): ObjectEvaluation(object, leaf.path.members).narrow(&rows, by: leaf.test, token)
    }
  }
}

extension Column {
  /// Drops rows without a value.
  func dropNulls(from rows: inout Selection) {
    invariant(rowCount == rows.rowCount, "a column as long as its batch")
    withValidity { bits in
      guard let bits else { return }
      rows.formIntersection(Selection(rowCount: rows.rowCount, validity: bits))
    }
  }

  /// Drops the rows whose value does not pass; null passes nothing.
  func narrow(_ rows: inout Selection, by test: PredicateTest, _ cancellation: CancellationToken?) {
    dropNulls(from: &rows)
    if rows.isEmpty { return }
    switch test {
    case .exists: break
    case .text(let automaton):
      guard type.isText else {
        rows = Selection(rowCount: rows.rowCount, all: false)
        return
      }
      narrowText(&rows) { offsets, bytes, rows in
        automaton.matchRows(offsets: offsets, bytes: bytes, among: &rows, cancellation: cancellation)
      }
    case .values(let test): narrow(&rows, by: test)
    }
  }

  private func narrow(_ rows: inout Selection, by test: ValueTest) {
    let none = Selection(rowCount: rows.rowCount, all: false)
    switch type {
    case .int64, .timestamp:
      guard let numbers = test.numbers else { return rows = none }
      withInt64 { values in rows.keep(values, within: numbers.integers) { numbers.passes($0) } }
    case .float64:
      guard let numbers = test.numbers else { return rows = none }
      withFloat64 { values in rows.keep(values, within: numbers.doubles) { numbers.passes($0) } }
    case .bool:
      if test.passesTrue && test.passesFalse { return }
      guard test.passesTrue || test.passesFalse else { return rows = none }
      withBits { bits in
        let isTrue = Selection(rowCount: rows.rowCount, validity: bits)
        if test.passesTrue { rows.formIntersection(isTrue) } else { rows.subtract(isTrue) }
      }
    case .uuid:
      guard let uuids = test.uuids else { return rows = none }
      withUUIDs { bytes in
        var kept = rows
        rows.forEach { row in
          if !uuids.passes(bytes.extracting(row * 16..<row * 16 + 16)) { kept.remove(row) }
        }
        rows = kept
      }
    case .utf8, .json:
      guard let text = test.text else { return rows = none }
      narrowText(&rows) { offsets, bytes, rows in text.filter(offsets: offsets, bytes: bytes, rows: &rows) }
    }
  }

  /// Runs `filter` over the texts, or over the distinct texts of a dictionary that selected rows refer to.
  func narrowText(_ rows: inout Selection, _ filter: (Span<Int32>, Span<UInt8>, inout Selection) -> Void) {
    switch storage {
    case .fixed: bug("a text column")
    case .text: withText { offsets, bytes in filter(offsets, bytes, &rows) }
    case .dictionary(_, _, _, let valueCount):
      withDictionary { indices, offsets, bytes in
        // Looking up which values the rows have costs more than to filter a few values in vain.
        let isSmall = valueCount <= rows.count / 4
        var used = Selection(rowCount: valueCount, all: isSmall)
        if !isSmall { rows.forEach { used.insert(Int(indices[$0])) } }
        filter(offsets, bytes, &used)
        if used.isEmpty { return rows = Selection(rowCount: rows.rowCount, all: false) }
        var passes = [UInt8](repeating: 0, count: valueCount)
        used.forEach { passes[$0] = 1 }
        let flags = passes.span
        rows.mapWords { word, first, count in
          var mask: UInt64 = 0
          for lane in 0..<count { mask |= UInt64(flags[Int(indices[first + lane])]) << UInt64(lane) }
          return word & mask
        }
      }
    }
  }
}

extension Selection {
  /// Keeps the selected rows whose value is in one of the ranges; `passes` says so for many ranges.
  mutating func keep<T: Comparable & BitwiseCopyable>(
    _ values: Span<T>, within ranges: [ClosedRange<T>], _ passes: (T) -> Bool
  ) {
    guard let range = ranges.first else {
      self = Selection(rowCount: rowCount, all: false)
      return
    }
    if ranges.count == 2 {
      keep(values, within: range, or: ranges[1])
      return
    }
    if ranges.count > 2 {
      var kept = self
      forEach { if !passes(values[$0]) { kept.remove($0) } }
      self = kept
      return
    }
    let low = range.lowerBound
    let high = range.upperBound
    mapWords { word, first, count in
      var mask: UInt64 = 0
      for lane in 0..<count {
        let value = values[first + lane]
        mask |= (value >= low && value <= high ? 1 : 0) << UInt64(lane)
      }
      return word & mask
    }
  }

  /// As two ranges are all values but one, they are common.
  private mutating func keep<T: Comparable & BitwiseCopyable>(
    _ values: Span<T>, within first: ClosedRange<T>, or second: ClosedRange<T>
  ) {
    let (low, high, otherLow, otherHigh) = (
      first.lowerBound, first.upperBound, second.lowerBound, second.upperBound
    )
    mapWords { word, first, count in
      var mask: UInt64 = 0
      for lane in 0..<count {
        let value = values[first + lane]
        let isIn = value >= low && value <= high || value >= otherLow && value <= otherHigh
        mask |= (isIn ? 1 : 0) << UInt64(lane)
      }
      return word & mask
    }
  }

  /// Replaces each word that is not 0 by what `body` makes of it, its first row and its number of rows.
  mutating func mapWords(_ body: (UInt64, Int, Int) -> UInt64) {
    var changed = words
    for index in changed.indices where changed[index] != 0 {
      changed[index] = body(changed[index], index << 6, min(64, rowCount - index << 6))
    }
    self = Selection(rowCount: rowCount, words: changed)
  }
}
