import Records

/// Why a text index could not be read.
package enum TextIndexError: Error, Sendable, Hashable {
  /// The bytes are not those a ``TextIndexBuilder`` wrote. Retrying cannot help; scan without the index.
  case corrupt(String)
  /// Written by a version this one does not know.
  case version(UInt8)
}

/// The text index of one block (Docs/formats/text-index.md), read in place. Any number of threads may use it.
package struct TextIndex: Sendable {
  package let rowCount: Int
  package let pageCount: Int
  package let rowsPerPage: Int

  /// Checks the directory and the templates; the pages are checked when they are used.
  package init(_ bytes: Buffer) throws(TextIndexError) { throw .corrupt("not an index") }

  /// Rows of a page: ``rowsPerPage``, but for the last one.
  package func rowCount(ofPage page: Int) -> Int { min(rowsPerPage, rowCount - page * rowsPerPage) }

  /// What the index knows of the rows of the text column: one run of the automaton over all templates and a look
  /// at each page's histogram (about a microsecond a page).
  package func verdict(for automaton: TextAutomaton) throws(TextIndexError) -> TextVerdict {
    TextVerdict(pages: [])
  }

  /// The pages in which a string value inside object column `column` may match; the others have none.
  package func pages(
    nestedIn column: String, matching automaton: TextAutomaton
  ) throws(TextIndexError) -> Selection { Selection(rowCount: pageCount, all: true) }

  /// The pages in which a string value inside object column `column` may equal `text`; the others have none.
  package func pages(nestedIn column: String, equalTo text: [UInt8]) throws(TextIndexError) -> Selection {
    Selection(rowCount: pageCount, all: true)
  }

  /// Reads every byte and checks every sum, for `cordwood check`.
  package func verify() throws(TextIndexError) {}
}

/// How many rows of a page match a text condition.
package struct PageVerdict: Sendable, Hashable {
  package var rowCount: Int
  /// Rows proved to match.
  package var provedCount: Int
  /// Rows that may match; the others (neither proved nor candidates) do not.
  package var candidateCount: Int

  package var isNone: Bool { provedCount == 0 && candidateCount == 0 }
  package var isAll: Bool { provedCount == rowCount }
}

/// What a text index knows of one condition. Any number of threads may use it.
package struct TextVerdict: Sendable {
  /// A verdict a page of the block.
  package let pages: [PageVerdict]

  /// Which rows of page `page` are proved to match, and which may (disjoint; the others do not match). Decodes
  /// the page's template ids unless the verdict is about none or all of the rows.
  package func selection(page: Int) throws(TextIndexError) -> (proved: Selection, candidates: Selection) {
    (Selection(rowCount: 0, all: false), Selection(rowCount: 0, all: false))
  }
}
