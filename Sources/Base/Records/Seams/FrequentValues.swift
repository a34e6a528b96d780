/// The most frequent values of a column or member, over all rows of some times, that summaries may tell.
package struct FrequentRequest: Sendable {
  /// What is to be read where summaries do not say: the path as text. It has no condition.
  package var scan: ScanRequest
  /// What rows are counted by.
  package var path: ColumnPath

  package init(scan: ScanRequest, path: ColumnPath) {
    self.scan = scan
    self.path = path
  }
}

/// What summaries say about the values of some rows, and scans for the rest.
package struct FrequentAnswer: Sendable {
  /// What is known of the rows of one block.
  package struct Part: Sendable {
    /// Rows by value, exactly; null is a value.
    package var counts: [GroupKey: Int]
    /// What no value has more rows than that is not among these; 0: all are.
    package var othersMax: Int

    package init(counts: [GroupKey: Int], othersMax: Int) {
      self.counts = counts
      self.othersMax = othersMax
    }
  }

  package var parts: [Part]
  /// Units of the rows that no part is about.
  package var remaining: [any ScanUnit]

  package init(parts: [Part], remaining: [any ScanUnit]) {
    self.parts = parts
    self.remaining = remaining
  }

  /// The counts of all parts, if they and the rows of the units that remain are sure to have the `most` most
  /// frequent values, each with all of its rows; nil: a value that some part does not list might be among
  /// them (Fagin's threshold).
  package func counts(ofMostFrequent most: Int) -> [GroupKey: Int]? {
    let others = parts.reduce(0) { $0 + $1.othersMax }
    var found: [GroupKey: (rows: Int, unknown: Int)] = [:]
    for part in parts {
      for (value, rows) in part.counts {
        let before = found[value] ?? (0, others)
        found[value] = (before.rows + rows, before.unknown - part.othersMax)
      }
    }
    let counts = found.mapValues(\.rows)
    if others == 0 { return counts }
    let known = found.values.filter { $0.unknown == 0 }.map(\.rows).sorted(by: >)
    guard most > 0, known.count >= most else { return nil }
    let doubtful = found.values.reduce(others) { $1.unknown > 0 ? max($0, $1.rows + $1.unknown) : $0 }
    let unread = remaining.reduce(0) { $0 + $1.rowCountMax }
    return doubtful + unread < known[most - 1] ? counts : nil
  }
}
