import Records

/// The texts inside one object column, for the rows of one call of ``TextIndexBuilder/add(text:nested:rowCount:)``.
package struct NestedText: Sendable {
  /// Name of the object column.
  package let column: String
  /// Members stored as columns; those that are not text hold no words and are passed over.
  package let members: [Column]
  /// JSON text of what is not in `members`; nil if there is none.
  package let rest: Column?

  package init(column: String, members: [Column], rest: Column?) {
    self.column = column
    self.members = members
    self.rest = rest
  }
}

/// Builds the text index of one block, page by page, in row order.
package struct TextIndexBuilder {
  /// Rows of a page; the last page may have fewer.
  package let rowsPerPage: Int

  /// - Parameter rowsPerPage: 1 ... 65,535.
  package init(rowsPerPage: Int = 8192) {
    precondition((1...65_535).contains(rowsPerPage), "a page of 1 to 65,535 rows")
    self.rowsPerPage = rowsPerPage
  }

  /// Adds the next `rowCount` rows, e.g. a row group: any number of pages. Only the last call may bring a number of
  /// rows that is no multiple of ``rowsPerPage``.
  ///
  /// - Parameters:
  ///   - text: The block's text column, plain or dictionary; nil if the dataset has none.
  ///   - nested: The object columns; the same ones in each call.
  package mutating func add(text: Column?, nested: [NestedText] = [], rowCount: Int) {}

  /// Adds the rows of a text column alone.
  package mutating func addPage(_ text: Column) { add(text: text, rowCount: text.rowCount) }

  /// The index (Docs/formats/text-index.md).
  package consuming func finish() -> [UInt8] { [] }
}
