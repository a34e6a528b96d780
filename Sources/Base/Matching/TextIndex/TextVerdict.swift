import Records

/// How many rows of a page match a text condition.
package struct PageVerdict: Sendable, Hashable {
  /// Rows of the page.
  package var rowCount: Int
  /// Rows proved to match.
  package var provedCount: Int
  /// Rows that may match; the others (neither proved nor candidates) do not.
  package var candidateCount: Int

  /// Whether no row can match.
  package var isNone: Bool { provedCount == 0 && candidateCount == 0 }
  /// Whether every row is proved to match.
  package var isAll: Bool { provedCount == rowCount }
}

/// What a text index knows of one condition. Any number of threads may use it.
package struct TextVerdict: Sendable {
  /// A verdict a page of the block.
  package let pages: [PageVerdict]
  /// By template id: ``proved``, ``candidate`` or 0.
  let bits: [UInt8]
  let index: TextIndex

  static let proved: UInt8 = 1
  static let candidate: UInt8 = 2

  /// Which rows of page `page` are proved to match, and which may (disjoint; the others do not match).
  /// Decodes the page's template ids unless the verdict is about none or all of the rows.
  package func selection(page: Int) throws(TextIndexError) -> (proved: Selection, candidates: Selection) {
    let verdict = pages[page]
    let rows = verdict.rowCount
    let none = Selection(rowCount: rows, all: false)
    if verdict.isNone { return (none, none) }
    if verdict.isAll { return (Selection(rowCount: rows, all: true), none) }
    if verdict.candidateCount == rows { return (none, Selection(rowCount: rows, all: true)) }
    let selected = try index.identifiers(page: page, bits: bits)
    let proved = Selection(rowCount: rows, words: selected.proved)
    // The page's filter may have ruled the candidates out.
    let candidates =
      verdict.candidateCount == 0 ? none : Selection(rowCount: rows, words: selected.candidates)
    guard proved.count == verdict.provedCount, candidates.count == verdict.candidateCount else {
      throw .corrupt("page \(page): row ids against histogram")
    }
    return (proved, candidates)
  }
}
